"""Finding a pattern in a store: the matches as a frame, how many there are, and the SQL that found them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl

from workbench.errors import InputError, StoreError, WorkbenchError
from workbench.patterns import lexicon as lexicons
from workbench.patterns.choice import PAIR, Choice, choose
from workbench.patterns.parse import parse
from workbench.patterns.source import Source
from workbench.patterns.statement import Order, statement
from workbench.patterns.texts import with_texts
from workbench.patterns.tree import Pair
from workbench.store import Store

#: Seconds after which a query is given up.
SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Hits:
    """The matches of a pattern: `frame` holds those that are shown, `total` counts all there are.

    Columns of `frame`: document, corpus, identifier, role, explained (class), target, explanation, sentence, match_start, match_end (first
    and last word, counted from 0), match (its words), relevance (their sum; of arcs that of the words joined, of a pair the interaction);
    for a pair also right_start, right_end, right and similarity; for each capture `a`: a (its words), a_start, a_end, a_lemma, a_relevance.
    `notices` says what a reader must know, for example of lexicon terms that no single word can match.
    """

    frame: pl.DataFrame
    total: int
    pattern: str
    sql: str
    order: Order
    model: str | None
    composite: str | None
    captures: tuple[str, ...]
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def is_pair(self) -> bool:
        """Whether the matches lie in two texts."""
        return "right_start" in self.frame.columns

    @property
    def shown(self) -> str:
        """How many of how many, in words: 50 of 42,271 hits."""
        noun = "hit" if self.total == 1 else "hits"
        return f"{self.total:,} {noun}" if len(self) == self.total else f"{len(self):,} of {self.total:,} {noun}"


def find(
    store: Store,
    pattern: str,
    *,
    model: str | None = None,
    composite: str | None = None,
    role: str | None = None,
    run: int | None = None,
    lexicon: lexicons.Given | None = None,
    limit: int | None = 50,
    order: Order = "relevance",
    seconds: float = SECONDS,
) -> Hits:
    """The words, phrases, arcs or pairs of words that a pattern describes, the most relevant first.

    Model, composite, role and run choose whose relevance counts; `limit` None (or 0) gives all. Every match counts, overlapping ones too.
    Raises InputError that points at a mistake in the pattern, StoreError where a choice is missing or the query takes too long.
    """
    limit = checked(order, limit)
    query, terms = parse(pattern), lexicons.read(lexicon)
    choice = choose(store, model=model, composite=composite, role=role, run=run, pair=isinstance(query.body, Pair))
    made = statement(query, choice, terms, order, limit)
    with limited(store, seconds):
        frame = store.sql(made.sql)
        total = int(frame["total"][0]) if len(frame) else 0
        frame = with_texts(store, frame.drop("total"), made)
    notices = (f"{terms.phrases:,} lexicon terms of several words match no single word",) if terms is not None and terms.phrases else ()
    return Hits(frame, total, pattern, made.sql, order, choice.model, choice.composite, made.captures, notices)


def sql_of(
    pattern: str,
    *,
    store: Store | None = None,
    model: str | None = None,
    composite: str | None = None,
    role: str | None = None,
    run: int | None = None,
    lexicon: lexicons.Given | None = None,
    limit: int | None = 50,
    order: Order = "relevance",
) -> str:
    """The SQL statement that finds a pattern, complete in itself: `Store.sql` and any DuckDB client run it.

    Without a store to ask, model, composite, role and run are conditions only where they are given. Raises errors as `find` does.
    """
    query, terms, limit = parse(pattern), lexicons.read(lexicon), checked(order, limit)
    if store is not None:
        choice = choose(store, model=model, composite=composite, role=role, run=run, pair=isinstance(query.body, Pair))
        return statement(query, choice, terms, order, limit).sql
    given = {"model": model, "composite": composite, "role": role}
    source = Source(chosen=tuple((column, value) for column, value in given.items() if value is not None), run=run)
    if isinstance(query.body, Pair) and role is not None and role.count(PAIR) != 1:
        raise InputError("write the SQL of a pair", f"the role {role}", f"name both roles: text_a{PAIR}text_b")
    return statement(query, Choice(model, composite, role, source), terms, order, limit).sql


def checked(order: str, limit: int | None) -> int:
    """The limit as a number, 0 for all; InputError for an order or limit that is none."""
    if order not in ("relevance", "document"):
        raise InputError("find a pattern", f"the order {order!r}", 'use "relevance" or "document"')
    if limit is not None and limit < 0:
        raise InputError("find a pattern", f"the limit {limit}", "give a number of hits, 0 for all")
    return limit or 0


@contextmanager
def limited(store: Store, seconds: float) -> Iterator[None]:
    """Give a query up after some seconds, with a clear word."""
    done, gone = threading.Event(), threading.Event()

    def watch() -> None:
        if not done.wait(seconds):
            gone.set()
            while not done.wait(0.05):  # again and again: an interruption between two statements is lost
                store.connection.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except WorkbenchError:
        if not gone.is_set():
            raise
        remedy = "ask for less: a rarer word in the pattern, within sentence, fewer repetitions; or give it more seconds"
        raise StoreError("find a pattern", f"no answer within {seconds:g} seconds", remedy) from None
    finally:
        done.set()
        watcher.join()
