"""`workbench query`, `show`, `verify` and `export`: what is in a store, and whether it is sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.counting import Chart
from workbench.cli.formats import FormatOption, Out
from workbench.cli.options import DEFAULT_STORE, AsJson, StorePath
from workbench.cli.reading import LIMIT, Limit, Reading, Row, Run, ShowSql, print_frame
from workbench.errors import InputError
from workbench.fingerprint import Json

if TYPE_CHECKING:
    from workbench.store import Store
    from workbench.viz.contribution_map import ContributionData
    from workbench.viz.pair import Pair

Settings = Annotated[list[str] | None, typer.Option("--set", help="A parameter of the query, name=value; may be given several times.")]


def query(
    name: Annotated[str | None, typer.Argument(help="Name of a question; without it all questions are listed.")] = None,
    store: StorePath = DEFAULT_STORE,
    settings: Settings = None,
    chart: Chart = None,
    run: Run = None,
    limit: Limit = LIMIT,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
    row: Row = None,
) -> None:
    """Ask the store a question by name; `--row 3` follows the third row to its words in context and its documents."""
    from workbench.cli.terminal import console, visible
    from workbench.queries import answer, describe, names, sql_of

    if name is None:
        width = max(map(len, names()))
        for known in names():
            console().print(visible(f"{known:<{width}} {describe(known).title}"))
        return
    given = dict(setting(text) for text in settings or [])
    if sql:  # needs no store
        typer.echo(sql_of(name, **given))
        return
    reading = Reading(store, run, limit, form, out, sql, row)
    with reading.open() as opened:
        found = answer(opened, name, **given)
        if chart is not None:
            from workbench.viz.chart_page import write_chart
            from workbench.viz.grammar_charts import lifts

            write_chart(lifts(found.frame, found.title), chart)
        reading.show(opened, found)


def setting(text: str) -> tuple[str, str]:
    """Splits name=value; InputError where there is no '='."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"set a parameter by {text!r}", "no '='", "write --set name=value")
    return name, value


def show(
    identifier: Annotated[str, typer.Argument(help="Identifier of a document.")],
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Show one post, a pair of texts or a translation: coloured by relevance, then the words that matter, or what they share or took."""
    import polars as pl

    from workbench.cli.terminal import console, print_json, visible
    from workbench.queries import query as ask
    from workbench.store import Store
    from workbench.viz.terminal import post_line

    with Store.open(store, "read") as opened:
        if found := stored_pairs(opened, identifier):
            return show_pairs(found, as_json=as_json)
        if translated := stored_translations(opened, identifier):
            return show_translations(translated, as_json=as_json)
        words = ask(opened, "post", identifier=identifier)
        texts = opened.sql(
            "SELECT d.corpus, d.label, s.role, s.text FROM documents d JOIN segments s USING (document) WHERE d.identifier = $1",
            [identifier],
        )
    if not len(texts):
        raise InputError(f"show {identifier}", f"no such document in {store}", "list identifiers: workbench export documents documents.csv")
    if as_json:
        return print_json({"texts": texts.to_dicts(), "words": words.to_dicts()})
    out = console()
    for (corpus, role, model, label), part in words.group_by("corpus", "role", "model", "label", maintain_order=True):
        text, gold = texts.filter((pl.col("corpus") == corpus) & (pl.col("role") == role)).select("text", "label").row(0)
        out.print(visible(f"{corpus} {identifier}: labelled {gold}, {model} explains {label}", "bold"))
        out.print(post_line(part, text=text))
    columns = ["relevance", "share", "upos", "lemma", "form"]
    print_frame(words.filter(pl.col("kind") == "word").select(columns).sort("relevance", descending=True), "words by relevance")
    return None


def stored_pairs(store: Store, identifier: str) -> list[Pair]:
    """The explanations of a pair of texts; none where the document is no pair."""
    from workbench.queries.pairs import pairs

    return pairs(store, identifier)


def show_pairs(pairs: list[Pair], *, as_json: bool) -> None:
    """Shows one pair of texts for each model that explains it."""
    from workbench.cli.terminal import console, print_json
    from workbench.viz.pair_terminal import pair_summary

    if as_json:
        return print_json({"pairs": [as_rows(pair) for pair in pairs]})
    for pair in pairs:
        console().print(pair_summary(pair))
    return None


def stored_translations(store: Store, identifier: str) -> list[ContributionData]:
    """The explained translations of a document; none where there is none."""
    from workbench.queries.translations import translations

    return translations(store, identifier)


def show_translations(translations: list[ContributionData], *, as_json: bool) -> None:
    """Shows each explained translation of one document: the share of the source by word, and the strongest contributions."""
    from workbench.cli.terminal import console, print_json
    from workbench.viz.pair_terminal import translation_summary

    if as_json:
        frames: list[Json] = [{"facts": dict(one.facts), "unit": one.unit, "sources": one.sources.to_dicts(), "steps": one.steps.to_dicts(),
                   "cells": one.cells.to_dicts()} for one in translations]  # fmt: skip
        return print_json({"translations": frames})
    for one in translations:
        console().print(translation_summary(one))
        console().print()
    return None


def as_rows(pair: Pair) -> Json:
    """A pair for other programs."""
    cells = pair.cells.drop("explanation", "document", "similarity").to_dicts()
    return {"texts": [pair.left_text, pair.right_text], "similarity": pair.similarity, **pair.facts, "cells": cells}


def verify(store: Annotated[Path, typer.Argument(help="The relevance store.")] = DEFAULT_STORE) -> None:
    """Read the whole store and compare it with its ledger; exit code 1 where something is wrong."""
    from workbench.cli.terminal import console, visible
    from workbench.store import verify as check

    findings = check(store)
    console().print(visible(findings))
    if not findings.clean:
        raise typer.Exit(findings.exit_status)


def export(
    what: Annotated[str, typer.Argument(help="A view (documents, words, word_relevance …) or a question by name.")],
    target: Annotated[Path, typer.Argument(help="File to write: .csv, .jsonl or .parquet.")],
    store: StorePath = DEFAULT_STORE,
    settings: Settings = None,
) -> None:
    """Write a view, or the answer to a question, to a file."""
    from workbench.cli.terminal import console, visible
    from workbench.queries import names
    from workbench.queries import query as ask
    from workbench.store import Store
    from workbench.store.export import export as write

    if what not in names() and not what.isidentifier():
        raise InputError(f"export {what}", "no view or question of that name", "list the questions: workbench query")
    with Store.open(store, "read") as opened:
        wanted = ask(opened, what, **dict(setting(text) for text in settings or [])) if what in names() else what
        rows = write(opened, wanted, target)
    console().print(visible(f"{rows:,} rows written to {target}"))
