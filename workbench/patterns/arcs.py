"""Words joined by dependency arcs as SQL: one row a word, the dependent's head says which word it hangs on."""

from __future__ import annotations

from itertools import combinations

from workbench.patterns.attributes import KNOWN
from workbench.patterns.captures import MATCH, SUMMED, Captures
from workbench.patterns.comparing import comparison
from workbench.patterns.expression import truth
from workbench.patterns.lexicon import Lexicon
from workbench.patterns.mistake import mistake
from workbench.patterns.paths import Expressions, Path
from workbench.patterns.source import Row, Source
from workbench.patterns.tree import Arc, Arcs, Attribute, Capture, Text, Word
from workbench.store.literal import quoted


def arcs(text: str, pattern: Arcs, source: Source, lexicon: Lexicon | None, captures: Captures, expressions: Expressions) -> list[Path]:
    """The one way through a pattern of arcs; its words are different words, its relevance is theirs."""
    rows = [Row(expressions.alias(), source, text, lexicon) for _ in pattern.words]
    absent = {arc.dependent if arc.dependent > arc.head else arc.head for arc in pattern.arcs if arc.absent}
    there = [number for number in range(len(rows)) if number not in absent]
    words = [word.body if isinstance(word, Capture) else word for word in pattern.words]
    free = all(isinstance(words[number], Word) and words[number].condition is None for number in there)  # type: ignore[union-attr]
    if free and captures.query.constraint is None and all(arc.relation is None and not arc.absent for arc in pattern.arcs):
        raise mistake(text, 0, "the pattern matches every arc of the store", "name a relation, -amod->, or say something of a word")
    columns = described(pattern, rows, there, source, captures)
    tables, where = [f"{source.table} AS {rows[0].alias}"], list[str]()
    joined = {arc.dependent if arc.dependent > arc.head else arc.head: arc for arc in pattern.arcs}
    for number, (row, word) in enumerate(zip(rows, words, strict=True)):
        assert isinstance(word, Word)
        conditions = source.conditions(row.alias, first=not number)
        if word.condition is not None:
            conditions.append(truth(word.condition, row))
        if number:
            conditions += linked(text, joined[number], rows)
        same = [f"{row.alias}.{name} = {rows[0].alias}.{name}" for name in source.key]
        if number in absent:
            inner = "\n".join([f"SELECT 1 FROM {source.table} AS {row.alias}", *row.joins()])
            where.append(f"NOT EXISTS (\n{inner}\nWHERE {' AND '.join(same + conditions)})")
            continue
        if number:
            tables.append(f"JOIN {source.table} AS {row.alias} ON {' AND '.join(same)}")
        where += conditions
    for number in there:
        tables += rows[number].joins()
    where += [f"{rows[first].alias}.word <> {rows[second].alias}.word" for first, second in combinations(there, 2)]
    return [Path(tuple(tables), tuple(where), columns, length=(1, 1), free=free, alone="" if len(there) > 1 else rows[0].alias)]


def linked(text: str, arc: Arc, rows: list[Row]) -> list[str]:
    """SQL conditions of an arc: the dependent's head, and its relation."""
    head, dependent = rows[arc.head], rows[arc.dependent]
    conditions = [f"{dependent.column(KNOWN['head'])} = {head.alias}.word"]
    columns = [dependent.column(KNOWN["relation"])]
    if dependent.source.relevance:
        columns.append(f"{dependent.alias}x.relation")  # said of both rows of the word: then few rows are joined, whichever comes first
    for column in columns:
        if isinstance(arc.relation, Text):
            conditions.append(comparison(text, column, arc.relation))
        elif arc.relation:
            names = ", ".join(quoted(name) for name in arc.relation)
            conditions.append(f"{column} = {names}" if len(arc.relation) == 1 else f"{column} IN ({names})")
    return conditions


def described(pattern: Arcs, rows: list[Row], there: list[int], source: Source, captures: Captures) -> dict[str, str]:
    """The columns of a match of arcs."""
    first = rows[0].alias
    columns = {name: f"{first}.{name}" for name in dict.fromkeys((*source.key, "document", "sentence"))}
    places = [f"{rows[number].alias}.word" for number in there]
    columns["first_word"] = f"least({', '.join(places)})"
    columns["last_word"] = f"greatest({', '.join(places)})"
    if source.relevance:
        columns["relevance"] = " + ".join(f"{rows[number].alias}.relevance::DOUBLE" for number in there)
    for number in there:
        word = pattern.words[number]
        if isinstance(word, Capture):
            columns |= {f'"{word.name}.{end}"': f"{rows[number].alias}.word" for end in ("start", "end")}
            columns |= {wanted.column: rows[number].value(wanted.what, wanted.attribute).sql for wanted in captures.of(word.name)}
    for wanted in captures.of(MATCH):
        if wanted.what.name in SUMMED:
            columns[wanted.column] = " + ".join(sql(rows[number], wanted.attribute) for number in there)
        else:
            columns[wanted.column] = columns["first_word"] if wanted.what.name == "index" else sql(rows[0], wanted.attribute)
    return columns


def sql(row: Row, attribute: Attribute) -> str:
    """An attribute of one word, whoever was asked for it."""
    value = row.attribute(Attribute(None, attribute.name, attribute.place))
    return f"{value.sql}::DOUBLE" if value.kind == "real" else value.sql
