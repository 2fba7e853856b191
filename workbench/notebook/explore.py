"""A pattern typed, its hits in context: a concordance that answers while one plays with it."""

from __future__ import annotations

import os

import ipywidgets as widgets

from workbench.errors import WorkbenchError
from workbench.patterns import concordance, find
from workbench.store import Store
from workbench.viz.concordance import concordance as page
from workbench.viz.escape import escape

ORDERS = {"most relevant first": "relevance", "as they stand": "document"}


def explore(
    store: Store | str | os.PathLike[str],
    pattern: str = "[relevance>0]",
    *,
    model: str | None = None,
    composite: str | None = None,
    limit: int = 20,
) -> widgets.VBox:
    """A field for a pattern in CQL, the order, the width of the context and the number of hits, over their concordance.

    Mistakes are shown in place, with the column. The store is opened for each answer and closed again, so that others can write.
    """
    path = store.path if isinstance(store, Store) else store
    asked = widgets.Text(pattern, description="pattern", continuous_update=False, layout=widgets.Layout(width="32rem"))
    order = widgets.Dropdown(options=list(ORDERS), description="order")
    width = widgets.IntSlider(8, 1, 20, description="context", continuous_update=False)
    most = widgets.IntSlider(limit, 5, 100, 5, description="hits", continuous_update=False)
    shown = widgets.HTML()

    def answer(_change: object = None) -> None:
        try:
            with Store.open(path, "read") as opened:
                wanted = ORDERS[order.value]
                hits = find(opened, asked.value, model=model, composite=composite, limit=most.value, order=wanted)  # type: ignore[arg-type]
                shown.value = page(concordance(opened, hits, width=width.value), said=hits.shown)
        except WorkbenchError as error:
            shown.value = f'<pre style="color:#b3261e">{escape(error.found)}\n{escape(error.remedy)}</pre>'

    for control in (asked, order, width, most):
        control.observe(answer, names="value")
    answer()
    return widgets.VBox([widgets.HBox([asked, order]), widgets.HBox([width, most]), shown])
