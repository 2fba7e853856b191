"""Text classifiers as released: any Hugging Face encoder from the hub, its cache or a folder, or one that the workbench carries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

import workbench.models.pooled  # noqa: F401 - registers the architecture of the embedded classifiers
from workbench import fingerprint
from workbench.errors import ModelError
from workbench.models import pieces, weights
from workbench.models.places import known_as, location

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}


@dataclass(frozen=True, slots=True)
class Classifier:
    """A loaded text classifier; `window` is the number of tokens it can see, special tokens included.

    `tokenizer_name` is the tokenizer's identity in a store: the model's name and the start of the tokenizer's content fingerprint.
    """

    name: str
    module: nn.Module
    tokenizer: PreTrainedTokenizerFast
    labels: tuple[str, ...]
    window: int
    precision: str
    fingerprint: str
    tokenizer_name: str
    revision: str | None = None


def load(name: str, *, revision: str | None = None, precision: str = "float32", device: str = "cpu") -> Classifier:
    """Loads a classifier by embedded name (`bengali-hate/wordpiece`), folder or hub name.

    Weights come from safetensors only and no code of the model's authors is run. The hub's cache and offline mode are respected
    (`HF_HOME`, `HF_HUB_OFFLINE`). Raises ModelError for what cannot be loaded safely or completely.
    """
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    asked = f"load the model {name}"
    if precision not in PRECISIONS:
        raise ModelError(asked, f"precision {precision!r}", f"choose one of {', '.join(PRECISIONS)}")
    place = location(name)
    if isinstance(place, Path):
        weights.refuse_unsafe_folder(place)
    options: dict[str, Any] = {"revision": revision, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(place, **options)
        if not transformers.models.auto.modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING.get(type(config), None):
            raise ModelError(asked, f"the architecture {config.model_type}", "use a model with a sequence classification head")
        module, report = AutoModelForSequenceClassification.from_pretrained(
            place, dtype=PRECISIONS[precision], use_safetensors=True, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
        tokenizer = AutoTokenizer.from_pretrained(place, use_fast=True, **options)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise ModelError(asked, first_line(error), "check the name or folder; offline, the model must be in the hub's cache") from error
    if missing := sorted(report["missing_keys"]):
        raise ModelError(asked, f"weights without values: {', '.join(missing[:4])}", "use a checkpoint fine-tuned for classification")
    if wrong := sorted(str(key[0]) for key in report["mismatched_keys"]):
        raise ModelError(asked, f"weights of another shape than configured: {', '.join(wrong[:4])}", "load weights and config of one model")
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelError(asked, "a tokenizer without character offsets", "use a model with a fast tokenizer (tokenizer.json)")
    weights.refuse_not_finite(module, name)
    module.eval().requires_grad_(False).to(device)
    labels = tuple(config.id2label[index] for index in range(config.num_labels))
    pieces = tokenizer_fingerprint(tokenizer)
    identity: dict[str, Any] = {"weights": weights.fingerprint(module), "config": shape_of(config), "tokenizer": pieces}
    return Classifier(
        name=known_as(name),
        module=module,
        tokenizer=tokenizer,
        labels=labels,
        window=window_of(config, tokenizer),
        precision=precision,
        fingerprint=fingerprint.of_json(identity),
        tokenizer_name=f"{known_as(name)}@{pieces[:12]}",
        revision=getattr(config, "_commit_hash", None),
    )


def shape_of(config: Any) -> dict[str, Any]:
    """What of a configuration determines numbers: everything but names, versions and places."""
    ignored = {"_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype", "_commit_hash"}
    plain = json.loads(config.to_json_string(use_diff=False))
    return {key: value for key, value in plain.items() if key not in ignored}


def tokenizer_fingerprint(tokenizer: PreTrainedTokenizerBase) -> str:
    """Fingerprint of the tokenizer's whole definition."""
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        return pieces.definition(tokenizer)
    definition = json.loads(tokenizer.backend_tokenizer.to_str())
    return fingerprint.of_json({key: value for key, value in definition.items() if key not in ("truncation", "padding")})


def window_of(config: Any, tokenizer: PreTrainedTokenizerFast) -> int:
    """Number of tokens that the model can see: the smaller of its positions and what the tokenizer was made for."""
    backbone = getattr(config, "backbone", None) or config
    if isinstance(backbone, dict):
        positions = backbone.get("max_position_embeddings", 512)
    else:
        positions = getattr(backbone, "max_position_embeddings", 512)
    offset = 2 if config.model_type in ("xlm-roberta", "roberta", "camembert", "xlm-roberta-xl") else 0
    return int(min(positions - offset, tokenizer.model_max_length))


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its type when it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
