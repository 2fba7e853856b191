"""One measured number, what it is compared with and whether it is good enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """`value` of something about a shape of model, its bar (at most, or with `least` at least) and what else was measured with it.

    `part` names the table it stands in and `unit` what the value is.
    """

    part: str
    shape: str
    what: str
    unit: str
    value: float
    bar: float | None = None
    least: bool = False
    beside: Mapping[str, float] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the bar is met, None without one."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.least else self.value <= self.bar

    def row(self) -> dict[str, Any]:
        """The finding as a row of its part's table, what was measured last."""
        sign = "≥" if self.least else "≤"
        return {
            "shape": self.shape,
            **self.beside,
            self.unit: self.value,
            "bar": "" if self.bar is None else f"{sign} {self.bar:g}",
            "met": {True: "yes", False: "NO", None: ""}[self.met],
            "what": self.what,
        }
