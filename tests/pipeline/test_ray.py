"""Work on Ray: a lost actor is replaced, a killed driver's parts count, blocks that end their actors are done document by document."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psutil
import pytest

from tests.pipeline.conftest import Bench
from workbench.document import Document
from workbench.errors import PipelineError, StoreError
from workbench.pipeline import ray_data
from workbench.pipeline.executors import InProcess
from workbench.pipeline.into_parts import run_into_parts
from workbench.pipeline.plan import Wanted
from workbench.pipeline.ray_data import RayData
from workbench.pipeline.run import run
from workbench.pipeline.staging import FOLDER, Staging
from workbench.pipeline.tally import Result, Tally
from workbench.pipeline.work import Block, WriteParts
from workbench.store import Store, content_hash, verify
from workbench.store.lock import beside
from workbench.store.parts.parts import Parts
from workbench.store.prepared import Prepared

DRIVER = """
import sys
from pathlib import Path
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.into_parts import run_into_parts
from workbench.pipeline.ray_data import RayData

run_into_parts(
    Pipeline.model_validate_json(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), executor=RayData(1),
    progress=lambda stage, done, total: print(stage, done, flush=True),
)
"""


def is_actor(process: psutil.Process) -> bool:
    """Whether a process explains documents; it may have ended."""
    with suppress(psutil.NoSuchProcess):
        return "MapWorker" in "".join(process.cmdline())
    return False


def test_a_lost_actor_and_a_killed_driver_leave_nothing_to_be_done_twice(bench: Bench) -> None:
    """The actor is killed after its first part, the driver once the next actor has gone on; processes of this one do the rest."""
    pytest.importorskip("ray", reason="the extra ray is not installed")
    undisturbed, over, url = bench.folder / "undisturbed.duckdb", bench.folder / "over.duckdb", str(bench.folder / "parts")
    small = bench.pipeline.model_copy(update={"batch": 2})
    run(small, undisturbed)
    command = [sys.executable, "-c", DRIVER, small.model_dump_json(), url, str(over)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as driver:
        assert driver.stdout is not None
        below: list[psutil.Process] = []
        killed = 0
        for line in driver.stdout:
            if not line.startswith("explain") or line == "explain 0\n":
                continue
            below = psutil.Process(driver.pid).children(recursive=True)
            if not killed:
                (actor,) = filter(is_actor, below)
                actor.kill()
                killed = int(line.split()[1])
            elif int(line.split()[1]) > killed + 4:  # more than the driver can have fetched before
                break
        driver.send_signal(signal.SIGKILL)
    assert psutil.wait_procs([process for process in below if is_actor(process)], timeout=60)[1] == []
    committed = sum(part.documents for part in Parts(url).state.parts.values())
    assert 0 < committed < 30
    summary = run_into_parts(small, url, over)
    adopted = sum(part.documents for part in Parts(url).state.parts.values() if part.run == 1) - committed
    assert summary.explained == 30 - committed - adopted
    assert content_hash(over) == content_hash(undisturbed)
    assert verify(over).clean


class Writing(InProcess):
    """This process, writing parts as Ray's actors do."""

    writes_parts = True


def test_parts_are_taken_into_a_store_and_what_an_interrupted_run_left_by_the_next(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed, path = bench.folder / "undisturbed.duckdb", bench.folder / "store.duckdb"
    run(bench.pipeline, undisturbed)
    take, seen = Staging.take, []

    def once(self: Staging, store: Store, part: Any) -> None:
        seen.append(part)
        if len(seen) > 1:
            raise KeyboardInterrupt
        take(self, store, part)

    monkeypatch.setattr(Staging, "take", once)
    with pytest.raises(KeyboardInterrupt):
        run(bench.pipeline, path, executor=Writing())
    monkeypatch.setattr(Staging, "take", take)
    assert beside(path, FOLDER).exists()
    summary = run(bench.pipeline, path, executor=Writing())
    assert summary.explained == 30 - (6 + 8)  # the longest come first: what does not fill a job, and a full one
    assert any("taken in" in notice for notice in summary.notices)
    assert not beside(path, FOLDER).exists()
    assert content_hash(path) == content_hash(undisturbed)
    assert verify(path).clean
    with Store.open(path, "write") as store, pytest.raises(StoreError, match="share the store's folder"):
        Staging(store).take(store, seen[0])


def wanted(name: str) -> Wanted:
    return Wanted(Document(corpus="c", identifier=name, segments={"text": "x"}), "text", name)


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Results of blocks by actors that one document kills; no Ray is needed."""

    @contextmanager
    def cluster(*_: Any) -> Iterator[Any]:
        class Ray:
            @staticmethod
            def cluster_resources() -> dict[str, float]:
                return {"CPU": 2.0}

        yield Ray

    def through(_ray: Any, blocks: Sequence[Block], *_: Any) -> Iterator[tuple[int, Result]]:
        for place, block in enumerate(blocks):
            if "deadly" not in {item.fingerprint for job in block.jobs for item in job}:
                yield place, Result(block.wanted, Prepared({}, "", 0), Tally(block.wanted, 0, 0, 0))

    monkeypatch.setattr(ray_data, "cluster", cluster)
    monkeypatch.setattr(ray_data, "through", through)
    work: Any = object()
    worker: Any = object()
    return lambda blocks: list(RayData(2).results(blocks, worker, lambda _: None, work))


def test_a_block_whose_actors_are_lost_is_done_document_by_document(results: Any) -> None:
    whole = [Block(((wanted("a"), wanted("b")),)), Block(((wanted("c"), wanted("deadly")), (wanted("d"),)), first=2)]
    found = results(whole)
    assert [result.wanted for result in found] == [2, 1, 1, 1]
    assert sum(result.tally.explained for result in found) == 4
    (failed,) = [result for result in found if result.tally.failed]
    assert failed.batch["failure"]["identifier"].to_list() == ["deadly"]
    assert [block.first for block in ray_data.singles(whole[1])] == [2, 3, 4]
    assert results([]) == []


def test_an_actor_says_what_prevents_loading(bench: Bench) -> None:
    numbers: Any = None
    hand = ray_data.Hand(pickle.dumps(WriteParts(bench.pipeline, "of other weights", (), str(bench.folder / "parts"), numbers, 1)))
    said = pickle.loads(hand({"place": [3], "block": [b""]})["answer"][0])
    assert isinstance(said, PipelineError)
    assert "changed after the work was planned" in str(said)


class NeverBegins(WriteParts):
    """Work that ends its process before it has begun."""

    def begin(self, device: str = "cpu") -> Any:
        os._exit(1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray", "ignore::FutureWarning:ray")
def test_actors_that_never_come_are_said_and_no_setting_of_ray_data_is_left_behind(bench: Bench) -> None:
    data = pytest.importorskip("ray.data", reason="the extra ray is not installed")
    numbers: Any = None
    worker: Any = None
    never = NeverBegins(bench.pipeline, "", (), str(bench.folder / "parts"), numbers, 1)
    before = vars(data.DataContext.get_current()).copy()
    with pytest.raises(PipelineError, match="lost before they work"):
        list(RayData(1).results([Block(((wanted("a"),),))], worker, lambda _: None, never))
    assert vars(data.DataContext.get_current()) == before


def test_a_cluster_that_is_not_there() -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    with pytest.raises(PipelineError, match="check the address"), ray_data.cluster(1, "127.0.0.1:1"):
        pass
