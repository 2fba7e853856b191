"""`workbench show`: one document in the terminal, word by word: a text, a pair of texts, a translation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.formats import Format, FormatOption, Out
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import LIMIT, Reading, Rows, Run, ShowSql, cut, print_frame, trusted
from workbench.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from workbench.queries import Answer
    from workbench.store import Store

#: The question that a document answers, and the view that says whether it does; what is neither pair nor translation is a text.
KINDS = (("pair", "pairs"), ("translation", "translations"), ("post", "documents"))
TEXTS = """
SELECT d.corpus, d.label, s.role, s.text FROM documents d JOIN segments s USING (document) WHERE d.identifier = $1"""
#: Interactions and contributions that are listed under a drawing unless `--limit` says otherwise.
STRONGEST = 8
COLUMNS = ["relevance", "share", "upos", "lemma", "form"]


def show(
    identifier: Annotated[str, typer.Argument(help="Identifier of a document.")],
    store: StorePath = DEFAULT_STORE,
    run: Run = None,
    limit: Rows = None,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
) -> None:
    """Show one post, a pair of texts or a translation: coloured by relevance, then the words that matter, or what they share or took.

    Piped, or in another format: its words with their relevance, its interactions, or its contributions, a row each.
    """
    from workbench.queries import answer, sql_of

    reading = Reading(store, run, limit, form, out, sql)
    with reading.open() as opened:
        question = kind(opened, identifier)
        if question is None:
            remedy = "list identifiers: workbench export documents documents.csv"
            raise InputError(f"show {identifier}", f"no such document in {store}", remedy)
        if sql:
            reading.print_sql(sql_of(question, identifier=identifier))
            return
        found = answer(opened, question, identifier=identifier)
        if reading.wanted is not Format.table:
            reading.show(opened, found)
            return
        notes = SHOW[question](opened, identifier, found, limit)
        reading.tell([*notes, *trusted(found.trust)])


def kind(store: Store, identifier: str) -> str | None:
    """The question that a document answers; None where it is not there."""
    for question, view in KINDS:
        if store.sql(f"SELECT 1 FROM {view} WHERE identifier = $1 LIMIT 1", [identifier]).height:
            return question
    return None


def show_post(store: Store, identifier: str, found: Answer, limit: int | None) -> list[str]:
    """Each text on the colours of its words, once for each class explained, then its words by relevance."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.viz.terminal import post_line

    out, texts, words = console(), store.sql(TEXTS, [identifier]), found.frame
    for (corpus, role, model, label), part in words.group_by("corpus", "role", "model", "label", maintain_order=True):
        text, gold = texts.filter((pl.col("corpus") == corpus) & (pl.col("role") == role)).select("text", "label").row(0)
        out.print(visible(f"{corpus} {identifier}: labelled {gold}, {model} explains {label}", "bold"))
        out.print(post_line(part, text=text))
    if words.is_empty():
        for corpus, gold, role, text in texts.select("corpus", "label", "role", "text").iter_rows():
            out.print(visible(f"{corpus} {identifier}, {role}: labelled {gold}, not explained", "bold"))
            out.print(visible(text))
        return []
    ranked = words.filter(pl.col("kind") == "word").sort("relevance", descending=True)
    return [strongest(ranked.select(COLUMNS), LIMIT if limit is None else limit, "words by relevance")]


def strongest(frame: pl.DataFrame, most: int, title: str) -> str:
    """Prints the first rows; how many of how many they are."""
    shown = frame.head(most) if most else frame
    print_frame(shown, title)
    said = f"{len(frame):,} words" if len(shown) == len(frame) else f"{len(shown):,} of {len(frame):,} words"
    return cut(said, len(frame) - len(shown))


def show_pair(store: Store, identifier: str, found: Answer, limit: int | None) -> list[str]:
    """A pair of texts, once for each model that explains it."""
    from workbench.cli.terminal import console
    from workbench.queries.pairs import pairs
    from workbench.viz.pair_terminal import pair_summary

    for pair in pairs(store, identifier):
        console().print(pair_summary(pair, strongest=STRONGEST if limit is None else limit or len(found)))
    return [f"the strongest of {len(found):,} interactions; all: --format csv"]


def show_translation(store: Store, identifier: str, found: Answer, limit: int | None) -> list[str]:
    """Each explained translation of a document: the share of the source by word, and the strongest contributions."""
    from workbench.cli.terminal import console
    from workbench.queries.translations import translations
    from workbench.viz.pair_terminal import translation_summary

    for one in translations(store, identifier):
        console().print(translation_summary(one, strongest=STRONGEST if limit is None else limit or len(found)))
        console().print()
    return [f"the strongest of {len(found):,} contributions; all: --format csv"]


SHOW = {"post": show_post, "pair": show_pair, "translation": show_translation}
