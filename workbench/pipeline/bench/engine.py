"""All measures of the engine, in the order of their tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import torch

from workbench.errors import PipelineError
from workbench.pipeline.bench.cost import cost
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.lengths import mixed_lengths
from workbench.pipeline.bench.memory import checkpointing, growth, memory
from workbench.pipeline.bench.rivals import against_captum
from workbench.pipeline.bench.shapes import Shape

#: The shape of the smallest released T5; the shapes of `cost` are narrower, where everything but products weighs more.
RELEASED = (Shape("T5", 6, 512),)
#: For a GPU: batches that fill it, and one text of 8,192 tokens.
WIDE = Shape("Llama", 8, 1024)
BASE = Shape("XLM-R", 12, 768)
LONG = Shape("Llama", 8, 1024, 8192)


def on_cpu(repetitions: int) -> Mapping[str, Callable[[], Iterator[Finding]]]:
    """The measures of one CPU thread, by name."""
    few = max(1, repetitions // 3)
    return {
        "cost": partial(cost, repetitions=2 * repetitions + 1),
        "released": partial(cost, RELEASED, ("attnlrp.v1",), repetitions=repetitions),
        "memory": memory,
        "checkpoint": partial(checkpointing, repetitions=few),
        "lengths": partial(mixed_lengths, repetitions=few),
        "captum": partial(against_captum, repetitions=few),
        "long": growth,
    }


def on_gpu(repetitions: int, device: str) -> Mapping[str, Callable[[], Iterator[Finding]]]:
    """The measures of a GPU, by name: bfloat16, tokens a second with the floor beside it."""
    half = partial(cost, composites=("attnlrp.v1", "cplrp.v1"), repetitions=repetitions, device=device, dtype=torch.bfloat16)
    return {"cost": partial(half, (WIDE, BASE), batch=32, length=256), "long": partial(half, (LONG,), batch=1, length=8192)}


def engine(parts: Sequence[str] = (), *, repetitions: int = 9, device: str = "cpu") -> Iterator[Finding]:
    """The findings of the named parts, of all without a name, as they come.

    Raises PipelineError for an unknown part or a device that is not there.
    """
    if device != "cpu" and not (device.startswith("cuda") and torch.cuda.is_available()):
        raise PipelineError(f"measure on {device!r}", "no such device here", "use cpu, or cuda where torch finds a GPU")
    torch.set_num_threads(1)
    known = on_cpu(repetitions) if device == "cpu" else on_gpu(repetitions, device)
    if unknown := [part for part in parts if part not in known]:
        raise PipelineError(f"measure {', '.join(unknown)}", f"parts {', '.join(known)}", "choose among these")
    for part in parts or known:
        yield from known[part]()
