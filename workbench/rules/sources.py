"""Which embedding table is which source: words, token types, positions, or distances between positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from torch import nn

#: Named modules of a model, itself first.
Parts: TypeAlias = Sequence[tuple[str, nn.Module]]


def source_kinds(module: nn.Module, parts: Parts | None = None) -> dict[int, str]:
    """Ledger account by storage address of each embedding table; `distances` for tables whose rows become biases on scores."""
    parts = list(module.named_modules()) if parts is None else parts
    outer: Any = next((part for _, part in parts if hasattr(part, "get_input_embeddings")), None)
    words = outer.get_input_embeddings() if outer is not None else None
    known = words.weight.data_ptr() if isinstance(words, nn.Embedding) else None
    kinds = {}
    for name, part in parts:
        if isinstance(part, nn.Embedding):
            kinds[part.weight.data_ptr()] = "tokens" if part.weight.data_ptr() == known else kind_of(name.rpartition(".")[2])
    return kinds


def kind_of(name: str) -> str:
    """The kind of a table that holds no words, by the name of its module."""
    if "rel" in name:
        return "distances"
    return "positions" if "pos" in name or name == "wpe" else "token_types"
