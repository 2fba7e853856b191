"""From encoded texts to a model's own arguments: batches, padding, masks."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import torch
from torch import Tensor, nn

from workbench.encoding import Encoding
from workbench.errors import PropagationError
from workbench.rules.readings import Aggregation


def encoded(module: nn.Module, encodings: Sequence[Encoding], padding: str = "right") -> dict[str, Tensor]:
    """`input_ids` and `attention_mask` of texts, padded to the longest; on the left with the positions of each text's own tokens.

    Raises PropagationError for an empty text, or where a model cannot be padded on the side that is asked for.
    """
    if not encodings or not all(map(len, encodings)):
        raise PropagationError("trace a batch", "no text, or one without tokens", "leave empty texts out")
    longest = max(map(len, encodings))
    device = next(module.parameters()).device
    ids = torch.full((len(encodings), longest), padding_of(module), device=device)
    mask = torch.zeros_like(ids)
    for row, encoding in enumerate(encodings):
        place = slice(0, len(encoding)) if padding == "right" else slice(longest - len(encoding), longest)
        ids[row, place] = torch.tensor(encoding.ids, device=device)
        mask[row, place] = 1
    inputs = {"input_ids": ids, "attention_mask": mask}
    if padding == "left" and not bool(mask.all()):
        if "position_ids" not in inspect.signature(module.forward).parameters:
            raise PropagationError(f"pad texts for {type(module).__name__} on the left", "it takes no position_ids", "pad on the right")
        inputs["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    return inputs


def padding_of(module: nn.Module) -> int:
    """The identifier of the padding token, 0 where a model names none (the mask keeps it out in either case)."""
    known = getattr(getattr(module, "config", None), "pad_token_id", None)
    return int(known) if isinstance(known, int) and known >= 0 else 0


def batches(encodings: Sequence[Encoding], size: int) -> list[list[int]]:
    """Places of the encodings in batches of at most `size` texts of about one length."""
    order = sorted(range(len(encodings)), key=lambda place: len(encodings[place]))
    return [order[start : start + size] for start in range(0, len(order), size)]


def refuse_unknown(module: nn.Module, inputs: Mapping[str, Any]) -> None:
    """Raises PropagationError for inputs that no lookup can be traced from."""
    asked = f"explain {type(module).__name__}"
    if not isinstance(inputs.get("input_ids"), Tensor) or inputs["input_ids"].ndim != 2:
        raise PropagationError(asked, f"inputs {', '.join(inputs) or 'none'}", "give input_ids (batch token)")
    if inputs["input_ids"].shape[0] == 0 or inputs["input_ids"].shape[1] == 0:
        raise PropagationError(asked, f"input_ids of shape {tuple(inputs['input_ids'].shape)}", "leave empty texts out")
    table = getattr(module, "get_input_embeddings", lambda: None)()
    if isinstance(table, nn.Embedding):
        largest, smallest = int(inputs["input_ids"].max()), int(inputs["input_ids"].min())
        if largest >= table.num_embeddings or smallest < 0:
            found = f"token identifiers {smallest} to {largest}, the vocabulary has {table.num_embeddings}"
            raise PropagationError(asked, found, "use the model's own tokenizer")


def aggregation_of(name: str) -> Aggregation:
    """The way of adding up positions of this name. Raises PropagationError for an unknown one."""
    known: dict[str, Aggregation] = {way: way for way in get_args(Aggregation)}
    if name not in known:
        raise PropagationError(f"read positions {name!r}", f"aggregations {', '.join(known)}", "choose one of these")
    return known[name]
