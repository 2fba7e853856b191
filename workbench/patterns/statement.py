"""The whole SQL statement of a pattern: its matches, how many there are, and the first of them with their documents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from workbench.patterns import pairs, tree
from workbench.patterns.arcs import arcs
from workbench.patterns.captures import MATCH, Captures, Constraint, gather
from workbench.patterns.choice import Choice
from workbench.patterns.expression import truth
from workbench.patterns.lexicon import Lexicon
from workbench.patterns.mistake import mistake
from workbench.patterns.paths import Expressions, Path, apart
from workbench.patterns.tree import Arcs, Capture, Pair, Query
from workbench.patterns.words import UNBOUNDED, Words, has_gap, has_no_end

Order: TypeAlias = Literal["relevance", "document"]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL that finds a pattern; `captures` have the columns `"a.start"` and `"a.end"`, `right` are those in the second text."""

    sql: str
    captures: tuple[str, ...]
    pair: bool
    right: frozenset[str] = frozenset()


def statement(query: Query, choice: Choice, lexicon: Lexicon | None, order: Order, limit: int) -> Statement:
    """The SQL of a pattern; `limit` 0 is all matches."""
    captures = gather(query, UNBOUNDED)
    expressions = Expressions(query)
    if isinstance(query.body, Pair):
        right = frozenset(capture.name for capture in tree.captures(query.body.right))
        hits = pairs.hits(query, query.body, choice, lexicon, captures, expressions)
        return Statement(
            pairs.finished(with_lexicon(lexicon, expressions, query), hits, captures.names, order, limit), captures.names, True, right
        )
    body, source = query.body, choice.source
    if isinstance(body, Arcs):
        found, late = arcs(query.text, body, source, lexicon, captures, expressions), False
    else:
        whole = Capture(MATCH, body, 0) if captures.whole else body
        late = source.relevance and has_gap(whole)
        sentence = query.within == "sentence" or (query.within is None and has_no_end(body))
        found = Words(query.text, source, lexicon, captures, expressions, sentence, late).paths(whole)
    hits = collected(query, captures, found, scored=source.relevance and not late, key=source.key)
    ctes = [*with_lexicon(lexicon, expressions, query), f"hits AS MATERIALIZED (\n{hits}\n)"]
    return Statement(finished(ctes, choice, captures.names, order, limit, late=late), captures.names, False)


def with_lexicon(lexicon: Lexicon | None, expressions: Expressions, query: Query) -> list[str]:
    """The table expressions so far, after the lexicon where the pattern asks for it."""
    return ([lexicon.sql] if lexicon is not None and "lexicon" in query.text else []) + expressions.parts


def collected(query: Query, captures: Captures, paths: list[Path], *, scored: bool, key: tuple[str, ...]) -> str:
    """All matches as one SELECT; a match that several ways lead to is one."""
    shown = {name: name for name in dict.fromkeys((*key, "document", "sentence"))}
    shown |= {"first_word": "match_start", "last_word": "match_end"} | ({"relevance": "relevance"} if scored else {})
    shown |= {f'"{name}.{end}"': f'"{name}.{end}"' for name in captures.names for end in ("start", "end")}
    needed = {wanted.column: wanted.column for wanted in captures.wanted} if query.constraint else {}
    renamed = [replace(path, columns={new: path.columns[old] for old, new in (shown | needed).items()}) for path in paths]
    several = not apart(paths)
    if not renamed:
        raise mistake(query.text, 0, "a pattern that only no word at all matches", "ask for at least one word")
    if query.constraint is None:
        return (
            "\nUNION ALL\n".join(path.select(list(shown.values())) for path in renamed)
            if not several
            else distinct(renamed, list(shown.values()))
        )
    inner = (
        distinct(renamed, [*shown.values(), *needed])
        if several
        else "\nUNION ALL\n".join(path.select([*shown.values(), *needed]) for path in renamed)
    )
    condition = truth(query.constraint, Constraint(captures, query.text))
    return f"SELECT {', '.join(shown.values())} FROM (\n{inner}\n)\nWHERE {condition}"


def distinct(paths: list[Path], columns: list[str]) -> str:
    """The paths' matches, each once."""
    if len(paths) == 1:
        return paths[0].select(columns, distinct=True)
    return "\nUNION\n".join(path.select(columns) for path in paths)


def finished(ctes: list[str], choice: Choice, names: tuple[str, ...], order: Order, limit: int, *, late: bool) -> str:
    """The statement that counts the matches and shows the first of them."""
    source = choice.source
    places = [f'"{name}.start"' for name in names]
    same = " AND ".join(f"w.{name} = h.{name}" for name in source.key)
    sums = (
        f"SELECT h.*, s.relevance FROM {{}} h JOIN (\n"
        f"SELECT {', '.join(f'h.{name}' for name in source.key)}, h.match_start, h.match_end, sum(w.relevance::DOUBLE) AS relevance\n"
        f"FROM (SELECT DISTINCT {', '.join(source.key)}, match_start, match_end FROM {{}}) h\n"
        f"JOIN word_relevance w ON {same} AND w.word BETWEEN h.match_start AND h.match_end GROUP BY ALL\n"
        f") s USING ({', '.join(source.key)}, match_start, match_end)"
    )
    by_document = ", ".join(["document", *source.key, "match_start", "match_end", *places])
    by = f"relevance DESC, {by_document}" if order == "relevance" and source.relevance else by_document
    cut = f" LIMIT {limit}" if limit else ""
    ctes = list(ctes)
    ranked = "hits"
    if late and order == "relevance":
        ctes.append(f"scored AS (\n{sums.format('hits', 'hits')}\n)")
        ranked = "scored"
    ctes.append(f"shown AS MATERIALIZED (SELECT * FROM {ranked} ORDER BY {by}{cut})")
    shown = "shown"
    if late and order == "document":
        ctes.append(f"scored AS (\n{sums.format('shown', 'shown')}\n)")
        shown = "scored"
    who = (
        "e.role, e.label AS explained, e.target, h.explanation"
        if source.relevance
        else "h.role, NULL::VARCHAR AS explained, NULL::VARCHAR AS target"
    )
    columns = ["h.document", "d.corpus", "d.identifier", who, "h.sentence", "h.match_start", "h.match_end"]
    columns.append("h.relevance" if source.relevance else "NULL::DOUBLE AS relevance")
    columns += [f'h."{name}.{end}"' for name in names for end in ("start", "end")]
    lines = [
        "WITH " + ",\n".join(ctes),
        f"SELECT {', '.join(columns)}, (SELECT count(*) FROM hits) AS total",
        f"FROM {shown} h JOIN documents d ON d.document = h.document",
        *(["JOIN explanations e ON e.explanation = h.explanation"] if source.relevance else []),
        "ORDER BY " + ", ".join("h." + part.strip() for part in by.split(",")),
    ]
    return "\n".join(lines)
