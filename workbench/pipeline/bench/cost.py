"""What an explanation costs over a plain forward and backward pass, with the floor beside it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from functools import partial

import torch

from workbench.pipeline.bench.clock import Work, ratio, runs
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.passes import backward, explained, forward
from workbench.pipeline.bench.shapes import Shape, inputs

SHAPES = (Shape("BERT", 6, 384), Shape("Llama", 6, 256), Shape("T5", 6, 256))
#: The plain derivative, whose ledger books what every non-linear part does not conserve: shown beside the rules, without a bar.
PLAIN = "gradient_x_input.v1"
COMPOSITES = ("attnlrp.v1", "cplrp.v1", "palrp.v1", "relp.v1", PLAIN)
FLOOR, REFERENCE = "forward (the floor)", "forward+backward"
#: The plain derivative at everything that an explanation reads: on a CPU, biases on scores cost the fused kernel.
SOURCES = "forward+backward, to positions too"
BAR = 1.10


def cost(
    shapes: Sequence[Shape] = SHAPES,
    composites: Sequence[str] = COMPOSITES,
    *,
    batch: int = 4,
    length: int = 128,
    repetitions: int = 9,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    bar: float | None = BAR,
) -> Iterator[Finding]:
    """Time of a batch under each composite over that of the plain passes, medians of paired runs."""
    for shape in shapes:
        module = shape.build(device, dtype)
        given = inputs(module, batch, length)
        things: dict[str, Work] = {FLOOR: partial(forward, module, given), REFERENCE: partial(backward, module, given)}
        things[SOURCES] = partial(backward, module, given, everything=True)
        things |= {name: partial(explained, module, given, name) for name in composites}
        taken = runs(things, repetitions, device)
        tokens = sum(value.numel() for name, value in given.items() if name.endswith("input_ids"))
        for name, seconds in taken.items():
            own = statistics.median(seconds)
            beside = {"ms": 1000 * own, "tokens/s": tokens / own, "over forward": ratio(seconds, taken[FLOOR])}
            yield Finding(
                f"cost, {batch} texts of {length} tokens", shape.name, name, "over f+b", ratio(seconds, taken[REFERENCE]),
                bar if name in composites and name != PLAIN else None, beside=beside,
            )  # fmt: skip
