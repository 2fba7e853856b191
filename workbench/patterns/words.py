"""Sequences of words as SQL: sequence, alternation, repetition and capture, each a step along paths."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from workbench.patterns import tree
from workbench.patterns.captures import MATCH, SUMMED, Captures, Wanted
from workbench.patterns.expression import truth
from workbench.patterns.lexicon import Lexicon
from workbench.patterns.mistake import mistake
from workbench.patterns.paths import Expressions, Path
from workbench.patterns.source import Row, Source
from workbench.patterns.tree import Capture, Pattern, Repetition, Word

#: How many times a part without an end repeats at most.
UNBOUNDED = 10
#: Words with conditions that a pattern may join.
MOST_WORDS = 60

SHARED = re.compile(r"p\d+\.|coalesce")


@dataclass(slots=True)
class Words:
    """The compiler of word sequences: `paths` is called once for a pattern."""

    text: str
    source: Source
    lexicon: Lexicon | None
    captures: Captures
    expressions: Expressions
    within_sentence: bool
    late: bool
    open: list[str] = field(default_factory=list)

    def paths(self, pattern: Pattern) -> list[Path]:
        """All ways through a pattern, each with the rows at its ends; InputError for one that says nothing of any word."""
        found = [path for path in self.match([Path(columns=self.nothing())], pattern) if path.tables or path.length[1]]
        for path in found:
            if not path.tables or (path.free and self.captures.query.constraint is None):
                remedy = 'say something of at least one word of each alternative, for example [relevance>0.1] or [upos="NOUN"]'
                raise mistake(self.text, 0, "the pattern matches every word of the store", remedy)
        return [self.ended(path) for path in found]

    def nothing(self) -> dict[str, str]:
        """The columns of captures before anything is captured."""
        columns: dict[str, str] = {}
        for name in self.captures.names:
            columns |= {f'"{name}.start"': "NULL::INTEGER", f'"{name}.end"': "NULL::INTEGER"}
        return columns | {wanted.column: f"NULL::{wanted.type}" for wanted in self.captures.wanted}

    def match(self, paths: list[Path], pattern: Pattern) -> list[Path]:
        """Each path, continued by a pattern."""
        if isinstance(pattern, Word):
            return [self.step(path, pattern) for path in paths]
        if isinstance(pattern, Capture):
            self.open.append(pattern.name)
            paths = self.match(paths, pattern.body)
            self.open.pop()
            return paths
        if isinstance(pattern, Repetition):
            return self.repeat(paths, pattern)
        if isinstance(pattern, tree.Sequence):
            for part in pattern.parts:
                paths = self.match(paths, part)
            return paths
        paths = [self.expressions.name(path) for path in paths]
        return self.expressions.union([path for option in pattern.options for path in self.match(paths, option)], pattern.place)

    def repeat(self, paths: list[Path], pattern: Repetition) -> list[Path]:
        """Each path, continued by a pattern some times."""
        body, least = (pattern.body, pattern.least) if tree.span(pattern.body, 1)[0] else (tree.filled(pattern.body), 0)
        most = max(UNBOUNDED, pattern.least) if pattern.most is None else pattern.most
        if self.is_gap(body):
            return [wider(path, least, most) for path in paths]
        found: list[Path] = []
        if least == 0:
            paths = found = [self.expressions.name(path) for path in paths]
        for times in range(1, most + 1):
            paths = self.match(paths, body)
            if times >= least:
                if times < most:
                    paths = [self.expressions.name(path) for path in paths]
                found = [*found, *paths]
        return self.expressions.union(found, pattern.place)

    def is_gap(self, pattern: Pattern) -> bool:
        """Whether a pattern is a word of which nothing is asked, not even its relevance."""
        return isinstance(pattern, Word) and pattern.condition is None and not self.open

    def step(self, path: Path, word: Word) -> Path:
        """A path, continued by one word."""
        if self.is_gap(word):
            return path.waiting(1)
        row, table, where = self.row(path, word)
        if word.condition is not None:
            where.append(truth(word.condition, row))
        columns = dict(path.columns)
        if not path.tables:
            columns |= {name: f"{row.alias}.{name}" for name in dict.fromkeys((*self.source.key, "document", "sentence"))}
            columns["first_word"] = f"{row.alias}.word"
        columns["last_word"] = f"{row.alias}.word"
        if self.source.relevance and not self.late:
            term = f"{row.alias}.relevance::DOUBLE"
            columns["relevance"] = f"{path.columns['relevance']} + {term}" if path.tables else term
        for name in self.open:
            self.capture(columns, name, row)
        return Path(
            tables=(*path.tables, table, *row.joins()),
            where=(*path.where, *where),
            columns=columns,
            lead=path.lead if path.tables else path.gap,
            length=(path.length[0] + 1, path.length[1] + 1),
            ambiguous=path.ambiguous,
            free=path.free and word.condition is None,
            alone="" if path.tables else row.alias,
        )

    def row(self, path: Path, word: Word) -> tuple[Row, str, list[str]]:
        """A new row behind a path: the row, its table, its conditions."""
        alias = self.expressions.alias()
        if self.expressions.words > MOST_WORDS:
            remedy = f"at most {MOST_WORDS} words are joined: repeat less, or leave alternatives out"
            raise mistake(self.text, word.place, "the pattern is too long here", remedy)
        row, where = Row(alias, self.source, self.text, self.lexicon), self.source.conditions(alias, first=not path.tables)
        if not path.tables:
            return row, f"{self.source.table} AS {alias}", where
        return row, f"JOIN {self.source.table} AS {alias} ON {self.same_text(path, alias)} AND {alias}.word {path.place()}", where

    def same_text(self, path: Path, alias: str) -> str:
        """SQL that is true where a row belongs to the text, and the sentence, of a path."""
        same = [f"{alias}.{name} = {path.columns[name]}" for name in self.source.key]
        if self.within_sentence:
            same.append(f"{alias}.sentence IS NOT DISTINCT FROM {path.columns['sentence']}")
        return " AND ".join(same)

    def capture(self, columns: dict[str, str], name: str, row: Row) -> None:
        """Let an open capture cover one more word."""
        if name != MATCH:
            columns[f'"{name}.start"'] = first(columns[f'"{name}.start"'], lambda: f"{row.alias}.word")
            columns[f'"{name}.end"'] = f"{row.alias}.word"
        for wanted in self.captures.of(name):
            before = columns[wanted.column]
            if wanted.what.name in SUMMED and not before.startswith("NULL"):
                columns[wanted.column] = f"coalesce({before}, 0)::DOUBLE + {row.value(wanted.what, wanted.attribute).sql}"
            else:
                columns[wanted.column] = first(before, partial(self.own, row, wanted))

    def own(self, row: Row, wanted: Wanted) -> str:
        """What a word itself has of what a constraint needs."""
        return row.value(wanted.what, wanted.attribute).sql

    def ended(self, path: Path) -> Path:
        """A path with the words of the gaps at its ends, which must be there."""
        tables, columns = list(path.tables), dict(path.columns)
        if path.gap != (0, 0):
            last, alias = columns["last_word"], self.expressions.alias()
            place = f"BETWEEN {last} + {path.gap[0]} AND {last} + {path.gap[1]}"
            tables.append(f"JOIN {self.source.table} AS {alias} ON {self.same_text(path, alias)} AND {alias}.word {place}")
            columns["last_word"] = f"{alias}.word"
        if path.lead != (0, 0):
            first, alias = columns["first_word"], self.expressions.alias()
            place = f"BETWEEN {first} - {path.lead[1]} AND {first} - {path.lead[0]}"
            tables.append(f"JOIN {self.source.table} AS {alias} ON {self.same_text(path, alias)} AND {alias}.word {place}")
            columns |= {"first_word": f"{alias}.word", "sentence": f"{alias}.sentence"}
        return replace(
            path, tables=tuple(tables), columns=columns, gap=(0, 0), lead=(0, 0), alone="" if len(tables) > len(path.tables) else path.alone
        )


def first(before: str, own: Callable[[], str]) -> str:
    """The value of the first word that a capture covers: what is known before, or the word's own."""
    if before.startswith("NULL"):
        return own()
    return f"coalesce({before}, {own()})" if SHARED.match(before) else before  # in a table expression some rows may have none yet


def wider(path: Path, least: int, most: int) -> Path:
    """A path with a gap that is wider by `least` to `most` words; two gaps without a fixed width can lead to one match in several ways."""
    return replace(
        path,
        gap=(path.gap[0] + least, path.gap[1] + most),
        length=(path.length[0] + least, path.length[1] + most),
        ambiguous=path.ambiguous or (most > least and path.length[0] != path.length[1]),
    )


def has_gap(pattern: Pattern, *, captured: bool = False) -> bool:
    """Whether a pattern has words of which nothing is asked, outside of captures."""
    if isinstance(pattern, Word):
        return pattern.condition is None and not captured
    if isinstance(pattern, Capture):
        return has_gap(pattern.body, captured=True)
    if isinstance(pattern, Repetition):
        return has_gap(pattern.body, captured=captured)
    parts = pattern.parts if isinstance(pattern, tree.Sequence) else pattern.options
    return any(has_gap(part, captured=captured) for part in parts)


def has_no_end(pattern: Pattern) -> bool:
    """Whether a repetition of a pattern was written without an end."""
    if isinstance(pattern, Repetition):
        return pattern.most is None or has_no_end(pattern.body)
    if isinstance(pattern, Word):
        return False
    if isinstance(pattern, Capture):
        return has_no_end(pattern.body)
    return any(has_no_end(part) for part in (pattern.parts if isinstance(pattern, tree.Sequence) else pattern.options))
