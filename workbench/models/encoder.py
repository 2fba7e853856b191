"""Sentence encoders as released: any sentence-transformers model from the hub, its cache, a folder or an installed package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer
from torch import nn
from transformers import PreTrainedTokenizerFast

from workbench import fingerprint
from workbench.errors import MissingExtraError, ModelError
from workbench.models import weights
from workbench.models.classifier import PRECISIONS, first_line, tokenizer_fingerprint
from workbench.models.places import PACKAGED, known_as, location, packaged


@dataclass(frozen=True, slots=True)
class Encoder:
    """A loaded sentence encoder: `module` takes `{input_ids, attention_mask}` and gives `sentence_embedding (batch dim)`."""

    name: str
    module: nn.Module
    tokenizer: PreTrainedTokenizerFast
    window: int
    dimension: int
    precision: str
    fingerprint: str
    tokenizer_name: str


def load_encoder(name: str, *, revision: str | None = None, precision: str = "float32", device: str = "cpu") -> Encoder:
    """Loads a sentence encoder by embedded name, packaged name (`all-MiniLM-L6-v2`), folder or hub name, unmodified.

    Weights come from safetensors only and no code of the model's authors is run. Raises ModelError for a model without the layout
    of sentence-transformers, or one that cannot be loaded safely or completely.
    """
    asked = f"load the sentence encoder {name}"
    if precision not in PRECISIONS:
        raise ModelError(asked, f"precision {precision!r}", f"choose one of {', '.join(PRECISIONS)}")
    if name in PACKAGED and packaged(name) is None:
        package = PACKAGED[name][0].replace("_", "-")
        raise MissingExtraError(asked, f"the package {package} is not installed", "pip install 'workbench-nlp[minilm]'")
    place = packaged(name) or location(name)
    if isinstance(place, Path):
        refuse_other_layout(asked, place)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {"use_safetensors": True, "dtype": PRECISIONS[precision]}
    try:
        module = SentenceTransformer(str(place), device=device, trust_remote_code=False, revision=revision, model_kwargs=options)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, TypeError, SafetensorError) as error:
        raise ModelError(asked, first_line(error), "check the name or folder; offline, the model must be in the hub's cache") from error
    tokenizer = module.tokenizer
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelError(asked, "a tokenizer without character offsets", "use a model with a fast tokenizer (tokenizer.json)")
    weights.refuse_not_finite(module, name)
    module.eval().requires_grad_(False)
    pieces = tokenizer_fingerprint(tokenizer)
    layout = [type(part).__name__ for part in module]
    identity: dict[str, Any] = {"weights": weights.fingerprint(module), "layout": layout, "tokenizer": pieces}
    return Encoder(
        name=known_as(name),
        module=module,
        tokenizer=tokenizer,
        window=int(module.max_seq_length or tokenizer.model_max_length),
        dimension=int(module.get_embedding_dimension() or 0),
        precision=precision,
        fingerprint=fingerprint.of_json(identity),
        tokenizer_name=f"{known_as(name)}@{pieces[:12]}",
    )


def refuse_other_layout(asked: str, folder: Path) -> None:
    """Raises ModelError for a folder that is not laid out as sentence-transformers does, or whose weights are pickled."""
    listed = folder / "modules.json"
    if not listed.is_file():
        raise ModelError(asked, "no modules.json in the folder", "give a folder saved by SentenceTransformer.save, or a name of the hub")
    try:
        parts = [folder / str(part["path"]) for part in json.loads(listed.read_text("utf-8"))]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(asked, f"a modules.json that cannot be read ({first_line(error)})", "save the model again") from error
    # Normalize has no files of its own, and archives lose its empty folder
    if missing := [part.name for part in parts if not part.is_dir() and "Normalize" not in part.name]:
        raise ModelError(asked, f"no folder {', '.join(missing)} of modules.json", "give the whole folder of the model")
    weights.refuse_unsafe_folder(parts[0])
