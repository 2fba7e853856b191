"""What a model may rely on instead of reading: the suspects of a report, each with the command that tests it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from workbench.errors import StoreError
from workbench.queries.shortcuts import shortcuts
from workbench.store import Store
from workbench.viz.data import COLUMNS

SUSPECTS = 8


def suspects(store: Store, shown: Mapping[str, str]) -> tuple[pl.DataFrame | None, str]:
    """The first suspects of a model, and how many pass with and without anything to be found; None where the model always says the same."""
    try:
        found = shortcuts(
            store, model=shown["model"], composite=shown["composite"], where={"corpus": shown["corpus"]}, limit=SUSPECTS
        )  # fmt: skip
    except StoreError as error:
        return None, error.found
    return found.frame.select(COLUMNS["suspects"]).head(SUSPECTS), found.control
