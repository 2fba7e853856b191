"""`workbench collocates`: which words around a node carry relevance."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from workbench.cli.counting import (
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


def collocates(
    node: Annotated[str, typer.Argument(help="A word, or a pattern of one text: '\\[lemma=\"treat\" & relevance>0.1]'.")],
    window: Annotated[int, typer.Option(min=1, max=50, help="Words on either side, within the sentence.")] = 5,
    span: Annotated[
        Literal["window", "sentence", "dependency"], typer.Option(help="What is near: words, the sentence, ends of arcs.")
    ] = "window",
    what: What = "lemma",
    relevance: Relevance = "positive",
    expected: Expected = "share",
    model: Model = None,
    composite: Composite = None,
    role: Role = None,
    where: Where = None,
    lexicon: LexiconFile = None,
    punctuation: Punctuation = False,
    case: Case = False,
    minimum_documents: Documents = 3,
    minimum_occurrences: Occurrences = 3,
    side: Annotated[
        Literal["near", "elsewhere", "both"], typer.Option(help="What carries more near the node, elsewhere, or either.")
    ] = "near",
    permutations: Permutations = 9_999,
    controls: Annotated[int, typer.Option(min=0, help="Sets of random nodes of the null control.")] = 10,
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
    """Which words around a word or pattern hold more relevance than elsewhere in the same documents, beside classical collocation."""
    from workbench.queries.keyness import collocates as find
    from workbench.viz.chart_page import write_chart

    reading = Reading(store, run, limit, form, out, sql, row)
    with reading.open() as opened:
        found = find(
            opened, node, window=window, span=span, what=what, relevance=relevance, expected=expected, model=model, composite=composite,
            role=role, where=conditions(where), lexicon=lexicon, punctuation=punctuation, case=case, minimum_documents=minimum_documents,
            minimum_occurrences=minimum_occurrences, side=SIDES[side], limit=limit, permutations=permutations, controls=controls, seed=seed,
        )  # fmt: skip
        if chart is not None:
            write_chart(found.chart, chart)
        reading.show(opened, found.brief if chosen(form, out) is Format.table else found)


SIDES: dict[str, Literal["focus", "reference", "both"]] = {"near": "focus", "elsewhere": "reference", "both": "both"}
