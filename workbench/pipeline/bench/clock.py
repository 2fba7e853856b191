"""Time of pieces of work, measured in turns so that all meet the same weather.

On a CPU the time of this process on it counts, which hardly depends on what else runs; on a GPU the time until it has finished.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch

Work: TypeAlias = Callable[[], Any]


def clock(device: str = "cpu") -> float:
    """Seconds of CPU time of this process, or on a GPU of time since some moment, once all work handed to it is done."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.perf_counter()


def runs(things: Mapping[str, Work], repetitions: int, device: str = "cpu") -> dict[str, list[float]]:
    """Seconds of every run of each, in rounds of changing order, each after a run of the same that does not count.

    Who works through a corpus does the same again and again, in memory that the last time has warmed. Timed after something else, a piece
    of work pays for the memory that the other has given back: a tenth more or less, by who comes before whom.
    """
    taken: dict[str, list[float]] = {name: [] for name in things}
    order = random.Random(0)
    for _ in range(repetitions):
        for name, thing in order.sample(list(things.items()), len(things)):
            thing()
            start = clock(device)
            thing()
            taken[name].append(clock(device) - start)
    return taken


def paired(things: Mapping[str, Work], repetitions: int) -> dict[str, float]:
    """Median CPU seconds of each, measured in turns."""
    return {name: statistics.median(seconds) for name, seconds in runs(things, repetitions).items()}


def ratio(seconds: Sequence[float], reference: Sequence[float]) -> float:
    """Median over the rounds of one time by the other of the same round."""
    return statistics.median(own / other for own, other in zip(seconds, reference, strict=True))
