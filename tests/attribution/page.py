"""Writes the page of families from the function that the tests measure with: `python -m tests.attribution.page`.

Every figure is shown as the bar it stays below (a power of ten), so that a new machine's rounding changes nothing on the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

import workbench
from tests.attribution.families import FAMILIES, Family
from tests.attribution.measure import Measured, measure
from workbench.relevance import ACCOUNTS
from workbench.rules.composite import COMPOSITES

PAGE = Path(workbench.__file__).parent / "attribution" / "FAMILIES.md"
#: Divide by sums that may vanish, as their paper warns: their ledgers are held to bars of their own.
UNSTABLE = ("attnlrp_omit.v1", "attnlrp_distribute.v1")
STABLE = tuple(name for name in COMPOSITES if name not in UNSTABLE)
COLUMNS = (
    "family", "task", "positions", "value", "gap, float64", "gap, float32", "omit", "distribute",
    *(f"{name} %" for name in ACCOUNTS), "notes",
)  # fmt: skip
LENGTH = 24

HEAD = """# Families

Every row is a model of the family as released by `transformers`, with random weights and random biases, and is measured by the tests;
nothing in `workbench` knows its name. This page is written by `python -m tests.attribution.page` with the function that the tests call.

* **value**: largest difference between the logits under rules and the plain model's, relative to the largest logit, over all {count}
  composites and both precisions.
* **gap**: largest part of the target that no account has, relative to the largest of target, accounts and 1, over the {stable} composites
  that are numerically stable. The bars are 1e-10 in float64 and 1e-4 in float32. In float64 the casts to float32 that many models make on
  their way (norms, rotary positions, softmax, scans) are left out, so that they compute in float64 throughout; as released, such a model's
  ledger closes to float32.
* **omit**, **distribute**: the same in float64 for AttnLRP's two other ways with the bias of softmax, which conserve it by dividing by sums
  that may vanish. Their bars are 1e-6 and 1e-9, and none is set in float32.
* Accounts: share of each in the sum of all sizes under `attnlrp`, in float64, in percent.

Composites: {names}.

"""


@dataclass(frozen=True)
class Row:
    """The figures of one family."""

    family: Family
    value: float
    double: float
    single: float
    omit: float
    distribute: float
    attnlrp: Measured


def row(family: Family) -> Row:
    """Measures a family under every composite in both precisions."""
    double = {name: measure(family, name) for name in COMPOSITES}
    single = {name: measure(family, name, torch.float32, length=LENGTH) for name in STABLE}
    return Row(
        family,
        max(one.difference for one in (*double.values(), *single.values())),
        max(double[name].gap for name in STABLE),
        max(one.gap for one in single.values()),
        double["attnlrp_omit.v1"].gap,
        double["attnlrp_distribute.v1"].gap,
        double["attnlrp.v1"],
    )


def below(value: float) -> str:
    """The power of ten that a figure stays below with room for rounding of another machine; 0 where it is nothing at all."""
    return "0" if value == 0 else f"< 1e{math.ceil(math.log10(3 * value)):03d}"


def notes(family: Family) -> str:
    """What is particular about how a family is measured."""
    found = []
    if family.attention == "eager":
        found.append("eager attention")
    if family.single:
        found.append("one text at a time, experts one by one")
    if family.positions == "none":
        found.append("reference scan, no fused kernel")
    return "; ".join(found)


def cells(found: Row) -> list[str]:
    """A row as text."""
    family = found.family
    figures = (found.value, found.double, found.single, found.omit, found.distribute)
    shares = [f"{100 * share:.0f}" if share >= 0.005 else "" if share == 0 else "<1" for share in found.attnlrp.shares.values()]
    return [family.name, family.task, family.positions, *map(below, figures), *shares, notes(family)]


def text(rows: Sequence[Row]) -> str:
    """The page."""
    names = ", ".join(f"`{name}`" for name in sorted(COMPOSITES))
    lines = [COLUMNS, ["---", "---", "---", *["---:"] * (len(COLUMNS) - 4), "---"], *map(cells, rows)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return HEAD.format(count=len(COMPOSITES), stable=len(STABLE), names=names) + table + "\n"


def main() -> None:
    """Measures all families and writes the page."""
    torch.set_num_threads(1)
    PAGE.write_text(text([row(family) for family in FAMILIES]), "utf-8")
    print(f"{len(FAMILIES)} families: {PAGE}")


if __name__ == "__main__":
    main()
