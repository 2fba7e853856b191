"""Memory of an explanation over a plain forward and backward pass: activations kept for the backward pass, and the peak of all tensors."""

from __future__ import annotations

import statistics
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from workbench.pipeline.bench.clock import ratio, runs
from workbench.pipeline.bench.cost import PLAIN, SHAPES
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.passes import backward, explained, scored, traced
from workbench.pipeline.bench.shapes import Shape, inputs
from workbench.pipeline.memory import peak

COMPOSITES = ("attnlrp.v1", "cplrp.v1", PLAIN)
DEEP = (Shape("BERT", 12, 384), Shape("Llama", 12, 256))
MIB = 2**20
BAR, LESS = 1.15, 8.0


@dataclass(eq=False)
class Kept:
    """A tensor as a node of a graph keeps it: gone when the node is."""

    tensor: Tensor


def saved(module: nn.Module, work: Callable[[], Any]) -> int:
    """Bytes of the distinct storages that the graph of a forward pass keeps for its backward pass, parameters and buffers left out."""
    alive: weakref.WeakSet[Kept] = weakref.WeakSet()

    def keep(value: Tensor) -> Kept:
        kept = Kept(value.detach())  # a result holds its node, which holds this
        alive.add(kept)
        return kept

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept.tensor):
        result = work()
    own = {value.untyped_storage().data_ptr() for value in (*module.parameters(), *module.buffers())}
    sizes = {kept.tensor.untyped_storage().data_ptr(): kept.tensor.untyped_storage().nbytes() for kept in alive}
    del result
    return sum(size for address, size in sizes.items() if address not in own)


def memory(
    shapes: Sequence[Shape] = SHAPES, composites: Sequence[str] = COMPOSITES, *, batch: int = 4, length: int = 128
) -> Iterator[Finding]:
    """Saved activations and peak of each composite over those of the plain pass."""
    for shape in shapes:
        module = shape.build()
        given = inputs(module, batch, length)
        plain, most = saved(module, partial(scored, module, given)), peak(module, partial(backward, module, given))
        part = f"memory, {batch} texts of {length} tokens"
        for name in composites:
            own = saved(module, partial(traced, module, given, name))
            highest = peak(module, partial(explained, module, given, name))
            for what, value, reference in (("saved activations", own, plain), ("peak of all tensors", highest, most)):
                beside = {"MiB": value / MIB, "plain MiB": reference / MIB}
                yield Finding(
                    part, shape.name, f"{name}: {what}", "over f+b", value / reference, None if name == PLAIN else BAR, beside=beside
                )


def checkpointing(
    shapes: Sequence[Shape] = DEEP, *, composite: str = "attnlrp.v1", batch: int = 4, length: int = 128, repetitions: int = 5
) -> Iterator[Finding]:
    """How many times less activation memory is kept where layers are computed again in the backward pass, and what that costs."""
    for shape in shapes:
        module = shape.build()
        given = inputs(module, batch, length)
        plain = saved(module, partial(scored, module, given))
        kept, less = (saved(module, partial(traced, module, given, composite, checkpoint=again)) for again in (False, True))
        ways = {str(again): partial(explained, module, given, composite, checkpoint=again) for again in (False, True)}
        most, lower = (peak(module, way) for way in ways.values())
        taken = runs(ways | {"plain": partial(backward, module, given)}, repetitions)
        part = f"checkpointing, {batch} texts of {length} tokens, {composite}"
        time = {"time/f+b": ratio(taken["True"], taken["plain"])}
        time["ms"] = 1000 * statistics.median(taken["True"])
        for what, size, bar in (("saved, beside a plain pass", plain, LESS), ("saved, beside itself without", kept, None)):
            beside = {"MiB": less / MIB, "without MiB": size / MIB, **time}
            yield Finding(part, shape.name, what, "times less", size / less, bar, least=True, beside=beside)
        yield Finding(
            part, shape.name, "peak of all tensors", "times less", most / lower,
            beside={"MiB": lower / MIB, "without MiB": most / MIB, **time},
        )  # fmt: skip


def growth(
    shapes: Sequence[Shape] = (Shape("Llama", 6, 256, 2048), Shape("BERT", 6, 384, 2048)),
    lengths: Sequence[int] = (512, 1024, 2048),
    *,
    composite: str = "attnlrp.v1",
) -> Iterator[Finding]:
    """Memory of one text at growing lengths: a doubled length at most doubles it where no attention matrix is kept or made."""
    for shape in shapes:
        module = shape.build()
        before: dict[str, int] = {}
        for length in lengths:
            given = inputs(module, 1, length)
            sizes = {"saved": saved(module, partial(traced, module, given, composite))}
            sizes["peak"] = peak(module, partial(explained, module, given, composite))
            plain = {"saved": saved(module, partial(scored, module, given)), "peak": peak(module, partial(backward, module, given))}
            for kind, size in sizes.items():
                beside = {"MiB": size / MIB, "plain MiB": plain[kind] / MIB, "KiB/token": size / 1024 / length}
                grown, doubled = (size / before[kind], 2.1) if kind in before else (1.0, None)
                yield Finding(
                    "long texts, one at a time", shape.name, f"{length} tokens, {kind}", "over half", grown, doubled, beside=beside
                )
            before = sizes
