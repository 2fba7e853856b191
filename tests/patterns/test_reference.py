"""The reference of patterns says what is there: its examples run, its table is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.patterns import corpus
from workbench.patterns import find
from workbench.patterns.attributes import ALIASES, KNOWN
from workbench.patterns.words import UNBOUNDED
from workbench.store import Store, synthetic_pairs


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "workbench" / "patterns" / "REFERENCE.md").read_text("utf-8")


def examples(page: str, kind: str) -> list[str]:
    return [line for block in re.findall(rf"```{kind}\n(.*?)```", page, flags=re.DOTALL) for line in block.splitlines()]


def test_every_example_finds_something(page: str, tmp_path: Path) -> None:
    with corpus.store(tmp_path / "store.duckdb", corpus.corpus(6, 60)) as store:
        totals = {example: find(store, example).total for example in examples(page, "cql")}
    assert len(totals) > 30
    assert [example for example, total in totals.items() if not total] == ['"x.1"%l']


def test_every_example_of_pairs_finds_something(page: str, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(synthetic_pairs.pairs([f"p{number}" for number in range(20)]), 1)
        totals = {example: find(store, example).total for example in examples(page, "cql-pairs")}
    assert len(totals) >= 3
    assert [example for example, total in totals.items() if not total] == []


def test_every_attribute_stands_in_the_table(page: str) -> None:
    named = set(re.findall(r"`(\w+)`", "\n".join(line for line in page.splitlines() if line.startswith("| `"))))
    assert set(KNOWN) | set(ALIASES) <= named
    assert named - set(KNOWN) - set(ALIASES) == {"Number", "Case"}


def test_the_limit_is_said(page: str) -> None:
    assert f"stops after {UNBOUNDED} times" in page
