"""From a text to what a model of any task is given and asked: its own arguments, and the number that is explained."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workbench.attribution import targets
from workbench.attribution.inputs import encoded
from workbench.attribution.targets import Target
from workbench.attribution.trace import Trace
from workbench.encoding import Encoding
from workbench.errors import ModelError
from workbench.models.classifier import first_line
from workbench.models.encode import encode
from workbench.models.model import Model

#: Tokens that a decoder says before the one that is explained.
STEPS = 8
#: Where neither model nor tokenizer sets a limit.
WINDOW = 4096
#: The scalar that is explained, by task.
SAID = {
    "classification": "logit of the likeliest label",
    "token classification": "logit of the likeliest label of the middle token",
    "question answering": "score of the likeliest answer span",
    "continuation": "logit of the likeliest next token",
    "translation": "logit of the next token behind the model's own output",
    "gap filling": "logit of the likeliest token in the masked middle",
    "encoder": "length of the pooled vector, along its own direction",
}


@dataclass(frozen=True)
class Case:
    """A text as a model's arguments, and the target that is explained."""

    text: str
    encoding: Encoding
    inputs: Mapping[str, Any]
    target: Target


def case(model: Model, text: str, window: int | None = None) -> Case:
    """What the model is given for a text, cut at `window` tokens (its own where not given), and what is explained."""
    module = model.module
    encoding = encode(model.tokenizer, text, min(window or WINDOW, model.window or WINDOW))
    inputs: dict[str, Any] = encoded(module, [encoding])
    taken = inspect.signature(module.forward).parameters
    middle = len(encoding) // 2
    if model.task == "gap filling" and model.tokenizer.mask_token_id is not None:
        inputs["input_ids"][0, middle] = model.tokenizer.mask_token_id
    if "use_cache" in taken:
        inputs["use_cache"] = False
    if "decoder_input_ids" in taken:
        inputs["decoder_input_ids"] = decoder_inputs(model, inputs)
    return Case(text, encoding, inputs, target(model, inputs, middle))


def decoder_inputs(model: Model, inputs: Mapping[str, Any]) -> Tensor:
    """The model's own greedy output, without its last token; for tasks that do not generate the text itself, shifted by one."""
    config: Any = model.module.config
    start = next(
        value
        for name in ("decoder_start_token_id", "bos_token_id", "pad_token_id", "eos_token_id")
        if isinstance(value := getattr(config, name, None), int)
    )
    ids = inputs["input_ids"]
    begun = torch.full_like(ids[:, :1], start)
    if model.task != "translation":
        return torch.cat([begun, ids[:, :-1]], 1)
    for _ in range(STEPS):
        said = plain(model.module, {**inputs, "decoder_input_ids": begun}).logits[:, -1].argmax(1, keepdim=True)
        if int(said) == getattr(config, "eos_token_id", None):
            break
        begun = torch.cat([begun, said], 1)
    return begun


def plain(module: nn.Module, inputs: Mapping[str, Any]) -> Any:
    """The model's output without rules.

    Raises ModelError for a model that does not run.
    """
    try:
        with torch.no_grad():
            return module(**inputs)
    except (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError) as error:
        asked, remedy = f"run {type(module).__name__} without rules", "check that it runs with transformers alone, in this precision"
        raise ModelError(asked, first_line(error), remedy) from error


def target(model: Model, inputs: Mapping[str, Any], middle: int) -> Target:
    """The scalar that is explained of a model of this task, fixed to what the plain model predicts where it chooses."""
    if model.task == "classification":
        return targets.label(plain(model.module, inputs).logits.argmax(1))
    if model.task == "question answering":
        output = plain(model.module, inputs)
        return targets.span(output.start_logits.argmax(1), output.end_logits.argmax(1))
    if model.task == "encoder":
        return pooled(model.pooling)
    return targets.next_token() if model.task in ("continuation", "translation") else targets.token(middle)


def pooled(pooling: str) -> Target:
    """The pooled vector of each text along its own direction, which is a constant: the vector's length."""

    def explained(trace: Trace) -> Tensor:
        states: Tensor = trace.output.last_hidden_state
        mask = trace.target_mask.to(states.dtype)[..., None]
        if pooling == "mean":
            vector = (states * mask).sum(1) / mask.sum(1)
        elif pooling == "max":
            vector = states.masked_fill(mask == 0, torch.finfo(states.dtype).min).amax(1)
        else:
            last = targets.places(trace, 0 if pooling == "cls" else -1)
            vector = states[torch.arange(len(states), device=states.device), last]
        return (vector * torch.nn.functional.normalize(vector.detach(), dim=-1)).sum(-1)

    return explained
