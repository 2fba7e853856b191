"""Who does the work makes no difference; lost processes are replaced, and the one document that kills them is a failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.conftest import Bench
from tests.pipeline.deadly import Deadly
from workbench.batch import Batch
from workbench.document import Document
from workbench.errors import ModelError, PipelineError
from workbench.pipeline import lanes
from workbench.pipeline.executors import InProcess, Processes, local
from workbench.pipeline.plan import Wanted
from workbench.pipeline.tally import Result
from workbench.pipeline.work import CHARACTERS, JOBS, Block, Work, blocks


def wanted(name: str, characters: int = 10) -> Wanted:
    return Wanted(Document(corpus="c", identifier=name, segments={"text": "x" * characters}), "text", name)


def numbered(count: int, size: int = 1) -> list[Block]:
    jobs = [tuple(wanted(str(number)) for number in range(start, start + size)) for start in range(0, count * size, size)]
    return [Block((job,), first=place * size) for place, job in enumerate(jobs)]


class Idle:
    """A worker that is never asked."""

    fingerprint = ""
    pipeline: Any = type("Declared", (), {"name": "idle", "similarity": None, "translation": None})


@pytest.fixture
def through(tmp_path: Path, bench: Bench) -> Any:
    """Results of blocks by two processes that do other work than the pipeline's."""

    def results(todo: list[Block], heard: list[float] | None = None, **options: Any) -> list[Result]:
        deadly: Any = Deadly(bench.pipeline, tmp_path, **options)
        return list(Processes(2).results(todo, Idle(), (heard if heard is not None else []).append, deadly))  # type: ignore[arg-type]

    return results


def test_blocks_are_worth_a_transaction_and_enough_for_every_worker() -> None:
    """The longest texts, which stand last in a plan, come first."""
    jobs = [(wanted(str(number)),) for number in range(100)]
    assert [len(block.jobs) for block in blocks(jobs, 1)] == [JOBS] * 12 + [4]
    assert [block.first for block in blocks(jobs, 1)] == list(range(0, 100, JOBS))
    assert max(len(block.jobs) for block in blocks(jobs, 10)) == 2
    assert [block.wanted for block in blocks(jobs[:3], 2)] == [1, 1, 1]
    assert [job for block in blocks(jobs, 2) for job in block.jobs] == jobs[::-1]
    assert [len(block.jobs) for block in blocks(jobs, 2)] == [JOBS] * 9 + [7, 5, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1]
    long = [(wanted(str(number), CHARACTERS // 2 + 1),) for number in range(40)]
    assert {len(block.jobs) for block in blocks(long, 1)} == {1}
    assert blocks([], 2) == []


def test_halves_know_their_place() -> None:
    whole = Block((tuple(wanted(str(number)) for number in range(3)), tuple(wanted(str(number)) for number in range(3, 5))), first=7)
    first, second = whole.halves()
    assert (first.first, first.wanted, second.first, second.wanted) == (7, 3, 10, 2)
    assert [item.fingerprint for half in (first, second) for job in half.jobs for item in job] == list("01234")


def test_one_worker_is_this_process() -> None:
    assert isinstance(local(1), InProcess)
    assert isinstance(local(2), Processes)


def test_a_lost_process_is_replaced_and_its_block_done_again(through: Any) -> None:
    heard: list[float] = []
    results = through(numbered(9), heard, once=frozenset({"0", "4"}))
    assert [result.wanted for result in results] == [1] * 9
    assert sum(result.tally.explained for result in results) == 9
    assert set(heard) <= {0.5}


def test_the_document_that_kills_is_found_and_recorded(through: Any) -> None:
    results = through(numbered(3, size=4), always=frozenset({"5"}))
    assert sum(result.wanted for result in results) == 12
    assert sum(result.tally.explained for result in results) == 11
    (failed,) = [result for result in results if result.tally.failed]
    assert isinstance(failed.batch, Batch)
    row = failed.batch["failure"].row(0, named=True)
    assert (row["identifier"], row["retryable"]) == ("5", True)
    assert "killed" in row["error"]


def test_processes_that_die_while_loading_end_the_run(through: Any) -> None:
    with pytest.raises(PipelineError, match="while it loads"):
        through(numbered(2), loads=False)


def test_an_error_of_a_process_is_the_runs(through: Any) -> None:
    faulty = Block(((wanted("faulty"),),))
    with pytest.raises(ValueError, match="a defect") as caught:
        through([*numbered(2), faulty])
    assert any("deadly.py" in note for note in caught.value.__notes__)


def test_what_prevents_loading_is_said(bench: Bench) -> None:
    model = bench.pipeline.model.model_copy(update={"name": str(bench.folder / "no" / "model")})
    lane = lanes.Lane(Work(bench.pipeline.model_copy(update={"model": model}), "", ()))
    with pytest.raises(ModelError, match="no such folder"):
        lane.results(numbered(1)[0])
    lane.stop()


def test_models_that_changed_since_the_plan_are_not_used(bench: Bench) -> None:
    with pytest.raises(PipelineError, match="changed after the work was planned"):
        Work(bench.pipeline, "of other weights", ()).begin()
