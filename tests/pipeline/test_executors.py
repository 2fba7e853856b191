"""Who does the work makes no difference; lost processes are replaced, and the one document that kills them is a failure."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, ClassVar

import pytest

from tests.pipeline.conftest import Bench
from workbench.document import Document
from workbench.errors import ModelError, PipelineError
from workbench.pipeline import executors
from workbench.pipeline.executors import CHARACTERS, JOBS, InProcess, Processes, blocks, local
from workbench.pipeline.frames import Rows
from workbench.pipeline.plan import Wanted
from workbench.pipeline.run import run
from workbench.pipeline.tally import Result, Tally


def wanted(name: str, characters: int = 10) -> Wanted:
    return Wanted(Document(corpus="c", identifier=name, segments={"text": "x" * characters}), "text", name)


def test_blocks_are_worth_a_transaction_and_enough_for_every_worker() -> None:
    jobs = [(wanted(str(number)),) for number in range(100)]
    assert [len(block) for block in blocks(jobs, 1)] == [JOBS] * 12 + [4]
    assert max(len(block) for block in blocks(jobs, 10)) == 2
    assert [len(block) for block in blocks(jobs[:3], 2)] == [1, 1, 1]
    assert [job for block in blocks(jobs, 2) for job in block] == jobs
    long = [(wanted(str(number), CHARACTERS // 2 + 1),) for number in range(40)]
    assert {len(block) for block in blocks(long, 1)} == {1}
    assert blocks([], 2) == []


def test_one_worker_is_this_process() -> None:
    assert isinstance(local(1), InProcess)
    assert isinstance(local(2), Processes)


class Pool:
    """A pool whose processes are killed by some documents, by any on the first tries, or before they begin."""

    deadly: ClassVar[set[str]] = set()
    losses = 0
    loads = True
    begun = 0

    def __init__(self, workers: int, *_: Any) -> None:
        Pool.begun += 1
        self.broken = False

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: Any) -> None: ...

    def shutdown(self, **_: Any) -> None: ...

    def submit(self, function: Any, *given: Any) -> Future[Any]:
        future: Future[Any] = Future()
        items = [item.document.identifier for job in given[0] for item in job] if given else []
        if items and Pool.losses:
            Pool.losses -= 1
            self.broken = True
        self.broken = self.broken or bool(Pool.deadly & set(items)) or not Pool.loads
        if self.broken:
            future.set_exception(BrokenProcessPool())
        else:
            future.set_result(Result(len(items), Rows().batch(), Tally(len(items), 0, 0, 0)) if items else None)
        return future


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> type[Pool]:
    monkeypatch.setattr(executors, "ProcessPoolExecutor", Pool)
    Pool.deadly, Pool.losses, Pool.loads, Pool.begun = set(), 0, True, 0
    return Pool


class Idle:
    pipeline: Any = type("Declared", (), {"name": "idle", "similarity": None})()


def test_lost_processes_are_replaced_and_their_blocks_done_again(pool: type[Pool]) -> None:
    pool.losses = 1
    todo = [[(wanted(str(number)),)] for number in range(6)]
    results = list(Processes(2).results(todo, Idle()))  # type: ignore[arg-type]
    assert [result.wanted for result in results] == [1] * 6
    assert pool.begun == 2


def test_the_document_that_kills_is_found_and_recorded(pool: type[Pool]) -> None:
    pool.deadly = {"5"}
    todo = [[tuple(wanted(str(number)) for number in range(start, start + 4))] for start in range(0, 12, 4)]
    results = list(Processes(2).results(todo, Idle()))  # type: ignore[arg-type]
    assert sum(result.wanted for result in results) == 12
    assert sum(result.tally.explained for result in results) == 11
    (failed,) = [result for result in results if result.tally.failed]
    row = failed.batch.batch["failure"] if hasattr(failed.batch, "batch") else failed.batch["failure"]
    assert (row["identifier"][0], row["retryable"][0]) == ("5", True)
    assert "killed" in row["error"][0]


def test_processes_that_die_while_loading_end_the_run(pool: type[Pool]) -> None:
    pool.loads = False
    with pytest.raises(PipelineError, match="while it loads"):
        list(Processes(2).results([[(wanted("a"),)], [(wanted("b"),)]], Idle()))  # type: ignore[arg-type]


def test_what_prevents_loading_is_said(bench: Bench) -> None:
    model = bench.pipeline.model.model_copy(update={"name": str(bench.folder / "no" / "model")})
    executors.start(bench.pipeline.model_copy(update={"model": model}), {})
    try:
        with pytest.raises(ModelError, match="no such folder"):
            executors.call([])
    finally:
        executors._refused.clear()


def test_a_killed_process_does_not_end_a_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real one: the first process is killed when the first result arrives."""
    killed: list[int] = []
    begin = executors.pool

    def watched(workers: int, pipeline: Any) -> ProcessPoolExecutor:
        found = begin(workers, pipeline)
        submit = found.submit

        def first(*given: Any) -> Any:
            future = submit(*given)
            if not killed:
                killed.extend(list(found._processes)[:1])
                os.kill(killed[0], signal.SIGKILL)
            return future

        monkeypatch.setattr(found, "submit", first)
        return found

    monkeypatch.setattr(executors, "pool", watched)
    summary = run(bench.pipeline, bench.folder / "s.duckdb", executor=local(2))
    assert killed
    assert (summary.explained, summary.failed) == (30, 0)
