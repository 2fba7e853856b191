"""`workbench clusters`: groups of relevant words that mean the like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.cli.formats import Format, FormatOption, Out, chosen, whole
from workbench.cli.options import DEFAULT_STORE, StorePath
from workbench.cli.reading import LIMIT, Limit, Reading, Row, Run, ShowSql

if TYPE_CHECKING:
    from workbench.queries.semantics.clusters import Embed
    from workbench.store import Store

VECTORS = "A sentence encoder by name or folder, or `corpus`: the store's own texts. By default what fits the language."
#: Columns for a terminal, which has to have room for the terms themselves.
SHOWN = ("model", "composite", "label", "share", "lift", "mean", "documents", "cohesion", "text")
#: Languages that the embedded encoder has learnt.
EMBEDDED = frozenset({"en", "de", "fr", "es"})


def clusters(
    vectors: Annotated[str | None, typer.Option(help=VECTORS)] = None,
    label: Annotated[str | None, typer.Option(help="Only this class explained.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model; by default every one that is no member of an ensemble.")] = None,
    composite: Annotated[str | None, typer.Option(help="Only this composite.")] = None,
    corpus: Annotated[str | None, typer.Option(help="Only documents of this corpus.")] = None,
    relevance: Annotated[Literal["for", "against", "either"], typer.Option(help="Which relevance makes a term worth grouping.")] = "for",
    terms: Annotated[int, typer.Option(min=10, help="Terms of most relevance that are grouped.")] = 300,
    minimum_documents: Annotated[int, typer.Option(min=1, help="Only terms in at least so many documents.")] = 2,
    minimum_size: Annotated[int, typer.Option(min=2, help="Terms that make a group.")] = 3,
    save: Annotated[Path | None, typer.Option(help="Write the groups as a lexicon: term, tab, category.")] = None,
    store: StorePath = DEFAULT_STORE,
    run: Run = None,
    limit: Limit = LIMIT,
    form: FormatOption = None,
    out: Out = None,
    sql: ShowSql = False,
    row: Row = None,
) -> None:
    """Group relevant words by meaning: what kinds of things does the model rely on? `--save` makes a lexicon for other questions."""
    from workbench.queries.semantics.clusters import clusters as group

    reading = Reading(store, run, limit, form, out, sql, row)
    with reading.open() as opened:
        found = group(
            opened, embedder(opened, vectors), model=model, composite=composite, label=label, corpus=corpus, relevance=relevance,
            terms=terms, minimum_documents=minimum_documents, minimum_size=minimum_size,
        )  # fmt: skip
        narrow = row is None and not sql and chosen(form, out) is Format.table
        reading.show(opened, replace(found.answer, frame=found.answer.frame.select(SHOWN)) if narrow else found.answer)
    if save is not None:
        lines = [f"{term}\t{category}\n" for term, category in found.lexicon.select("term", "category").iter_rows()]
        whole(save, ("term\tcategory\n" + "".join(lines)).encode())
        typer.echo(f"lexicon: {save}; workbench query categories --set lexicon={save}", err=True)


def embedder(store: Store, vectors: str | None) -> Embed | None:
    """Where vectors come from: what was named, else the embedded encoder for its languages, else the store's own texts."""
    if vectors is None:
        languages = set(store.sql("SELECT DISTINCT language FROM documents")["language"])
        vectors = "multilingual-similarity" if languages and languages <= EMBEDDED else "corpus"
    if vectors == "corpus":
        return None
    from functools import partial

    from workbench.models.vectors import term_vectors

    return partial(term_vectors, encoder=vectors)
