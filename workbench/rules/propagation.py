"""The interception: inside the context every torch function that a model calls meets its rule; outside nothing has changed.

1. `F.embedding` lookups become sources: leaves where relevance ends (word embedding, token type, position).
2. A function with a rule is replaced by one with the same value and the rule's derivative.
3. A linear function runs as it is; constants added on the way are booked as biases, on scores as positions.
4. Any other function whose result is active stops the trace with an error: nothing is approximated silently.

No class is patched and no hook outlives the context. The mode belongs to the thread that entered it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

from workbench.errors import PropagationError
from workbench.rules import normalization, operations
from workbench.rules.answers import ANSWERS, Answer, Function, is_active, other
from workbench.rules.audit import refuse_unfit
from workbench.rules.composite import Composite
from workbench.rules.marks import NAME, NEURONS, POSITION, STATISTIC, WEIGHTS, hand_on, mark
from workbench.rules.module_rules import module_rules
from workbench.rules.product import active
from workbench.rules.readings import Aggregation
from workbench.rules.recorder import Recorder
from workbench.rules.sources import Parts, source_kinds

#: Marks that outlive a linear function, and a product.
HANDED_ON = frozenset({WEIGHTS, NEURONS})
#: Arguments that are neither active nor marked.
PASSIVE = (int, float, str, torch.dtype, type(None))


class Propagation(TorchFunctionMode):
    """A composite at work on whatever `module` calls in this thread; `recorder` keeps what its backward passes book."""

    #: What each function with an active argument is answered with; None where it only asks.
    answers: ClassVar[Mapping[Function, Answer | None]] = ANSWERS

    def __init__(self, module: nn.Module, composite: Composite, recorder: Recorder, parts: Parts | None = None) -> None:
        super().__init__()
        self.module = module
        self.composite = composite
        self.recorder = recorder
        self.inside_module_rule = 0
        self.scanning = 0
        self.checkpointing = False
        self.hooked: Callable[[nn.Module], AbstractContextManager[None]] = lambda _: nullcontext()
        self.parts = list(module.named_modules()) if parts is None else parts
        self.kinds = source_kinds(module, self.parts)
        self.marking = bool(recorder.kinds & {"heads", "neurons"}) or composite.product == "signal" or composite.linear == "alpha_beta"
        self.marking = self.marking or composite.attention == "gradient"

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        answer = self.answers.get(function, other)
        if answer is None or self.inside_module_rule or not torch.is_grad_enabled():
            return function(*args, **kwargs)
        if function in operations.EMBEDDINGS:
            return self.source(function(*args, **kwargs), *args[:2], **kwargs)
        relevant = False
        for value in (*args, *kwargs.values()) if kwargs else args:  # one look at each: a model calls a hundred functions a layer
            if isinstance(value, PASSIVE):
                continue
            if is_active(value):
                relevant = True
            elif STATISTIC in getattr(value, NAME, ()):
                return self.statistic(function, args, kwargs)
        if not relevant:
            return self.inactive_call(function, args, kwargs)
        try:
            result = answer(self, function, args, kwargs)
        except RuntimeError as error:
            if "inplace" in str(error):
                raise self.refusal(function, " in place") from error
            raise
        if self.marking and (function in operations.LINEAR or function in operations.PRODUCTS):
            names = HANDED_ON if function in operations.LINEAR else frozenset({NEURONS})
            hand_on(args, result, names)
        return result

    def inactive_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function of constants; what carries positions is followed where positions take a share of products."""
        result = function(*args, **kwargs)
        if self.composite.position == "constant":
            return result
        if any(isinstance(value, nn.Parameter) and self.kinds.get(value.data_ptr()) == "distances" for value in args):
            # a function may return the table itself, which must not be marked for good
            return mark(result.view_as(result) if isinstance(result, nn.Parameter) else result, POSITION)
        return hand_on(args, result, frozenset({POSITION}))

    def statistic(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The way of a norm's statistic: means and sums keep it one, a root makes it a constant, all else is refused."""
        result = function(*args, **kwargs)
        if function in operations.ROOTS or not isinstance(result, Tensor) or not result.is_floating_point():
            return result
        if function in operations.MERGES and not any(map(active, args)):
            return normalization.statistic(result)
        raise self.refusal(function, " on a power or variance outside a norm")

    def source(self, value: Tensor, ids: Tensor, weight: Tensor, *_: Any, **__: Any) -> Tensor:
        """An embedding lookup as a source of its kind, one row of it for each text; a table of distances stays a constant."""
        kind = self.kinds.get(weight.data_ptr(), "positions")
        if kind == "distances":
            return mark(value, POSITION)  # type: ignore[no-any-return]
        rows = self.recorder.rows
        if value.shape[0] == 1 and rows > 1:
            value = value.expand(rows, *value.shape[1:])
        elif value.ndim == 2 and kind == "positions":
            value = value.expand(rows, *value.shape)
        if value.shape[0] != rows:
            raise PropagationError(
                f"book an embedding lookup of shape {tuple(value.shape)} in {self.path()}",
                f"a batch of {rows} texts",
                "explain one text at a time",
            )
        return self.recorder.source(value, "decoder_inputs" if kind == "tokens" and self.recorder.decoder else kind)

    def path(self) -> str:
        """The innermost module of the traced model that is running, found on the call stack (only when something is refused)."""
        names = {id(module): name or type(module).__name__ for name, module in self.module.named_modules()}
        frame = inspect.currentframe()
        while frame is not None:
            owner = frame.f_locals.get("self")
            if isinstance(owner, nn.Module) and id(owner) in names:
                return f"{names[id(owner)]} ({type(owner).__name__})"
            frame = frame.f_back
        return type(self.module).__name__

    def refusal(self, function: Callable[..., Any], detail: str = "") -> PropagationError:
        """The error for an active operation without a rule."""
        name = resolve_name(function) or getattr(function, "__name__", repr(function))
        return PropagationError(
            f"propagate relevance under {self.composite.name}",
            f"the operation {name}{detail} in {self.path()} acts on relevant values and has no rule",
            "register a rule for it with workbench.rules.register (by function or by module class), or use another composite",
        )


@contextmanager
def propagation(
    module: nn.Module,
    composite: Composite,
    rows: int,
    *,
    watch: Collection[str] = (),
    position_layers: bool = False,
    aggregation: Aggregation = "signed",
    checkpoint: bool = False,
    parts: Parts | None = None,
) -> Iterator[Recorder]:
    """Runs what is inside the context under the composite's rules; `rows` is the number of texts in the batch.

    `parts` are the module's named modules, where they have been listed already.

    Source: rules by function interception; see the room's modules for the papers. Raises PropagationError for what has no rule.
    """
    mode = Propagation(module, composite, Recorder(rows, watch, position_layers, aggregation), parts)
    refuse_unfit(module, mode.parts)
    with module_rules(mode, checkpoint=checkpoint), mode:
        yield mode.recorder
