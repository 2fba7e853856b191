"""Ways through a pattern as SQL: what has been matched so far, as joined tables or as a table expression of its own.

1. A path starts empty; each word joins one more row: the same text, the next place (or a place within a gap), the word's condition.
2. A gap of words without conditions joins nothing: only its width is carried along.
3. Where ways part or meet, what they share becomes a table expression, so that a pattern of n words needs about n joins, however many
   sequences it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from workbench.patterns.mistake import mistake
from workbench.patterns.tree import Query

#: Gaps of different widths that a pattern may wait for at one place.
MOST_WAYS = 24


@dataclass(frozen=True, slots=True)
class Path:
    """One way through a pattern so far; without tables nothing has been matched yet.

    `columns` maps each column of the match to its SQL. `gap` is how many words (fewest, most) lie between the last matched word and the
    next, `lead` those in front of the first. `length` is in words, gaps included; `ambiguous`: one match can be reached in several ways;
    `free`: no word of it has a condition. `alone` is the alias of its only word: rows of special tokens have no place, which a join leaves
    out by itself.
    """

    tables: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    gap: tuple[int, int] = (0, 0)
    lead: tuple[int, int] = (0, 0)
    length: tuple[int, int] = (0, 0)
    ambiguous: bool = False
    free: bool = True
    alone: str = ""

    @property
    def is_named(self) -> bool:
        """Whether it is empty or a table expression already."""
        return not self.tables or (len(self.tables) == 1 and " " not in self.tables[0])

    def select(self, columns: Sequence[str], *, distinct: bool = False) -> str:
        """The path as a SELECT of some of its columns."""
        named = ((self.columns[name], name) for name in columns)
        chosen = ", ".join(value if value.partition(".")[2] == name else f"{value} AS {name}" for value, name in named)
        lines = [f"SELECT {'DISTINCT ' if distinct else ''}{chosen}", f"FROM {self.tables[0]}", *self.tables[1:]]
        where = [*self.where, f"{self.alone}.word IS NOT NULL"] if self.alone else self.where
        if where:
            lines.append(f"WHERE {' AND '.join(where)}")
        return "\n".join(lines)

    def waiting(self, words: int) -> Path:
        """The path with a gap that is wider by some words."""
        return replace(
            self,
            gap=(self.gap[0] + words, self.gap[1] + words),
            length=(self.length[0] + words, self.length[1] + words),
        )

    def place(self) -> str:
        """SQL that says where the next word stands, as a comparison."""
        last, (low, high) = self.columns["last_word"], self.gap
        return f"= {last} + {low + 1}" if low == high else f"BETWEEN {last} + {low + 1} AND {last} + {high + 1}"


def apart(paths: Sequence[Path]) -> bool:
    """Whether no match of one path can be that of another: their lengths differ, and each has one way to match."""
    spans = sorted(path.length for path in paths)
    return not any(path.ambiguous for path in paths) and all(first[1] < second[0] for first, second in pairwise(spans))


def bridged(paths: Sequence[Path]) -> list[Path]:
    """Paths that differ in their gap alone, by gaps that touch each other, as one with a wider gap."""
    found: list[Path] = []
    for path in sorted(paths, key=lambda path: path.gap):
        for number, other in enumerate(found):
            same = (path.tables, path.where, path.lead, path.columns) == (other.tables, other.where, other.lead, other.columns)
            if same and path.gap[0] <= other.gap[1] + 1:
                varied = other.length[0] - other.gap[0] != other.length[1] - other.gap[1] and path.gap != other.gap
                found[number] = replace(
                    other,
                    gap=(other.gap[0], max(other.gap[1], path.gap[1])),
                    length=(min(other.length[0], path.length[0]), max(other.length[1], path.length[1])),
                    ambiguous=other.ambiguous or path.ambiguous or varied,
                )
                break
        else:
            found.append(path)
    return found


@dataclass(slots=True)
class Expressions:
    """The table expressions of a statement in the making."""

    query: Query
    parts: list[str] = field(default_factory=list)
    words: int = 0
    shared: int = 0

    def alias(self) -> str:
        """A new alias for a word."""
        self.words += 1
        return f"w{self.words}"

    def name(self, path: Path) -> Path:
        """The path as a table expression, to be used more than once."""
        if path.is_named:
            return path
        self.shared += 1
        name = f"p{self.shared}"
        self.parts.append(f"{name} AS MATERIALIZED (\n{path.select(list(path.columns))}\n)")
        return replace(path, tables=(name,), where=(), alone="", columns={column: f"{name}.{column}" for column in path.columns})

    def union(self, paths: Sequence[Path], place: int) -> list[Path]:
        """Paths that wait for the same next place as one; empty ones stay apart."""
        groups: dict[tuple[bool, tuple[int, int], tuple[int, int]], list[Path]] = {}
        for path in bridged(paths):
            groups.setdefault((bool(path.tables), path.gap, path.lead), []).append(path)
        if len(groups) > MOST_WAYS:
            raise mistake(self.query.text, place, "too many ways through the pattern from here", "repeat less, or leave alternatives out")
        return [self.merged(group) if group[0].tables else group[0] for group in groups.values()]

    def merged(self, paths: Sequence[Path]) -> Path:
        """Several paths as one table expression."""
        if len(paths) == 1:
            return paths[0]
        self.shared += 1
        name, columns = f"p{self.shared}", list(paths[0].columns)
        joint = "\nUNION ALL\n" if apart(paths) else "\nUNION\n"
        self.parts.append(f"{name} AS MATERIALIZED (\n{joint.join(path.select(columns) for path in paths)}\n)")
        lengths = [path.length for path in paths]
        return Path(
            tables=(name,),
            columns={column: f"{name}.{column}" for column in columns},
            gap=paths[0].gap,
            lead=paths[0].lead,
            length=(min(low for low, _ in lengths), max(high for _, high in lengths)),
            free=any(path.free for path in paths),
        )
