"""Options of the verbs that count relevance: what is counted, which relevance, of whom, and how often it must stand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from workbench.errors import InputError

Count: TypeAlias = Literal["form", "lemma", "upos", "xpos", "relation", "entity", "feature", "lexicon"]
Expectation: TypeAlias = Literal["share", "occurrences"]
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
Expected = Annotated[Expectation, typer.Option("--expected", help="Relevance is expected by share of all of it, or by occurrences.")]
Punctuation = Annotated[bool, typer.Option("--punctuation", help="Count punctuation and symbols as well.")]
Case = Annotated[bool, typer.Option("--case", help="Tell capital letters from small ones.")]
Chart = Annotated[Path | None, typer.Option("--chart", help="Write a chart (lifts or effects with intervals) to this .html file as well.")]


def conditions(where: list[str] | None) -> dict[str, list[str]]:
    """attribute=value as a mapping; InputError where there is no '='."""
    found: dict[str, list[str]] = {}
    for text in where or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"keep {text!r}", "no '='", "write --where attribute=value")
        found.setdefault(name, []).append(value)
    return found
