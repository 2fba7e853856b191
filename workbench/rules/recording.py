"""Hooks of a recording: activations that a module composes, the name of the part that runs, and sources that are no lookup."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.rules import activations
from workbench.rules.tape import node_of

if TYPE_CHECKING:
    from workbench.rules.streams import Streams


@contextmanager
def hooked(module: nn.Module, mode: Streams, source: str) -> Iterator[None]:
    """Registers the hooks of a recording for the time of the context; passes outside of it are left alone."""
    handles: list[Any] = []

    def running() -> bool:
        return mode in torch.overrides._get_current_function_mode_stack()  # type: ignore[no-untyped-call]

    def enter(*_: Any) -> None:
        mode.inside_module_rule += running()

    def leave(part: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        if not running():
            return
        ratio = activations.ratio_of(part)
        if ratio is not None and node_of(inputs[0]) is not None:
            mode.activated(inputs[0], ratio(inputs[0], output), output)
        mode.inside_module_rule -= 1

    def name(part: nn.Module, _: Any) -> None:
        mode.part = type(part).__name__

    def begin(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        entering = [value for value in (*args, *kwargs.values()) if node_of(value) is not None]
        if entering and running() and not mode.begun:
            mode.begun = True
            mode.source(entering[0], "tokens")

    try:
        for part in module.modules():
            if activations.ratio_of(part) is not None:
                handles += [part.register_forward_pre_hook(enter), part.register_forward_hook(leave)]
        handles += [part.register_forward_pre_hook(name) for part in module.children()]
        handles += [block.register_forward_pre_hook(begin, with_kwargs=True) for block in first_blocks(module) if source == "embeddings"]
        yield
    finally:
        for handle in handles:
            handle.remove()


def first_blocks(module: nn.Module) -> list[nn.Module]:
    """The first of every list of layers."""
    return [part[0] for part in module.modules() if isinstance(part, nn.ModuleList) and len(part)]
