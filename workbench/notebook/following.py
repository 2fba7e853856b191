"""From a row of an answer to what stands behind it: its words in context, its documents, and the query of both."""

from __future__ import annotations

import os
from typing import Any

from markupsafe import Markup

from workbench.notebook.html import Html
from workbench.patterns import concordance
from workbench.queries import Answer, Lead, answer
from workbench.store import Store
from workbench.viz.concordance import concordance as in_context
from workbench.viz.escape import escape
from workbench.viz.figures import figure
from workbench.viz.frame_table import data

CONTEXTS, DOCUMENTS = 8, 6
Place = Store | str | os.PathLike[str]


def ask(store: Place, name: str, **parameters: Any) -> Answer:
    """Answers a question by name as `query` does, with the trust line below it, and rows that can be followed."""
    with Store.open(where(store), "read") as opened:
        return answer(opened, name, **parameters)


def follow(store: Place, answered: Answer, row: int = 1, *, contexts: int = CONTEXTS, documents: int = DOCUMENTS) -> Html:
    """What stands behind a row, counted from 1: its values, the words in their contexts, the documents, and the SQL of both.

    Raises InputError where there is no such row, or nothing stands behind it that can be shown.
    """
    lead = answered.lead(row)
    with Store.open(where(store), "read") as opened:
        parts = [Markup("<p><b>{}</b><br>{}</p>").format(escape(f"row {row} of {answered.title}"), escape(values(lead)))]
        parts += [Markup(shown_in_context(opened, lead, contexts))] if lead.pattern is not None else []
        found = opened.sql(lead.documents)
    said = f"{min(documents, len(found)):,} of {len(found):,} documents, the strongest first"
    parts.append(Markup(data(found.head(documents), caption=said)))
    queries = f"-- documents\n{lead.documents};\n\n-- rows\n{lead.rows};"
    parts.append(Markup("<details><summary>the queries behind it</summary><pre>{}</pre></details>").format(escape(queries)))
    return Html(Markup('<div class="workbench">{}</div>').format(Markup("").join(parts)))


def shown_in_context(store: Store, lead: Lead, contexts: int) -> str:
    """The words of a row, the most relevant first, each in its context."""
    hits = lead.hits(store, contexts)
    return in_context(concordance(store, hits), said=f"{lead.pattern}: {hits.shown}")


def values(lead: Lead) -> str:
    """The values of the row in one line."""
    shown = ((name, figure(value) if isinstance(value, float) else value) for name, value in lead.values.items() if value is not None)
    return " · ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown if not isinstance(value, list))


def where(store: Place) -> str | os.PathLike[str]:
    """The path of a store."""
    return store.path if isinstance(store, Store) else store
