"""The page of families says what the tests measure: its rows, its bars, its shares."""

from __future__ import annotations

import pytest
import torch

from tests.attribution import page
from tests.attribution.families import FAMILIES, Family
from tests.attribution.measure import measure
from workbench.rules.composite import COMPOSITES

#: What the test table holds each column to.
BARS = {"value": 1e-5, "gap, float64": 1e-10, "gap, float32": 1e-4, "omit": 1e-6, "distribute": 1e-9}
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


@pytest.fixture(scope="module")
def written() -> dict[str, dict[str, str]]:
    lines = [line for line in page.PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert head == list(page.COLUMNS)
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def bound(cell: str) -> float:
    return 0.0 if cell == "0" else float(cell.removeprefix("< "))


def test_every_family_has_its_row_and_every_composite_its_name(written: dict[str, dict[str, str]]) -> None:
    said = [(name, row["task"], row["positions"], row["notes"]) for name, row in written.items()]
    assert said == [(family.name, family.task, family.positions, page.notes(family)) for family in FAMILIES]
    assert all(f"`{name}`" in page.PAGE.read_text("utf-8") for name in COMPOSITES)


@pytest.mark.parametrize("column", BARS)
def test_every_written_figure_is_within_its_bar(column: str, written: dict[str, dict[str, str]]) -> None:
    assert {name: row[column] for name, row in written.items() if bound(row[column]) > BARS[column]} == {}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_measured_again_a_row_says_the_same(family: Family, written: dict[str, dict[str, str]]) -> None:
    row = written[family.name]
    double, single = measure(family, "attnlrp"), measure(family, "attnlrp", torch.float32, length=page.LENGTH)
    assert double.gap <= BARS["gap, float64"]
    assert single.gap <= BARS["gap, float32"]
    assert max(double.difference, single.difference) <= BARS["value"]
    for account, share in double.shares.items():
        said = row[f"{account} %"]
        assert (said == "") == (share == 0)
        assert float(said.replace("<1", "0") or 0) == pytest.approx(100 * share, abs=1)


def test_a_figure_is_written_as_the_power_of_ten_above_it() -> None:
    assert [page.below(value) for value in (0, 2e-6, 5e-6, 1.2e-16)] == ["0", "< 1e-05", "< 1e-04", "< 1e-15"]
