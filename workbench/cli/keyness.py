"""`workbench keyness`: what carries more relevance in one group of documents than in another."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import typer

from workbench.cli.counting import (
    By,
    Case,
    Chart,
    Composite,
    Documents,
    Expected,
    LexiconFile,
    Model,
    Occurrences,
    Permutations,
    Punctuation,
    Relevance,
    Role,
    Seed,
    What,
    Where,
    conditions,
)
from workbench.cli.formats import Format, FormatOption, Out, chosen
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import LIMIT, Limit, Reading, Row, Run, ShowSql


def keyness(
    focus: Annotated[list[str], typer.Argument(help="The group in focus: one or several values of --by; a..b is a span, 2019..2021.")],
    reference: Annotated[list[str] | None, typer.Option("--against", help="The reference; by default everything else.")] = None,
    by: By = "label",
    what: What = "lemma",
    n: Annotated[int, typer.Option("--words", min=1, max=5, help="Words in a row that are counted as one.")] = 1,
    relevance: Relevance = "positive",
    expected: Expected = "share",
    model: Model = None,
    composite: Composite = None,
    role: Role = None,
    where: Where = None,
    lexicon: LexiconFile = None,
    punctuation: Punctuation = False,
    case: Case = False,
    minimum_documents: Documents = 5,
    minimum_occurrences: Occurrences = 5,
    side: Annotated[Literal["focus", "reference", "both"], typer.Option(help="Whose key items are shown.")] = "focus",
    order: Annotated[
        Literal["certainty", "effect", "lift"],
        typer.Option(help="The most certain first, or the largest effect or lift among what is significant."),
    ] = "certainty",
    permutations: Permutations = 9_999,
    shuffles: Annotated[int, typer.Option(min=0, help="Shuffled labels of the null control.")] = 20,
    added: Annotated[float, typer.Option(min=0, help="N of simple maths: larger favours common words.")] = 1.0,
    seed: Seed = 0,
    chart: Chart = None,
    store: StorePath = DEFAULT_STORE,
    run: Run = None,
    limit: Limit = LIMIT,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
    row: Row = None,
) -> None:
    """What carries more relevance in one group than in another, beside classical keyness: frequent but idle, rare but decisive."""
    from workbench.queries.keyness import keyness as find
    from workbench.viz.chart_page import write_chart

    reading = Reading(store, run, limit, form, out, sql, row)
    with reading.open() as opened:
        found = find(
            opened, focus, reference or None, by=by, what=what, n=n, relevance=relevance, expected=expected, model=model,
            composite=composite, role=role, where=conditions(where), lexicon=lexicon, punctuation=punctuation, case=case,
            minimum_documents=minimum_documents, minimum_occurrences=minimum_occurrences, side=side, order=order,
            limit=limit if chart is None else 0, permutations=permutations, shuffles=shuffles, added=added, seed=seed,
        )  # fmt: skip
        if chart is not None:
            write_chart(found.chart, chart)
            found = replace(found, frame=found.frame.head(limit or len(found)))
        reading.show(opened, found.brief if chosen(form, out) is Format.table else found)
