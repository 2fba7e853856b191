"""A neighbour to measure beside: inseq (Sarti et al. 2023, arXiv 2302.13942), in a process and an environment of its own.

It explains Marian models through `inputs_embeds`, which the encoder takes as scaled and the decoder scales again: with scaled embeddings it
explains another function. What that costs is the same.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.errors import InputError

SIDE = Path(__file__).with_name("neighbour_side.py")
REMEDY = "make an environment of its own: python -m venv beside && beside/bin/pip install inseq; then name beside/bin/python"


class Inseq:
    """A running process with a loaded model; it is asked one question at a time."""

    def __init__(self, process: subprocess.Popen[str], asked: str) -> None:
        self._process = process
        self._asked = asked
        self.versions = self._answer()

    def seconds(self, method: str, sources: Sequence[str], targets: Sequence[str], batch: int = 1, **options: Any) -> float:
        """CPU seconds that the attribution of given translations took. Raises InputError where it ended with an error."""
        question = {"method": method, "sources": list(sources), "targets": list(targets), "batch": batch, "options": options}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return float(self._answer()["seconds"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            said = self._process.stderr.read().strip().splitlines() or ["nothing"]
            raise InputError(self._asked, said[-1], REMEDY)
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def running(interpreter: str, model: str) -> Iterator[Inseq]:
    """Inseq with a model in a folder, run by the interpreter of its environment. Raises InputError where it cannot be started."""
    asked = f"measure inseq by {interpreter}"
    try:
        process = subprocess.Popen(
            [interpreter, "-I", str(SIDE), model], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    except OSError as error:
        raise InputError(asked, str(error), REMEDY) from error
    with process:
        try:
            yield Inseq(process, asked)
        finally:
            process.kill()
