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

from workbench.viz.escape import escape
from workbench.viz.figures import NONE
from workbench.viz.frame_table import frame_table
from workbench.viz.styles import sheet

#: Bytes and rows of a long table at most: with its rest a page stays below 5 MB.
BUDGET = 3_200_000
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
    """A frame as a long table under its title, `said` what it holds, `command` what gives all of it; `leads` are shown above it.

    `behind` has for each row what it leads to (`behind_row`); `follow` is the command whose row of the same number is that of the table.
    """

    frame: pl.DataFrame
    said: str
    command: str
    leads: Sequence[PageLead] = ()
    title: str = "All terms"
    behind: Sequence[Markup] = ()
    follow: str = ""

    @property
    def table(self) -> Markup:
        """The table, cut where it would make the page too long; nothing for a frame without rows."""
        if not len(self.frame):
            return Markup("")
        rows = min(len(self.frame), MOST)
        whole = frame_table(self.numbered.head(rows), behind=self.behind[:rows])
        kept = min(rows, rows * BUDGET // len(whole.encode()))
        if kept == len(self.frame):
            return Markup(whole)
        said = f"{kept:,} of {len(self.frame):,} rows: the page has no room for more"
        return Markup(frame_table(self.numbered.head(kept), caption=said, behind=self.behind[:kept]))

    @property
    def numbered(self) -> pl.DataFrame:
        """The rows with their numbers, where a command follows them by number."""
        return self.frame.with_row_index("row", offset=1) if self.follow else self.frame

    @property
    def script(self) -> Markup:
        """The script of the table."""
        return script()


def behind_row(documents: Sequence[str], command: str) -> Markup:
    """What a row leads to, folded: the documents that hold most of it, and the command that shows its words in context."""
    named = Markup(", ").join(Markup("<bdi>{}</bdi>").format(escape(one)) for one in documents) or NONE
    return Markup("<details><summary>follow</summary>{}<br><code>{}</code></details>").format(named, escape(command))


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
