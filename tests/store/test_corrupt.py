"""Harmed as disks harm files, a store gives no wrong answer that verification would not notice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from workbench.errors import StoreError
from workbench.store.torture import corrupt as torture
from workbench.store.torture.damage import BLOCK, DAMAGES, HEADERS


def test_harm_is_noticed_or_harmless() -> None:
    reports = torture.corrupt(12, seed=3)
    assert [report.target for report in reports] == ["database", "log", "ledger", "parts"]
    for report in reports:
        assert report.silent == []
        assert report.crashed == 0
        assert report.noticed >= report.harmed / 3
        assert report.noticed + report.harmless == report.harmed == 3


def test_files_that_there_are_not() -> None:
    with pytest.raises(StoreError, match="database, log, ledger, parts"):
        torture.corrupt(1, targets=["kitchen"])


@pytest.mark.parametrize("kind", DAMAGES)
def test_every_kind_of_harm_is_one(kind: str, tmp_path: Path) -> None:
    chance = random.Random(4)
    whole = chance.randbytes(HEADERS + 3 * BLOCK)
    path = tmp_path / "file"
    path.write_bytes(whole)
    assert torture.harm(path, chance.randbytes(len(whole) - 100), kind, chance)
    assert path.read_bytes() != whole
    path.write_bytes(b"")
    assert not torture.harm(path, b"", kind, chance)
