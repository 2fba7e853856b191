"""Bars: what a validation asks for, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.fingerprint import Json


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and its limit; a value of None was not asked and fails nothing, unless it is `needed`."""

    name: str
    value: float | None
    limit: float
    at_most: bool = False
    needed: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure keeps to its limit."""
        if self.value is None:
            return not self.needed
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def row(self) -> dict[str, Json]:
        """For a table or JSON: value, limit in words, met, what it is."""
        return {
            "value": self.value, "asked": f"{'at most' if self.at_most else 'at least'} {self.limit:g}",
            "met": "not asked" if self.value is None else "yes" if self.met else "NO", "bar": self.name,
        }  # fmt: skip


def all_met(bars: Iterable[Bar]) -> bool:
    """Whether every bar is met."""
    return all(bar.met for bar in bars)
