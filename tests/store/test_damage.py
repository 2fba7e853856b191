"""Damage is noticed: bits flipped in the database, write-ahead logs cut short, ledgers harmed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.errors import StoreError
from workbench.store import Store, content_hash, synthetic, verify

WRITER = """
    import os, signal, sys
    from workbench.store import Store, synthetic
    store = Store.open(sys.argv[1], "write")
    for number in range(6):
        store.append(synthetic.batch([f"d{number}-{place}" for place in range(2)]), 1)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of several batches, closed in order."""
    path = tmp_path_factory.mktemp("closed") / "store.duckdb"
    with Store.open(path, "write") as store:
        for number in range(4):
            store.append(synthetic.batch([f"d{number}-{place}" for place in range(5)]), 1)
    return path


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose writer died with six batches in the write-ahead log."""
    path = tmp_path_factory.mktemp("killed") / "store.duckdb"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(WRITER), str(path)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert Path(f"{path}.wal").stat().st_size > 0
    return path


def copied(source: Path, folder: Path) -> Path:
    """The store with its companions, in another folder."""
    for file in source.parent.iterdir():
        shutil.copy(file, folder / file.name)
    return folder / source.name


def noticed(path: Path) -> bool:
    """Whether opening or verifying says that something is wrong."""
    try:
        return not verify(path).clean
    except StoreError:
        return True


def test_flipped_bits_in_the_database(closed: Path, tmp_path: Path) -> None:
    """Every flip is noticed, or lies where nothing is stored: then the content is what it was."""
    path, chance, expected = copied(closed, tmp_path), random.Random(5), content_hash(closed)
    intact, found = path.read_bytes(), 0
    for _ in range(40):
        harmed = bytearray(intact)
        harmed[chance.randrange(len(harmed))] ^= 1 << chance.randrange(8)
        path.write_bytes(harmed)
        if noticed(path):
            found += 1
        else:
            assert content_hash(path) == expected
    assert found >= 10


def test_write_ahead_logs_cut_short(killed: Path, tmp_path: Path) -> None:
    """Cutting off acknowledged batches is noticed; running again brings them back."""
    path, chance = copied(killed, tmp_path), random.Random(6)
    log = Path(f"{path}.wal")
    whole, database, ledger = log.read_bytes(), path.read_bytes(), Path(f"{path}.ledger.jsonl").read_bytes()
    for size in [0, *(chance.randrange(len(whole)) for _ in range(14))]:
        path.write_bytes(database)
        Path(f"{path}.ledger.jsonl").write_bytes(ledger)
        log.write_bytes(whole[:size])
        findings = None
        try:
            findings = verify(path)
        except StoreError:
            continue
        assert not findings.clean
        assert any(finding.check == "mirror" and "acknowledged batches are not in the store" in finding.message for finding in findings)
    with Store.open(path, "write") as store:
        assert "lost commits" in store.notices[0]
        for number in range(6):
            store.append(synthetic.batch([f"d{number}-{place}" for place in range(2)]), 1)
    after = verify(path)
    assert after.clean
    assert any(finding.status == "note" and "earlier damage is on record" in finding.message for finding in after)


def test_flipped_bits_in_the_write_ahead_log(killed: Path, tmp_path: Path) -> None:
    path, chance = copied(killed, tmp_path), random.Random(7)
    log, database = Path(f"{path}.wal"), path.read_bytes()
    whole = log.read_bytes()
    for _ in range(12):
        path.write_bytes(database)
        harmed = bytearray(whole)
        harmed[chance.randrange(len(harmed))] ^= 1 << chance.randrange(8)
        log.write_bytes(harmed)
        assert noticed(path)


def drop_line(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if b'"batch": 2,' not in line]


def flip(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1][:40] + bytes([lines[1][40] ^ 1]) + lines[1][41:], *lines[2:]]


def reword(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b'"run": 1', b'"run": 2'), *lines[1:]]


def tear(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], lines[-1][:20]]


@pytest.mark.parametrize(
    "harm", [drop_line, flip, reword, tear, lambda lines: lines[:-2], lambda lines: [], lambda lines: [b"\xff\x00\n", *lines]]
)
def test_a_harmed_ledger(closed: Path, tmp_path: Path, harm: Callable[[list[bytes]], list[bytes]]) -> None:
    path = copied(closed, tmp_path)
    ledger = Path(f"{path}.ledger.jsonl")
    ledger.write_bytes(b"".join(harm(ledger.read_bytes().splitlines(keepends=True))))
    findings = verify(path)
    assert {finding.check for finding in findings if finding.status == "error"} == {"mirror"}
    with Store.open(path, "write") as store:
        assert store.notices
    assert verify(path).clean


def test_a_ledger_that_is_gone(closed: Path, tmp_path: Path) -> None:
    path = copied(closed, tmp_path)
    Path(f"{path}.ledger.jsonl").unlink()
    assert noticed(path)


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE kept.token_relevance SET relevance = relevance + 0.5 WHERE explanation = 2 AND token = 1", "digests"),
        ("UPDATE kept.layer_relevance SET relevance = relevance + 0.5 WHERE explanation = 2 AND layer = 0", "layers"),
        ("UPDATE kept.layer_relevance SET account = 'poems' WHERE explanation = 2 AND layer = 0", "layers"),
        ("DELETE FROM kept.layer_relevance WHERE explanation = 2", "digests"),
        ("UPDATE kept.position_relevance SET position = position + 100 WHERE explanation = 2", "digests"),
        ("UPDATE kept.component_relevance SET unit = unit + 1 WHERE explanation = 2", "digests"),
        ("UPDATE kept.component_relevance SET explanation = 777 WHERE explanation = 2", "orphans"),
        ("INSERT INTO kept.component_relevance SELECT * FROM kept.component_relevance LIMIT 1", "duplicates"),
        ("UPDATE kept.explanation SET decoder_inputs = 0.25 WHERE explanation = 3", "gaps"),
        ("UPDATE kept.word_relevance SET relevance = relevance + 0.5 WHERE explanation = 2 AND word = 0", "words"),
        ("UPDATE kept.word_relevance SET form = 'x' WHERE explanation = 2 AND word = 0", "sharing"),
        ("DELETE FROM kept.explanation WHERE explanation = 2", "ledger"),
        ("DELETE FROM kept.document WHERE document = 2", "ledger"),
        ("DELETE FROM kept.token WHERE document = 2 AND token = 1", "orphans"),
        ("INSERT INTO kept.word SELECT * FROM kept.word LIMIT 1", "duplicates"),
        ("UPDATE kept.explanation SET gap = 0.5 WHERE explanation = 3", "gaps"),
        ("UPDATE kept.explanation SET tokens = tokens + 0.5 WHERE explanation = 2", "tokens"),
        ("UPDATE kept.segment SET text = text || '!' WHERE document = 1", "texts"),
        ("DELETE FROM kept.token_relevance WHERE explanation = 2", "ensembles"),
        ("UPDATE kept.ledger SET explanations = explanations + 1 WHERE batch = 1", "ledger"),
        ("INSERT INTO kept.run VALUES (9, 'p', '{}', '{}', 'running', now()::TIMESTAMP, NULL, NULL)", "runs"),
    ],
)
def test_rows_changed_behind_the_store(closed: Path, tmp_path: Path, statement: str, check: str) -> None:
    path = copied(closed, tmp_path)
    with Store.open(path, "write") as store:
        store.connection.execute(statement)
    found = {finding.check: finding.status for finding in verify(path)}
    assert found[check] == ("note" if check == "runs" else "error")


def test_an_undamaged_store_is_clean(closed: Path) -> None:
    findings = verify(closed)
    assert findings.exit_status == 0
    assert all(finding.status == "ok" for finding in findings)
    assert str(findings).count("\n") >= 12
