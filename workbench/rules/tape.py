"""Tapes: how the streams of every tensor of a pass come from those of others, recorded once and played for any parts of the texts.

Under constant shares a network is affine: what a part of a text contributes goes through the same linear operations as the text itself. A
recorded pass keeps these operations and their constants; playing them needs neither the model nor a derivative. Only what the embedding
depends on is played: no queries and keys where attention weights are constants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.rules.layout import TOGETHER, Layout, Rows

#: The attribute by which a tensor of a recorded pass knows its node.
NAME = "_workbench_node"
#: From the streams of its inputs to its own: `(row ...)` each, a list where the function returns several tensors.
Step = Callable[..., Any]
#: From weights `(text token)` and a maker of nodes to the node of a sum.
Sums = Callable[[Tensor, Callable[..., Any]], Any]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    """A step and the nodes it starts from; `order` is when it was recorded, `alone` that no token has met another yet.

    `sums` makes a weighted sum over its tokens from sums over those of its inputs, None where it cannot (see `pooling`).
    """

    step: Step
    inputs: tuple[Node, ...]
    order: int
    alone: bool = False
    sums: Sums | None = None


def node_of(value: object) -> Node | None:
    """How the streams of a tensor come about, None for what depends on no word."""
    return getattr(value, NAME, None) if isinstance(value, Tensor) else None


def nodes_of(values: Iterable[Any]) -> list[Node]:
    """The nodes of all tensors among arguments, in order."""
    found = []
    for value in values:
        if isinstance(value, Tensor):
            node = getattr(value, NAME, None)
            if node is not None:
                found.append(node)
        elif isinstance(value, (list, tuple)):
            found += nodes_of(value)
    return found


def needed(output: Node) -> list[Node]:
    """All nodes that an output depends on, in the order in which they were recorded."""
    found, waiting = {output}, [output]
    while waiting:
        fresh = set(waiting.pop().inputs) - found
        found.update(fresh)
        waiting += fresh
    return sorted(found, key=lambda node: node.order)


def play(output: Node, layout: Layout, room: int, dtype: torch.dtype | None = None) -> Float[Tensor, "row ..."]:
    """The streams of an output in the order of the layout, at most `room` at a time; in `dtype` instead of the model's own.

    What happens before tokens meet each other is done for all of them in one row: no two parts have a token in common.
    """
    order = needed(output)
    first, then = ([node for node in order if node.alone is alone] for alone in (True, False))
    kept = {given for inputs in ((output,), *(node.inputs for node in then)) for given in inputs if given.alone}
    with torch.no_grad():
        begun = evaluate(first, replace(TOGETHER, dtype=dtype), {}, kept)
        return torch.cat([evaluate(then, rows, Beginnings(begun, rows), {output})[output] for rows in layout.chunks(room, dtype)])


class Beginnings(dict[Node, Tensor]):
    """Values of nodes, which are taken apart into streams where they come from before tokens met."""

    def __init__(self, begun: dict[Node, Tensor], rows: Rows) -> None:
        super().__init__()
        self.begun = begun
        self.rows = rows

    def __missing__(self, node: Node) -> Tensor:
        self[node] = self.rows.apart(self.begun[node])
        return self[node]


def evaluate(nodes: Sequence[Node], rows: Rows, values: dict[Node, Tensor], kept: Iterable[Node]) -> dict[Node, Tensor]:
    """Streams of the nodes to be kept; all others are let go after their last use."""
    uses = Counter(given for node in nodes for given in node.inputs) + Counter(kept)
    for node in nodes:
        values[node] = node.step(rows, *(values[given] for given in node.inputs))
        for given in node.inputs:
            uses[given] -= 1
            if not uses[given]:
                values.pop(given, None)
    return values
