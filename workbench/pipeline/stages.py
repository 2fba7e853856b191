"""How long each stage of a run took, by what progress is told anyway."""

from __future__ import annotations

import time
from collections.abc import Callable

from workbench.pipeline.worker import Progress


class Stages:
    """Hands progress on, and books the time between the first word of a stage and that of the next to that stage."""

    def __init__(self, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds: dict[str, float] = {}
        self._progress, self._clock = progress, clock
        self._stage, self._since = "", clock()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Hears where the work is."""
        if stage != self._stage:
            self._book()
            self._stage = stage
        self._progress(stage, done, total)

    def end(self) -> None:
        """Books the last stage."""
        self._book()
        self._stage = ""

    def _book(self) -> None:
        now = self._clock()
        if self._stage:
            self.seconds[self._stage] = round(self.seconds.get(self._stage, 0.0) + now - self._since, 3)
        self._since = now
