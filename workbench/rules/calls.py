"""Calls of torch functions as a recording sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import resolve_name

from workbench.rules.steps import PLACE
from workbench.rules.tape import Node, node_of


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a torch function, with the nodes of those of its arguments that have streams."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    nodes: list[Node]

    @property
    def name(self) -> str:
        """What torch calls the function."""
        return str(resolve_name(self.function) or getattr(self.function, "__name__", self.function))

    def given(self, *names: str) -> dict[str, Any]:
        """Arguments by name, those in order called by these names."""
        return dict(zip(names, self.args, strict=False)) | dict(self.kwargs)


def placed(values: Any) -> Any:
    """Arguments with places where tensors with streams stood."""
    if isinstance(values, (list, tuple)) and not isinstance(values, torch.Size):
        return type(values)(map(placed, values))
    return values if node_of(values) is None else PLACE


def is_floating(values: Any) -> bool:
    """Whether a tensor, or one of several, has numbers that streams could sum to."""
    if isinstance(values, Tensor):
        return values.is_floating_point()
    return any(is_floating(value) for value in values if isinstance(value, Tensor))
