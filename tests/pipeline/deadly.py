"""Work that kills its own process: at some documents always, at others once, or before it has begun."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.pipeline.tally import Result, Tally
from workbench.pipeline.work import Block, Do
from workbench.pipeline.worker import Told
from workbench.store.prepared import Prepared


def die() -> None:
    """What the operating system does when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Deadly:
    """Stands in for `Work`; documents named `once` kill a process the first time, of which a file in `folder` tells."""

    pipeline: Any
    folder: Path
    always: frozenset[str] = frozenset()
    once: frozenset[str] = frozenset()
    loads: bool = True

    def begin(self) -> Do:
        """Begins, or dies."""
        if not self.loads:
            die()
        return self.do

    def do(self, block: Block, told: Told) -> Result:
        """Counts the documents of a block."""
        names = {item.document.identifier for job in block.jobs for item in job}
        for name in names & self.once:
            if not (self.folder / name).exists():
                (self.folder / name).touch()
                die()
        if names & self.always:
            die()
        if "faulty" in names:
            raise ValueError("a defect")
        told(0.5)
        return Result(block.wanted, Prepared({}, "", 0), Tally(block.wanted, 0, 0, 0))
