"""A manifest that is damaged is made again from the parts, and nothing is computed anew; what nobody can know is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.parts.making import batches, filled
from workbench.errors import StoreError
from workbench.store import content_hash, verify
from workbench.store.parts import manifest
from workbench.store.parts.over import over
from workbench.store.parts.parts import Parts
from workbench.store.parts.place import Place
from workbench.store.parts.rebuild import rebuild
from workbench.store.prepared import Preparation
from workbench.store.repair import repair


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four runs of a part each, a document edited, others annotated again: 13 records, of which 8 are folded."""
    folder = tmp_path_factory.mktemp("intact")
    parts = Parts(folder / "place")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest, "FOLDED", 8)
        filled(parts, Preparation(), batches())
        over(parts, folder / "over.duckdb")
    return folder


@pytest.fixture
def folder(intact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it at the same address, since a store knows where its parts are."""
    monkeypatch.setattr(manifest, "FOLDED", 8)
    kept = tmp_path / "kept"
    shutil.copytree(intact, kept)
    yield intact
    shutil.rmtree(intact)
    shutil.copytree(kept, intact)


def harm(path: Path) -> None:
    """Changes a byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)


#: What is harmed, and the runs of which the end is lost with it.
LOST = {"gone": {1, 2, 3, 4}, "folded": {1, 2}, "between": {3}, "first and last": {1, 2, 4}}


@pytest.mark.parametrize("how", LOST)
def test_everything_counts_as_before(folder: Path, how: str) -> None:
    place, records = Place(folder / "place"), folder / "place" / "manifest"
    before = Parts(place.url).state
    first, last = records / "00000000-00000007.jsonl.gz", records / "00000012.json"
    assert sorted(path.name for path in records.iterdir()) == [first.name, *(f"{number:08}.json" for number in range(8, 13))]
    if how == "gone":
        shutil.rmtree(records)
    elif how == "between":
        (records / "00000009.json").unlink()
        with pytest.raises(StoreError, match="record 9 of its manifest is gone, and later ones are there"):
            Parts(place.url).manifest.refuse_gap()
    else:
        harm(first)
        if how == "first and last":
            harm(last)
        with pytest.raises(StoreError, match="workbench repair STORE --parts"):
            Parts(place.url)
    said, runs = rebuild(place)
    assert said.startswith("the manifest was damaged and is made again: 4 runs, 4 parts")
    assert runs == set()
    after = Parts(place.url)
    assert (after.state.identity, list(after.state.parts)) == (before.identity, list(before.parts))
    assert (after.state.documents, after.state.explanations) == (before.documents, before.explanations)
    ends = {number: run["status"] for number, run in after.state.runs.items()}
    assert ends == {number: "interrupted" if number in LOST[how] else "finished" for number in range(1, 5)}
    assert all(run["registered"] == before.runs[number]["registered"] for number, run in after.state.runs.items())
    assert len(list(folder.glob("place/manifest.damaged.1/*"))) == {"gone": 0, "between": 5}.get(how, 6)
    assert after.unnamed() == []
    after.manifest.refuse_gap()


def test_a_store_says_what_it_said(folder: Path) -> None:
    store = folder / "over.duckdb"
    said = content_hash(store)
    harm(folder / "place" / "manifest" / "00000011.json")
    assert not verify(store).clean
    done = repair(store)  # which verifies
    assert "the manifest was damaged and is made again" in done.done[0]
    assert (done.runs, content_hash(store)) == (set(), said)


def test_a_part_whose_record_is_damaged_too_is_computed_again(folder: Path) -> None:
    place = folder / "place"
    first = next(iter(Parts(place).state.parts))
    shutil.rmtree(place / "manifest")
    harm(place / "parts" / f"{first}.json")
    said, runs = rebuild(Place(place))
    assert "4 runs, 3 parts" in said
    assert runs == {1, 2, 3, 4}  # nobody knows of which run it was
    assert first not in Parts(place).state.parts


def test_what_nobody_can_know_is_refused_and_left_as_it_is(folder: Path) -> None:
    place = folder / "place"
    harm(place / "manifest" / "00000010.json")
    harm(place / "runs" / "00000004.json")
    before = sorted(path.name for path in place.rglob("*"))
    with pytest.raises(StoreError, match=r"what run 4 was is lost .* 1 parts are of such runs"):
        rebuild(Place(place))
    assert sorted(path.name for path in place.rglob("*")) == before


def test_a_repair_that_is_interrupted_can_be_made_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(folder / "place")
    before = list(Parts(place.url).state.parts)
    harm(folder / "place" / "manifest" / "00000011.json")
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rebuild(place)
    with pytest.raises(StoreError, match="its manifest is gone, and runs were there"):
        Parts(place.url)
    rebuild(place)
    assert list(Parts(place.url).state.parts) == before
