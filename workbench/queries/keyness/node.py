"""The words around a node: in a window, in its sentence, or at the other end of a dependency arc."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from workbench.errors import InputError, StoreError
from workbench.patterns import sql_of
from workbench.patterns.choice import choose
from workbench.queries.keyness.groups import UNITS, Values, kept_rows
from workbench.queries.keyness.items import Items
from workbench.store import Store

Span: TypeAlias = Literal["window", "sentence", "dependency"]
SPANS: tuple[Span, ...] = get_args(Span)
WIDEST = 50
ASKED = "find collocates"


@dataclass(frozen=True, slots=True)
class Around:
    """Which words count as near a node: `window` words on either side within its sentence, all of it, or those joined to it by an arc."""

    span: Span = "window"
    window: int = 5

    @property
    def name(self) -> str:
        """Where, in words."""
        names = {"window": f"within {self.window} words", "sentence": "in the sentence", "dependency": "joined by an arc"}
        return names[self.span]

    @property
    def near(self) -> str:
        """SQL that is true for a word (alias b) near a place of the node (alias h)."""
        if self.span == "dependency":
            return "b.anchor BETWEEN h.match_start AND h.match_end AND b.word NOT BETWEEN h.match_start AND h.match_end"
        here = "b.word NOT BETWEEN h.match_start AND h.match_end AND b.sentence IS NOT DISTINCT FROM h.sentence"
        if self.span == "sentence":
            return here
        return f"{here} AND b.word BETWEEN h.match_start - {self.window:d} AND h.match_end + {self.window:d}"


def around(span: str, window: int) -> Around:
    """Which words count as near; InputError for what is none of the spans."""
    if span not in SPANS:
        raise InputError(ASKED, f"the span {span!r}", f"choose one of {', '.join(SPANS)}")
    if not 1 <= window <= WIDEST:
        raise InputError(ASKED, f"a window of {window} words", f"give 1 to {WIDEST}")
    return Around(span, window)


@dataclass(frozen=True, slots=True)
class Nodes:
    """SQL of the node's places (`hits`) and of the words of the documents that hold it (`base`); how many there are, and whose."""

    hits: str
    base: str
    model: str | None
    composite: str | None
    count: int
    documents: int
    block: int


@contextmanager
def nodes(
    store: Store,
    pattern: str,
    counted: Items,
    where: Around,
    *,
    model: str | None,
    composite: str | None,
    role: str | None,
    kept: Mapping[str, Values],
    seed: int,
) -> Iterator[Nodes]:
    """The node's places and the words of its documents, in the temporary tables node_hit and node_word.

    Raises StoreError where the pattern has no place in the store, InputError where it is wrong.
    """
    choice = choose(store, model=model, composite=composite, role=role, asked=ASKED)
    if not choice.source.relevance:
        raise StoreError(ASKED, "no relevance of words in this store", "explain the corpus first: workbench run")
    found = hits_sql(store, pattern, model=model, composite=composite, role=role, kept=kept)
    store.connection.execute(f"CREATE OR REPLACE TEMP TABLE node_hit AS {found}")
    try:
        count, documents = store.sql("SELECT count(*), count(DISTINCT document) FROM node_hit").row(0)
        if not count:
            raise StoreError(ASKED, f"nothing that the pattern {pattern} finds", f"look for it first: workbench find {pattern!r}")
        block = -(-int(documents) // UNITS)
        base = words_sql(counted, where, block=block, seed=seed)
        store.connection.execute(f"CREATE OR REPLACE TEMP TABLE node_word AS {base}")
        yield Nodes(found, base, choice.model, choice.composite, int(count), int(documents), block)
    finally:
        for name in ("node_word", "node_hit"):
            store.connection.execute(f"DROP TABLE IF EXISTS {name}")


def hits_sql(store: Store, pattern: str, *, model: str | None, composite: str | None, role: str | None, kept: Mapping[str, Values]) -> str:
    """The statement that finds the node's places."""
    matched = sql_of(pattern, store=store, model=model, composite=composite, role=role, limit=0, order="document")
    if "right_start" in matched:
        raise InputError(ASKED, "a pattern of two texts", "give a pattern of one text")
    source, conditions = kept_rows(ASKED, kept)
    only = f" WHERE h.explanation IN (SELECT e.explanation FROM {source} WHERE {' AND '.join(conditions)})" if kept else ""
    return f"SELECT DISTINCT h.explanation, h.document, h.sentence, h.match_start, h.match_end FROM (\n{matched}\n) h{only}"


def words_sql(counted: Items, where: Around, *, block: int, seed: int) -> str:
    """The statement that lists the words of the documents that hold the node, without the node itself; `id` numbers them."""
    unit = f"(row_number() OVER (ORDER BY hash(document, {seed:d}), document) - 1) // {block}"
    plain = counted.condition_of_words()
    outside = "NOT EXISTS (SELECT 1 FROM node_hit n WHERE n.explanation = w.explanation AND w.word BETWEEN n.match_start AND n.match_end)"
    here = "u.document = w.document AND w.explanation IN (SELECT explanation FROM node_hit)"
    if where.span != "dependency":
        rows = f"""SELECT w.explanation, w.document, u.unit, w.word, w.sentence, NULL::INTEGER AS anchor, w.relevance::DOUBLE AS relevance,
           {counted.columns}
    FROM unit u, {counted.view} WHERE {here} AND {plain} AND {outside}"""
    else:
        tables = """unit u, word_relevance w JOIN words x ON x.document = w.document AND x.role = w.role AND x.word = w.word
    JOIN word_relevance g ON g.explanation = w.explanation AND g.word = x.head AND g.kind = 'word'"""

        def arc(word: str, anchor: str, item: str) -> str:
            outer = outside.replace("w.", f"{word}.")
            return f"""SELECT w.explanation, w.document, u.unit, {word}.word, w.sentence, {anchor}.word AS anchor,
           {word}.relevance::DOUBLE AS relevance, {item} AS item
    FROM {tables} WHERE {here} AND w.kind = 'word' AND {counted.condition_of_words(word)} AND {outer}"""

        relation = "coalesce(w.relation, '?')"
        down = arc("w", "g", f"'-' || {relation} || '-> ' || {counted.expression('w')}")
        up = arc("g", "w", f"'<-' || {relation} || '- ' || {counted.expression('g')}")
        rows = f"{down}\n    UNION ALL\n    {up}"
    return f"""WITH unit AS (
    SELECT document, {unit} AS unit FROM (SELECT DISTINCT document FROM node_hit)
), rows AS (
    {rows}
)
SELECT row_number() OVER () AS id, * FROM rows"""


def random_nodes_sql(seed: int) -> str:
    """The statement that puts as many nodes on random words of the same texts."""
    return f"""SELECT h.explanation, h.document, r.sentence, r.word AS match_start, r.word + h.match_end - h.match_start AS match_end
FROM (SELECT *, row_number() OVER (PARTITION BY explanation ORDER BY match_start, match_end) AS place FROM node_hit) h
JOIN (SELECT explanation, sentence, word, row_number() OVER (PARTITION BY explanation ORDER BY hash(explanation, word, {seed:d})) AS place
      FROM (SELECT DISTINCT explanation, sentence, word FROM node_word)) r
  ON r.explanation = h.explanation AND r.place = h.place"""
