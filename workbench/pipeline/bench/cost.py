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
    """Time of a batch under each composite over that of the plain passes, medians of paired runs.

    The plain passes over themselves, which should be 1, tell how far to trust the others.
    """
    for shape in shapes:
        module = shape.build(device, dtype)
        given = inputs(module, batch, length)
        things: dict[str, Work] = {FLOOR: partial(forward, module, given), REFERENCE: partial(backward, module, given)}
        things[SOURCES] = partial(backward, module, given, everything=True)
        things |= {name: partial(explained, module, given, name) for name in composites}
        tokens = sum(value.numel() for name, value in given.items() if name.endswith("input_ids"))
        floor = 1.0
        for name, thing in things.items():
            # two at a time: the weather changes less within a pair than within a round of all
            seconds, plain = runs({"own": thing, "plain": things[REFERENCE]}, repetitions, device).values()
            own, over = statistics.median(seconds), ratio(seconds, plain)
            floor = over if name == FLOOR else floor
            yield Finding(
                f"cost, {batch} texts of {length} tokens", shape.name, name, "over f+b", over,
                bar if name in composites and name != PLAIN else None,
                beside={"ms": 1000 * own, "tokens/s": tokens / own, "over forward": over / floor},
            )  # fmt: skip
