"""Texts of mixed lengths: batches of about one length against one text at a time.

What batches can gain is what a pass costs that does not grow with its tokens; the same ratio of plain passes stands beside it.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from functools import partial

from torch import nn

from workbench.attribution.inputs import batches, encoded
from workbench.attribution.trace import explain
from workbench.encoding import Encoding
from workbench.pipeline.bench.clock import Work, ratio, runs
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.passes import backward
from workbench.pipeline.bench.shapes import Shape, texts

SHAPES = (Shape("BERT", 2, 32), Shape("BERT", 2, 64), Shape("BERT", 4, 128), Shape("BERT", 6, 384))
BAR = 5.0


def mixed_lengths(
    shapes: Sequence[Shape] = SHAPES,
    *,
    count: int = 128,
    shortest: int = 5,
    longest: int = 120,
    sizes: Sequence[int] = (32, 8),
    composite: str = "attnlrp.v1",
    repetitions: int = 3,
) -> Iterator[Finding]:
    """Throughput of `explain(..., padded=size)` over that of one text at a time; the first size has the bar."""
    encodings = texts(count, shortest, longest)
    for shape in shapes:
        module = shape.build()
        things: dict[str, Work] = {}
        for size in (1, *sizes):
            things[f"explained {size}"] = partial(explain, module, encodings, composite, padded=size)
            things[f"plain {size}"] = partial(plain, module, encodings, size)
        taken = runs(things, repetitions)
        for size in sizes:
            own = taken[f"explained {size}"]
            beside = {
                "alone, ms/text": 1000 * statistics.median(taken["explained 1"]) / count,
                "ms/text": 1000 * statistics.median(own) / count,
                "padding": padding(encodings, size),
                "plain f+b": ratio(taken["plain 1"], taken[f"plain {size}"]),
            }
            part = f"mixed lengths, {count} texts of {shortest} to {longest} tokens, {composite}"
            yield Finding(
                part, shape.name, f"by {size}", "times faster", ratio(taken["explained 1"], own),
                BAR if size == sizes[0] else None, least=True, beside=beside,
            )  # fmt: skip


def plain(module: nn.Module, encodings: Sequence[Encoding], size: int) -> None:
    """Plain forward and backward passes over the same batches."""
    for places in batches(encodings, size):
        backward(module, encoded(module, [encodings[place] for place in places]))


def padding(encodings: Sequence[Encoding], size: int) -> float:
    """Padding over tokens in batches of a size."""
    cells = sum(len(places) * max(len(encodings[place]) for place in places) for places in batches(encodings, size))
    return cells / sum(map(len, encodings)) - 1
