"""`workbench keyness`: what carries more relevance in one group of documents than in another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from workbench.cli.formats import Format, FormatOption, Out, chosen
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import LIMIT, Limit, Reading, Row, Run, ShowSql
from workbench.errors import InputError

Count: TypeAlias = Literal["form", "lemma", "upos", "xpos", "relation", "entity", "feature", "lexicon"]
Measure: TypeAlias = Literal["positive", "negative", "absolute", "signed"]
BY = "label, split, language, corpus, role, explained, predicted, correct, model, composite, run or metadata.FIELD."
By = Annotated[str, typer.Option("--by", help=BY)]
What = Annotated[Count, typer.Option("--what", help="What is counted; lexicon needs --lexicon.")]
Relevance = Annotated[
    Measure, typer.Option("--relevance", help="What speaks for the target, against it, either, or the sum with its sign.")
]
Model = Annotated[str | None, typer.Option("--model", help="Whose relevance; needed where the store holds several models.")]
Composite = Annotated[str | None, typer.Option("--composite", help="By which composite; needed where there are several.")]
Role = Annotated[str | None, typer.Option("--role", help="In which text of the documents; by default in all.")]
Where = Annotated[
    list[str] | None, typer.Option("--where", help="Only what has this: attribute=value, as for --by; may be given several times.")
]
LexiconFile = Annotated[Path | None, typer.Option("--lexicon", help="File of term, tab, category.")]
Documents = Annotated[int, typer.Option("--minimum-documents", min=1, help="Only what stands in so many documents.")]
Occurrences = Annotated[int, typer.Option("--minimum-occurrences", min=1, help="Only what stands so many times.")]
Permutations = Annotated[int, typer.Option("--permutations", min=1, help="Permutations of the test.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything that is drawn.")]


def keyness(
    focus: Annotated[list[str], typer.Argument(help="The group in focus: one or several values of --by; a..b is a span, 2019..2021.")],
    reference: Annotated[list[str] | None, typer.Option("--against", help="The reference; by default everything else.")] = None,
    by: By = "label",
    what: What = "lemma",
    n: Annotated[int, typer.Option("--words", min=1, max=5, help="Words in a row that are counted as one.")] = 1,
    relevance: Relevance = "positive",
    expected: Annotated[
        Literal["share", "occurrences"], typer.Option(help="Relevance is expected by share of all of it, or by occurrences.")
    ] = "share",
    model: Model = None,
    composite: Composite = None,
    role: Role = None,
    where: Where = None,
    lexicon: LexiconFile = None,
    punctuation: Annotated[bool, typer.Option("--punctuation", help="Count punctuation and symbols as well.")] = False,
    case: Annotated[bool, typer.Option("--case", help="Tell capital letters from small ones.")] = False,
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
    chart: Annotated[Path | None, typer.Option("--chart", help="Write a chart to this HTML file: lift by frequency.")] = None,
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


def conditions(where: list[str] | None) -> dict[str, list[str]]:
    """attribute=value as a mapping; InputError where there is no '='."""
    found: dict[str, list[str]] = {}
    for text in where or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"keep {text!r}", "no '='", "write --where attribute=value")
        found.setdefault(name, []).append(value)
    return found
