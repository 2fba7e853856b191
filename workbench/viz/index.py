"""A long table of a page: sorted and filtered in the browser by a few lines of script, the only ones that the page's policy lets run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
from markupsafe import Markup

from workbench.viz.frame_table import frame_table
from workbench.viz.styles import sheet

#: Characters and rows of a long table at most: with its rest a page stays below 5 MB, with Bengali at three bytes a letter.
BUDGET = 1_200_000
MOST = 5_000


@dataclass(frozen=True, slots=True)
class PageLead:
    """What stands behind a row: words in context (HTML), how many of how many, the command that shows all, the SQL of its documents."""

    name: str
    contexts: Markup
    shown: str
    command: str
    sql: str


@dataclass(frozen=True, slots=True)
class Index:
    """A frame as a long table under its title, `said` what it holds, `command` what gives all of it; `leads` are shown above it."""

    frame: pl.DataFrame
    said: str
    command: str
    leads: Sequence[PageLead] = ()
    title: str = "All terms"

    @property
    def table(self) -> Markup:
        """The table, cut where it would make the page too long; nothing for a frame without rows."""
        if not len(self.frame):
            return Markup("")
        whole = frame_table(self.frame.head(MOST))
        kept = min(len(self.frame), MOST, MOST * BUDGET // max(len(whole), BUDGET))
        if kept == len(self.frame):
            return Markup(whole)
        return Markup(frame_table(self.frame.head(kept), caption=f"{kept:,} of {len(self.frame):,} rows: the page has no room for more"))

    @property
    def script(self) -> Markup:
        """The script of the table."""
        return script()


@cache
def script() -> Markup:
    """The lines that sort and filter."""
    return Markup(files("workbench.viz").joinpath("templates", "table.js").read_text(encoding="utf-8"))


def with_index(index: Index | None, policy: str) -> dict[str, Any]:
    """What a page with a long table is rendered with: the table, its sheets and a policy that lets its script run."""
    if index is None:
        return {"policy": policy, "more_sheets": []}
    return {"policy": allowed(policy), "more_sheets": [sheet("concordance")], "index": index}


def allowed(policy: str) -> str:
    """A page's policy that lets this one script run, known by its digest, and no other."""
    digest = base64.b64encode(hashlib.sha256(str(script()).encode()).digest()).decode()
    return f"{policy}; script-src 'sha256-{digest}'"
