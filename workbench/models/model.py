"""Any Hugging Face text model as released, from the hub, its cache or a folder: classifiers, language models, translators, encoders."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerFast

import workbench.models.pooled  # noqa: F401 - registers the architecture of the embedded classifiers
from workbench import fingerprint
from workbench.errors import ModelError
from workbench.models import weights
from workbench.models.classifier import PRECISIONS, first_line, shape_of, tokenizer_fingerprint
from workbench.models.places import known_as, location
from workbench.models.sentences import Sentences, sentences_of
from workbench.models.tasks import ENCODER, Task, task_of

UNLIMITED = 10**9
#: Configurations whose first positions belong to padding.
PADDED_POSITIONS = frozenset({"xlm-roberta", "roberta", "camembert", "xlm-roberta-xl"})


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded text model of any task; `window` is the number of tokens it can see, None for no limit.

    `pooling` tells how a sentence encoder makes one vector of its states (`mean`, `cls`, `max`, `lasttoken`).
    """

    name: str
    module: nn.Module
    tokenizer: PreTrainedTokenizerFast
    task: str
    labels: tuple[str, ...]
    window: int | None
    precision: str
    fingerprint: str
    pooling: str = "mean"
    revision: str | None = None


def load_model(name: str, *, revision: str | None = None, precision: str = "float32", device: str = "cpu") -> Model:
    """Loads a text model of any task by embedded name, folder or hub name; a folder of sentence-transformers by its encoder.

    Weights come from safetensors only and no code of the model's authors is run. The hub's cache and offline mode are respected.
    Raises ModelError for what cannot be loaded safely or completely.
    """
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    asked = f"load the model {name}"
    if precision not in PRECISIONS:
        raise ModelError(asked, f"precision {precision!r}", f"choose one of {', '.join(PRECISIONS)}")
    place = location(name)
    if isinstance(place, Path) and (place / "ensemble.json").is_file():
        members = ", ".join(f"{name}/{member}" for member in json.loads((place / "ensemble.json").read_text("utf-8"))["members"])
        raise ModelError(asked, "an ensemble of several models", f"name one of them: {members}")
    options: dict[str, Any] = {"revision": revision, "trust_remote_code": False}
    try:
        sentences = sentences_of(place, revision)
        options["subfolder"] = sentences.subfolder
        if isinstance(place, Path):
            weights.refuse_unsafe_folder(place / sentences.subfolder)
        config = AutoConfig.from_pretrained(place, **options)
        task = ENCODER if sentences.pooling else task_of(config, asked)
        with quiet():
            module, report = task.loader.from_pretrained(
                place, dtype=PRECISIONS[precision], use_safetensors=True, output_loading_info=True, ignore_mismatched_sizes=True,
                **options, **choices(config, task, precision),
            )  # fmt: skip
        tokenizer = AutoTokenizer.from_pretrained(place, use_fast=True, **options)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, TypeError, SafetensorError) as error:
        raise ModelError(asked, first_line(error), "check the name or folder; offline, the model must be in the hub's cache") from error
    refuse_incomplete(asked, report)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelError(asked, "a tokenizer without character offsets", "use a model with a fast tokenizer (tokenizer.json)")
    weights.refuse_not_finite(module, name)
    module.eval().requires_grad_(False).to(device)
    return described(name, module, tokenizer, task, precision, sentences)


def is_encoder_decoder(name: str, revision: str | None = None) -> bool:
    """Whether a model has an encoder and a decoder, by its configuration; ModelError where that cannot be read."""
    try:
        config = AutoConfig.from_pretrained(location(name), revision=revision, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        asked, remedy = f"load the model {name}", "check the name or folder; offline, the model must be in the hub's cache"
        raise ModelError(asked, first_line(error), remedy) from error
    return bool(config.is_encoder_decoder)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps what the hub's library remarks to itself: what matters of it is said by our own errors."""
    before = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(before)


def choices(config: Any, task: Task, precision: str) -> dict[str, Any]:
    """How a model is to be built: no pooler where only states are used, scores that are capped and experts by code that can do it."""
    found: dict[str, Any] = {}
    kind = task.loader._model_mapping.get(type(config), None)
    if task.name == "encoder" and isinstance(kind, type) and "add_pooling_layer" in inspect.signature(kind).parameters:
        found["add_pooling_layer"] = False
    if getattr(config.get_text_config(), "attn_logit_softcapping", None):
        found["attn_implementation"] = "eager"
    if precision == "float64" and (hasattr(config, "num_local_experts") or hasattr(config, "num_experts")):
        found["experts_implementation"] = "eager"  # grouped products know no float64
    return found


def refuse_incomplete(asked: str, report: dict[str, Any]) -> None:
    """Raises ModelError for weights that the checkpoint does not have, or has in another shape."""
    if missing := sorted(report["missing_keys"]):
        remedy = "use a checkpoint that has all weights of its architecture"
        raise ModelError(asked, f"weights without values: {', '.join(missing[:4])}", remedy)
    if wrong := sorted(str(key[0]) for key in report["mismatched_keys"]):
        raise ModelError(asked, f"weights of another shape than configured: {', '.join(wrong[:4])}", "load weights and config of one model")


def described(name: str, module: nn.Module, tokenizer: PreTrainedTokenizerFast, task: Task, precision: str, sentences: Sentences) -> Model:
    """The loaded module with what is known of it."""
    config: Any = module.config
    identity: dict[str, Any] = {
        "weights": weights.fingerprint(module),
        "config": shape_of(config),
        "tokenizer": tokenizer_fingerprint(tokenizer),
    }
    labelled = task.name in ("classification", "token classification")
    return Model(
        name=known_as(name),
        module=module,
        tokenizer=tokenizer,
        task=task.name,
        labels=tuple(config.id2label[index] for index in range(config.num_labels)) if labelled else (),
        window=limit(config, tokenizer),
        precision=precision,
        fingerprint=fingerprint.of_json(identity),
        pooling=sentences.pooling or "mean",
        revision=getattr(config, "_commit_hash", None),
    )


def limit(config: Any, tokenizer: PreTrainedTokenizerFast) -> int | None:
    """Tokens that the model can see: the smaller of its table of positions and what the tokenizer was made for, None for neither."""
    inner = config.get_text_config()
    positions = [getattr(place, name, None) for place in (config, inner) for name in ("max_position_embeddings", "n_positions")]
    offset = 2 if config.model_type in PADDED_POSITIONS else 0
    known = [count - offset for count in positions if isinstance(count, int) and count > 0] + [int(tokenizer.model_max_length)]
    return min(known) if min(known) < UNLIMITED else None
