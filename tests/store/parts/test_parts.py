"""Parts are whole or nothing, count when the manifest says so, and any number of runs can write them at once."""

from __future__ import annotations

import os
import threading
import uuid
from pathlib import Path

import pytest

from tests.store.parts.making import NAMES, begun, written
from workbench.errors import MissingExtraError, StoreError
from workbench.store import synthetic
from workbench.store.parts import manifest, part
from workbench.store.parts.parts import Parts
from workbench.store.parts.place import Place
from workbench.store.prepared import Preparation


@pytest.fixture(scope="module")
def preparation() -> Preparation:
    return Preparation()


@pytest.fixture(params=["folder", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder, and a store of objects."""
    return str(tmp_path / "place") if request.param == "folder" else f"memory://{uuid.uuid4().hex}/place"


def test_files_are_written_once_and_whole(url: str) -> None:
    place = Place(url)
    assert place.names("a") == []
    assert place.put("a/one", b"first", new=True)
    assert not place.put("a/one", b"second", new=True)
    assert place.get("a/one") == b"first"
    assert place.put("a/one", b"third")
    assert (place.get("a/one"), place.size("a/one"), place.size("a/two")) == (b"third", 5, None)
    assert (place.names("a"), place.folders()) == (["a/one"], ["a"])
    place.remove(["a/one", "a/two"])
    assert place.names("a") == []
    with pytest.raises(StoreError, match="a/one"):
        place.get("a/one")


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    place = Place(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left") as caught:
        place.put("a/one", b"first")
    assert caught.value.retryable
    assert list((tmp_path / "a").iterdir()) == []


def test_addresses_that_nothing_can_reach_are_refused() -> None:
    with pytest.raises(StoreError, match="nowhere"):
        Place("nowhere://bucket/folder")
    with pytest.raises(MissingExtraError, match="s3fs"):
        Place("s3://bucket/folder")


def test_numbers_are_given_out_once(url: str) -> None:
    first, second = Parts(url), Parts(url)
    one, two, three = begun(first, 5), begun(second, 7), begun(first, 2)
    assert [(numbers.run, numbers.document, numbers.explanation) for numbers in (one, two, three)] == [(1, 1, 1), (2, 6, 101), (3, 13, 241)]
    with pytest.raises(StoreError, match="begin a new place"):
        begun(first, 2**31)


def test_runs_at_once_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight writers of records, with folding in between."""
    monkeypatch.setattr(manifest, "FOLDED", 8)

    def write() -> None:
        parts = Parts(tmp_path)
        for _ in range(5):
            parts.end_run(begun(parts, 1).run, "finished", {})

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = Parts(tmp_path).state
    assert sorted(state.runs) == list(range(1, 41))
    assert {run["status"] for run in state.runs.values()} == {"finished"}
    assert (state.documents, state.records) == (40, 81)
    assert len(Place(tmp_path).names("manifest")) == 81 // 8 + 1


def test_the_same_work_makes_the_same_part(url: str, preparation: Preparation) -> None:
    parts = Parts(url)
    numbers, ready = begun(parts), preparation.prepare(synthetic.batch(NAMES[:2]))
    one = part.write(parts.place, ready, numbers, "ab" * 32, {})
    assert part.write(parts.place, ready, numbers, "ab" * 32, {}) == one
    parts.commit([one])
    parts.commit([one])
    assert (list(parts.state.parts), parts.state.records) == ([one.name], 3)
    again = part.read(parts.place, one)
    assert {table: frame.to_dict(as_series=False) for table, frame in again.frames.items()} == {
        table: frame.to_dict(as_series=False) for table, frame in ready.frames.items()
    }


def test_more_explanations_than_numbers_are_refused(tmp_path: Path, preparation: Preparation) -> None:
    parts = Parts(tmp_path)
    numbers = parts.begin_run("test", {}, {}, {}, documents=1, explanations=2)
    with pytest.raises(StoreError, match="2 were expected"):
        part.write(parts.place, preparation.prepare(synthetic.batch(NAMES[:1])), numbers, "ab" * 32, {})


def test_what_a_killed_run_left_whole_counts_and_the_rest_is_swept(url: str, preparation: Preparation) -> None:
    parts = Parts(url)
    whole, torn, unrecorded = (written(parts, preparation, synthetic.batch([name])) for name in NAMES[:3])
    name = part.file("token", torn.name)
    parts.place.put(name, parts.place.get(name)[:-1])
    parts.place.remove([f"parts/{unrecorded.name}.json"])
    assert [one.name for one in Parts(url).adopt()] == [whole.name]
    assert Parts(url).adopt() == []
    later = Parts(url)
    assert set(later.state.parts) == {whole.name}
    swept = later.unnamed()
    assert {name.split("/")[1].split(".")[0] for name in swept} == {torn.name, unrecorded.name}
    assert later.sweep() == len(swept)
    assert later.unnamed() == []
    with pytest.raises(StoreError):
        part.read(later.place, torn)


def test_parts_that_are_replaced_count_no_more(tmp_path: Path, preparation: Preparation) -> None:
    parts = Parts(tmp_path)
    one, two = (written(parts, preparation, synthetic.batch([name])) for name in NAMES[:2])
    parts.commit([one])
    parts.commit([two], replaces=[one.name])
    assert list(Parts(tmp_path).state.parts) == [two.name]
    parts.commit([], replaces=[two.name])
    assert list(Parts(tmp_path).state.parts) == []


def test_a_damaged_record_is_noticed(tmp_path: Path, preparation: Preparation) -> None:
    parts = Parts(tmp_path)
    parts.commit([written(parts, preparation, synthetic.batch(NAMES[:1]))])
    path = tmp_path / "manifest" / "00000001.json"
    content = path.read_bytes()
    path.chmod(0o644)
    for damaged in (content.replace(b'"run"', b'"ran"', 1), content[:-5], (tmp_path / "manifest" / "00000000.json").read_bytes()):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match="record 1 of its manifest"):
            Parts(tmp_path)
