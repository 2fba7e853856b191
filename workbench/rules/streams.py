"""Forward relevance: a model is run once on its texts as they are; what every part of them contributes follows from the same pass.

Beside each tensor that depends on words a recording keeps how its streams come from those of others (see `tape`): one stream for each
part of a text (a token, a word, a class of words), one for positions, one for all other constants (token types, biases) and, where
softmax has a true derivative, one for what softmax absorbs. What is a constant to the rules (attention weights, 1/std, activation
ratios) is taken from the texts themselves. All streams of a tensor sum to it: those of the embedding to the embedding.

With constant attention the network is affine and a stream is the frozen network applied to its part alone (Ali et al. 2022; Eberle et
al. 2020, BiLRP, for pairs); with AttnLRP's rules (Achtibat et al. 2024) streams carry the derivative in the direction of the part. No
derivative is taken by torch: this is also an oracle for the backward rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workbench.errors import PropagationError
from workbench.rules import activation, operations, pooling, steps
from workbench.rules.audit import refuse_unfit
from workbench.rules.calls import Call, is_floating, placed
from workbench.rules.composite import Composite
from workbench.rules.marks import NEURONS, is_marked, mark
from workbench.rules.recording import hooked
from workbench.rules.sources import source_kinds
from workbench.rules.tape import NAME, Node, Step, Sums, node_of, nodes_of

EXTREMA = operations.resolve("max amax min amin topk sort msort")
LEAST, SORTED = operations.resolve("min amin"), operations.resolve("topk sort msort")
#: Functions that take only the shape or type of a stream, all or where it is the second argument.
SHAPED_LIKE = operations.resolve("zeros_like ones_like full_like empty_like rand_like new_zeros new_ones new_full new_empty new_tensor")
SHAPED_AS = operations.resolve("expand_as view_as reshape_as type_as to")
#: Linear functions that may put constants among what they hand on.
INSERTING = operations.resolve(f"{operations.SELECTIONS} {operations.IN_PLACE} cat concat concatenate stack hstack vstack pad")
#: Functions that change at most the type or the order in memory.
UNCHANGED = operations.resolve(operations.CASTS)
#: Functions that treat each element alone.
ELEMENTWISE = operations.resolve(f"{operations.CASTS} mul multiply __mul__ __rmul__ div divide true_divide __truediv__ neg")
#: Choices of rules that a stream can follow: those whose shares are constants of the whole text.
FOLLOWED = {"linear": ("zero",), "softmax": ("absorb",), "attention": ("half", "constant"), "position": ("constant",)}
SUBTRACTIONS = operations.SUBTRACTIONS | operations.SUBTRACTIONS_IN_PLACE
ADDITIONS = operations.ADDITIONS | operations.ADDITIONS_IN_PLACE | operations.REVERSED_SUBTRACTIONS | SUBTRACTIONS


class Streams(TorchFunctionMode):
    """A recording of a pass under a composite; `node_of(output)` is what can be played afterwards."""

    def __init__(self, module: nn.Module, composite: Composite) -> None:
        super().__init__()
        self.composite = composite
        self.inside_module_rule = 0
        self.kinds = source_kinds(module)
        self.recorded = 0
        self.part = type(module).__name__
        self.begun = False

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.inside_module_rule:
            return function(*args, **kwargs)
        if function in operations.EMBEDDINGS:
            return self.lookup(function(*args, **kwargs), args[1] if len(args) > 1 else kwargs["weight"])
        writes = function in steps.WRITES
        if writes and node_of(args[0]) is None and nodes_of(args):
            self.add(args[0], steps.constant_source(args[0].clone()))
        result = function(*args, **kwargs)
        changed = args[0] if writes else result
        if isinstance(changed, (Tensor, tuple, list)) and not isinstance(changed, torch.Size):
            nodes = nodes_of((*args, *kwargs.values()))
            shaped = function in SHAPED_LIKE or (function in SHAPED_AS and node_of(args[0]) is None)
            if nodes and not shaped and is_floating(changed):
                self.follow(Call(function, args, kwargs, nodes), changed)
        return result

    def add(self, value: Tensor, step: Step, *inputs: Node, alone: bool = False, sums: Sums | None = None) -> Node:
        """Keeps how the streams of a tensor come about, and those of sums over its tokens."""
        alone = alone and value.ndim == 3 and all(given.alone for given in inputs)
        node = self.new(step, inputs, alone, sums if value.ndim == 3 else None)
        setattr(value, NAME, node)
        return node

    def new(self, step: Step, inputs: tuple[Node, ...], alone: bool = False, sums: Sums | None = None) -> Node:
        """The next node of the recording."""
        self.recorded += 1
        return Node(step, inputs, self.recorded, alone, sums)

    def lookup(self, value: Tensor, weight: Tensor) -> Tensor:
        """An embedding lookup as a source; a table of distances stays a constant."""
        kind = self.kinds.get(weight.data_ptr(), "positions")
        if kind != "distances":
            self.source(value, kind)
        return value

    def source(self, value: Tensor, kind: str) -> None:
        """Makes a tensor `(text token dim)` a source."""
        kept = value.detach()
        if kind == "tokens" and value.ndim != 3:
            self.refuse("embedding of texts without padding between them")
        self.add(value, lambda rows: rows.sourced(kept, kind), alone=True)

    def refuse(self, name: str) -> NoReturn:
        """Raises PropagationError for an operation that no rule follows forward."""
        raise PropagationError(
            f"propagate relevance forward under {self.composite.name}",
            f"in {self.part} the operation {name}, which has no forward rule",
            "use the backward direction (composite and model permitting)",
        )

    def follow(self, call: Call, result: Any) -> None:
        """Records the streams of a function's result by its rule; what the rules take as a constant has none."""
        function = call.function
        if function in operations.STATISTICS or (function in operations.SOFTMAXES and self.composite.attention == "constant"):
            return
        if function in EXTREMA:
            self.extremum(call, result)
        elif function in operations.LINEAR:
            self.linear(call, result)
        elif function in operations.LINEAR_LAYERS:
            given = call.given("input", "weight", "bias")
            sums = pooling.OfLayer(given["weight"], given.get("bias"), call.nodes[0])
            self.add(result, steps.linear(given["weight"], given.get("bias")), *call.nodes, alone=True, sums=sums)
        elif function in operations.ADDMMS and not call.kwargs:
            self.add(result, steps.linear(call.args[2], call.args[0], transposed=True), *call.nodes)
        elif function in ADDITIONS:
            self.addition(call, result)
        elif function in operations.PRODUCTS or (function in operations.DIVISIONS and node_of(call.args[1]) is None):
            self.product(call, result)
        elif function in operations.DROPOUTS:
            setattr(result, NAME, call.nodes[0])
        elif function in operations.ATTENTIONS:
            self.attention(call, result)
        elif not isinstance(result, Tensor) or not self.scaled(call, result):
            self.refuse(call.name)

    def linear(self, call: Call, result: Any) -> None:
        """A function that is linear in streams, or puts constants among them; each of several results has its node."""
        if call.function in UNCHANGED and result.dtype == call.args[0].dtype:
            setattr(result, NAME, call.nodes[0])
            return
        if (weights := pooling.weights_of(call)) is not None:
            setattr(result, NAME, pooling.record(call, result, weights, self.new))
            return
        named = {name: placed(value) for name, value in call.kwargs.items()}
        step = steps.shaped(call.function, call.args, call.kwargs) or steps.rowwise(call.function, placed(call.args), named)
        if isinstance(result, Tensor):
            if call.function in INSERTING and bool((inserted := steps.at_zero(call.function, call.args, call.kwargs)).any()):
                step = steps.inserting(step, inserted)
            self.add(result, step, *call.nodes, alone=call.function in ELEMENTWISE)
            return
        several = self.add(call.args[0].detach(), step, *call.nodes)
        for place, part in enumerate(result):
            self.add(part, steps.picked(place), several)

    def addition(self, call: Call, result: Tensor) -> None:
        """A sum or difference; a constant goes to the row of constants."""
        left, right = call.args
        weight = float(call.kwargs.get("alpha", 1)) * (-1.0 if call.function in SUBTRACTIONS else 1.0)
        weights = (-1.0, 1.0) if call.function in operations.REVERSED_SUBTRACTIONS else (1.0, weight)
        sums = None
        if len(call.nodes) == 2:
            step = steps.addition(result.ndim, weights)
            sums = pooling.addition(weights, *call.nodes) if left.shape == right.shape else None
        elif node_of(left) is not None:
            step = steps.constant_addition(result.shape, weights[0], right * weights[1])
        else:
            step = steps.constant_addition(result.shape, weights[1], left * weights[0])
        self.add(result, step, *call.nodes, alone=True, sums=sums)

    def product(self, call: Call, result: Tensor) -> None:
        """A product; of two factors with streams each takes half."""
        args, nodes = call.args, call.nodes
        streamed = [place for place, value in enumerate(args) if node_of(value) is not None]
        if len(streamed) != len(nodes):
            self.refuse(call.name)
        gates = [place for place in streamed if self.composite.product == "signal" and is_marked(args[place], NEURONS)]
        followed = [place for place in streamed if place not in gates] if len(gates) == len(streamed) - 1 else streamed
        terms = [
            steps.rowwise(
                call.function, [steps.PLACE if at == place else value for at, value in enumerate(args)], call.kwargs, 1 / len(followed)
            )
            for place in followed
        ]
        inputs = nodes_of([args[place] for place in followed])
        alone = len(streamed) == 1 and call.function in ELEMENTWISE
        self.add(result, steps.total(terms), *inputs, alone=alone, sums=pooling.product(call, result))

    def scaled(self, call: Call, result: Tensor) -> bool:
        """A function whose scale or ratio the whole text gives; False for any other."""
        if call.function in operations.LAYER_NORMS:
            given = call.given("input", "normalized_shape", "weight", "bias", "eps")
            shape, weight = list(given["normalized_shape"]), given.get("weight")
            scale = torch.native_layer_norm(given["input"], shape, None, None, given.get("eps", 1e-5))[2]  # 1/std
            step = steps.norm(scale if weight is None else scale * weight, given.get("bias"), tuple(range(-len(shape), 0)))
            sums = pooling.norm(scale, weight, given.get("bias"), call.nodes[0]) if len(shape) == 1 else None
            self.add(result, step, *call.nodes, alone=len(shape) == 1, sums=sums)
        elif call.function in operations.NORMALIZE:
            given = call.given("input", "p", "dim", "eps")
            norm = torch.linalg.vector_norm(given["input"], given.get("p", 2.0), given.get("dim", 1), keepdim=True)
            self.add(result, steps.scaled(norm.clamp_min(given.get("eps", 1e-12)).reciprocal()), *call.nodes)
        elif call.function in activation.RATIOS:
            options = {name: value for name, value in call.kwargs.items() if name not in ("input", "inplace")}
            x = call.given("input")["input"]
            self.activated(x, activation.RATIOS[call.function](x, result, **options), result)
        elif call.function in operations.SOFTMAXES:
            given = call.given("input", "dim")
            dim = given["dim"] if given["dim"] < 0 else given["dim"] - result.ndim
            self.add(result, steps.tangent(result, given["input"], dim), *call.nodes)
        else:
            return False
        return True

    def activated(self, x: Tensor, ratio: Tensor, result: Tensor) -> None:
        """An activation: every stream times f(x)/x of the whole text."""
        nodes = nodes_of([x])
        self.add(mark(result, NEURONS), steps.scaled(ratio), *nodes, sums=pooling.scaled(ratio, nodes[0]))

    def attention(self, call: Call, result: Tensor) -> None:
        """`scaled_dot_product_attention` from its parts."""
        given = call.given("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
        query, key, value, mask = given["query"], given["key"], given["value"], given.get("attn_mask")
        nodes = nodes_of([query, key, value])
        times = query.shape[1] // key.shape[1] if given.get("enable_gqa") else 1
        key, value = (x.repeat_interleave(times, 1) for x in (key, value))
        scale = query.shape[-1] ** -0.5 if given.get("scale") is None else given["scale"]
        if given.get("is_causal"):
            mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).tril()
        if mask is not None and mask.dtype == torch.bool:
            mask = torch.zeros(mask.shape, dtype=query.dtype, device=mask.device).masked_fill_(~mask, float("-inf"))
        scores = (query @ key.mT) * scale
        scores = scores if mask is None else scores + mask
        weights = torch.softmax(scores, -1).nan_to_num_(0.0)  # a place that sees nothing
        if self.composite.attention == "constant":
            self.add(result, steps.weighted(weights, times), nodes[-1])
            return
        raw = self.add(scores, steps.products(query, key, scale, mask, times), *nodes[:2])
        moved = self.add(weights, steps.tangent(weights, scores, -1), raw)
        self.add(result, steps.halves(weights, value, times), moved, nodes[2])

    def extremum(self, call: Call, result: Any) -> None:
        """The entries at which the whole text is largest or smallest."""
        given = call.given("input", "dim", "keepdim")
        x, dim = given["input"], given.get("dim")
        if not isinstance(dim, int) or call.function in SORTED:
            self.refuse(call.name)
        places = x.argmin(dim, keepdim=True) if call.function in LEAST else x.argmax(dim, keepdim=True)
        value = result if isinstance(result, Tensor) else result[0]
        self.add(value, steps.gathered(dim if dim < 0 else dim - x.ndim, places, bool(given.get("keepdim"))), *call.nodes)


@contextmanager
def streams(module: nn.Module, composite: Composite, source: str = "words") -> Iterator[Streams]:
    """Records what is run inside the context. Sources are words, or `embeddings`: what enters the first block of layers.

    Raises PropagationError for a composite without forward rules, or an operation without one.
    """
    refuse_unfit(module)
    if unfit := [field for field, known in FOLLOWED.items() if getattr(composite, field) not in known]:
        found = f"its rule for {', '.join(unfit)} weights contributions by their values"
        raise PropagationError(f"propagate {composite.name} forward", found, "use attnlrp, cplrp, bilrp or lrp0")
    mode = Streams(module, composite)
    if "tokens" not in mode.kinds.values():
        found = f"no table of word embeddings in {type(module).__name__} ({', '.join(type(part).__name__ for part in module.children())})"
        raise PropagationError("propagate relevance forward", found, "use a transformer, whose get_input_embeddings names its words")
    with hooked(module, mode, source), torch.no_grad(), mode:
        yield mode
