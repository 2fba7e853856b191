"""What happened while a corpus was read: documents given, documents refused and why, traps met and what was done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rejected:
    """A document that was not given: its identifier and the reason, with file and line."""

    identifier: str
    reason: str


@dataclass(slots=True)
class Report:
    """Counts of one reading; complete when the iteration has ended."""

    documents: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    traps: Counter[str] = field(default_factory=Counter)
    done: dict[str, str] = field(default_factory=dict)

    def met(self, trap: str, done: str, count: int = 1) -> None:
        """Count a trap (a few words) together with what is done about it."""
        self.traps[trap] += count
        self.done[trap] = done

    def add(self, other: Report) -> None:
        """Adds the counts of another reading."""
        self.documents += other.documents
        self.rejected += other.rejected
        self.traps += other.traps
        self.done |= other.done

    def lines(self) -> list[str]:
        """The report in sentences for a person, at most ten refused documents by name."""
        lines = [f"{self.documents:,} documents read, {len(self.rejected):,} refused"]
        lines += [f"{count:,} × {trap}: {self.done[trap]}" for trap, count in sorted(self.traps.items())]
        lines += [f"refused {item.identifier}: {item.reason}" for item in self.rejected[:10]]
        if len(self.rejected) > 10:
            lines.append(f"… and {len(self.rejected) - 10:,} more refused")
        return lines
