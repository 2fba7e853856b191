"""Gradient checkpointing by layer: activations inside a layer are computed again in the backward pass instead of being kept.

The memory of a pass then grows with one vector for each layer and token instead of all activations (Chen et al. 2016, 'Training deep
nets with sublinear memory cost'). The recomputation runs under the same rules, in which nothing new is booked or read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from workbench.rules.frozen import frozen

if TYPE_CHECKING:
    from workbench.rules.propagation import Propagation

LOCK = threading.Lock()
USERS = "_workbench_checkpoint_users"
BEFORE = "_workbench_forward_before"


@contextmanager
def replay(mode: Propagation, layer: nn.Module) -> Iterator[None]:
    """Runs a layer again under the mode's rules; whatever ends the recomputation early, the mode is left as it was."""
    recorder = mode.recorder
    kept = mode.inside_module_rule, mode.scanning, recorder.replaying, recorder.mixed, recorder.layer
    recorder.replaying = True
    try:
        with frozen(mode.module, mode.parts), mode.hooked(layer), mode:
            yield
    finally:
        mode.inside_module_rule, mode.scanning, recorder.replaying, recorder.mixed, recorder.layer = kept


@contextmanager
def checkpointed(
    layers: Sequence[nn.Module], mode: Propagation, hooked: Callable[[nn.Module], AbstractContextManager[None]]
) -> Iterator[None]:
    """Checkpoints these layers for passes of the mode's thread while the context lasts; other threads run them as they are.

    `hooked` hooks the modules of a layer that is computed again.
    """
    entered = [enter(layer) for layer in layers]
    mode.checkpointing, mode.hooked = True, hooked
    try:
        yield
    finally:
        for layer in entered:
            leave(layer)


def enter(layer: nn.Module) -> nn.Module:
    """Lets a layer's forward ask whether to checkpoint; several threads may have it so at once."""
    with LOCK:
        users = layer.__dict__.get(USERS, 0)
        if not users:
            plain = layer.forward

            def forward(*args: Any, **kwargs: Any) -> Any:
                mode = current()
                if mode is None or mode.recorder.replaying:
                    return plain(*args, **kwargs)
                again = lambda: (nullcontext(), replay(mode, layer))  # noqa: E731 - named for the line's sake
                return checkpoint(plain, *args, use_reentrant=False, preserve_rng_state=False, context_fn=again, **kwargs)

            layer.__dict__[BEFORE] = layer.__dict__.get("forward")
            layer.__dict__["forward"] = forward
        layer.__dict__[USERS] = users + 1
    return layer


def leave(layer: nn.Module) -> None:
    """Takes one user away; the last one leaves the layer as it was."""
    with LOCK:
        layer.__dict__[USERS] -= 1
        if not layer.__dict__[USERS]:
            del layer.__dict__[USERS], layer.__dict__["forward"]
            before = layer.__dict__.pop(BEFORE)
            if before is not None:
                layer.__dict__["forward"] = before


def current() -> Propagation | None:
    """The checkpointing mode that this thread runs inside."""
    stack = torch.overrides._get_current_function_mode_stack()  # type: ignore[no-untyped-call]
    return next((mode for mode in reversed(stack) if getattr(mode, "checkpointing", False)), None)
