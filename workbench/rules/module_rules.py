"""Rules and readings met at modules: what no single torch function shows.

1. Composed activations (`activations`): value kept, derivative f(x)/x.
2. Routers of mixtures of experts, and what a selective scan takes its parameters from, see constants (MambaLRP, Jafari et al. 2024).
3. Rotary and sinusoidal position modules give constants that carry positions, or sources.
4. Layers tell the recorder where it is; their outputs are the residual stream, those of their blocks components.

The hooks stand on the modules while the context lasts and answer only the mode's own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.relevance import OUTSIDE
from workbench.rules import activations, register
from workbench.rules.checkpoints import checkpointed
from workbench.rules.layers import blocks, layers
from workbench.rules.marks import POSITION, mark
from workbench.rules.sources import Parts

if TYPE_CHECKING:
    from workbench.rules.propagation import Propagation

Enter = Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]] | None]
Leave = Callable[[nn.Module, tuple[Any, ...], Any], Any]


class Hooks:
    """Hooks of one mode, answered only in its own thread and removed together."""

    def __init__(self, mode: Propagation) -> None:
        self.mode = mode
        self.handles: list[Any] = []

    def add(self, module: nn.Module, enter: Enter | None = None, leave: Leave | None = None) -> None:
        """Hooks a module's inputs and its output."""
        mode = self.mode
        if enter is not None:
            entering = enter

            def before(m: nn.Module, a: tuple[Any, ...], k: dict[str, Any] | None = None) -> Any:
                # without keywords: called by another thread between the two steps in which torch adds or removes a hook
                return entering(m, a, k) if k is not None and is_current(mode) else None

            self.handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
        if leave is not None:
            leaving = leave
            self.handles.append(module.register_forward_hook(lambda m, a, o: leaving(m, a, o) if is_current(mode) else None))

    def inside(self, modules: Iterable[nn.Module]) -> None:
        """Hooks what has a rule among these modules."""
        without: set[type[nn.Module]] = set()  # a model has hundreds of modules, of a dozen classes
        for module in modules:
            if type(module) in without:
                continue
            enter, leave = hooks_of(self.mode, module)
            self.add(module, enter, leave)
            if is_mixer(module) and self.mode.composite.scan == "constant" and hasattr(module, "x_proj"):
                self.add(module.get_submodule("x_proj"), constant_inputs)
            elif enter is None and leave is None:
                without.add(type(module))

    def remove(self) -> None:
        """Takes every hook away."""
        for handle in self.handles:
            handle.remove()


@contextmanager
def module_rules(mode: Propagation, *, checkpoint: bool = False) -> Iterator[None]:
    """Hooks the modules of the mode's model while the context lasts."""
    hooks = Hooks(mode)
    try:
        found = layers(mode.module)
        for layer in found:
            hooks.add(layer, *layer_hooks(mode))
            for kind, block in blocks(layer) if mode.recorder.kinds & {"attention", "mlp"} else ():
                if kind in mode.recorder.kinds:
                    hooks.add(block, None, component_hook(mode, kind))
        hooks.inside(part for _, part in mode.parts)
        decoder = decoder_of(mode.module, mode.parts)
        if decoder is not None:
            hooks.add(decoder, switch(mode.recorder, "decoder", True), switch(mode.recorder, "decoder", False))
        with checkpointed(found, mode, lambda layer: hooked(mode, layer)) if checkpoint else nullcontext():
            yield
    finally:
        hooks.remove()


@contextmanager
def hooked(mode: Propagation, layer: nn.Module) -> Iterator[None]:
    """Hooks what has a rule inside one layer, for its recomputation."""
    hooks = Hooks(mode)
    hooks.inside(layer.modules())
    try:
        yield
    finally:
        hooks.remove()


def hooks_of(mode: Propagation, module: nn.Module) -> tuple[Enter | None, Leave | None]:
    """The hooks of a module by its class: activation, router, experts, scan or positions; none for most."""
    name = type(module).__name__
    if activations.ratio_of(module) is not None:
        return activations.hooks(mode)
    if ("Router" in name and mode.composite.scan == "constant") or name in register.CONSTANT_CLASSES:
        return constant_inputs, None
    if name.endswith("Experts"):
        return switch(mode.recorder, "mixed", True), switch(mode.recorder, "mixed", False)
    if is_mixer(module) and mode.composite.scan == "constant" and not hasattr(module, "x_proj"):
        return switch(mode, "scanning", 1), switch(mode, "scanning", 0)
    if name.endswith("RotaryEmbedding") and mode.composite.position == "half":
        return None, lambda _, __, output: mark(output, POSITION)
    if name.endswith("SinusoidalPositionalEmbedding"):
        return None, lambda _, __, output: position_source(mode, output)
    return None, None


def is_mixer(module: nn.Module) -> bool:
    """Whether a module is a Mamba mixer (`x_proj` gives the parameters of a first, splits those of a second)."""
    name = type(module).__name__
    return "Mamba" in name and name.endswith("Mixer")


def layer_hooks(mode: Propagation) -> tuple[Enter, Leave]:
    """Counts the layers that run, and reads the residual stream behind each."""

    def enter(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        mode.recorder.layer = mode.recorder.next_layer()

    leave_component = component_hook(mode, "residual")

    def leave(module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        answer = leave_component(module, args, output)
        mode.recorder.layer = OUTSIDE
        return answer

    return enter, leave


def component_hook(mode: Propagation, kind: str) -> Leave:
    """Watches a module's output (the first, where there are several) as a component of the running layer."""

    def leave(module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        if kind not in mode.recorder.kinds:
            return None
        first = output[0] if isinstance(output, tuple) else output
        watched = mode.recorder.component(kind, first)
        return (watched, *output[1:]) if isinstance(output, tuple) else watched

    return leave


def constant_inputs(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A module's inputs as constants."""
    return tuple(map(constant, args)), {name: constant(value) for name, value in kwargs.items()}


def constant(value: Any) -> Any:
    """A tensor as a constant, anything else as it is."""
    return value.detach() if isinstance(value, Tensor) else value


def switch(owner: Any, name: str, value: Any) -> Callable[..., None]:
    """A hook that sets an attribute of the mode or recorder."""

    def answer(*_: Any) -> None:
        setattr(owner, name, value)

    return answer


def position_source(mode: Propagation, output: Any) -> Any:
    """Fixed sinusoids as a source of position relevance, one row for each text."""
    if not isinstance(output, Tensor) or output.requires_grad or not torch.is_grad_enabled():
        return output
    if output.ndim == 2:
        output = output[None]
    return mode.recorder.source(output.expand(mode.recorder.rows, *output.shape[1:]), "positions")


def decoder_of(module: nn.Module, parts: Parts) -> nn.Module | None:
    """The decoder of an encoder-decoder model."""
    if not getattr(getattr(module, "config", None), "is_encoder_decoder", False):
        return None
    return next((part for name, part in parts if name.rpartition(".")[2] == "decoder"), None)


def is_current(mode: Propagation) -> bool:
    """Whether this thread is running inside the mode."""
    return mode in torch.overrides._get_current_function_mode_stack()  # type: ignore[no-untyped-call]
