"""The commands that stand on a page, to be run as a reader would."""

from __future__ import annotations

import html as entities
import re
import shlex

from typer.testing import CliRunner

from workbench.cli import app
from workbench.queries import describe


def commands(page: str, verb: str) -> list[list[str]]:
    """The arguments of every command of a verb, as they stand on the page."""
    found = re.findall(r"<code>(workbench [^<]*)</code>", page)
    split = [shlex.split(entities.unescape(one)) for one in found]
    return [one[1:] for one in split if one[1] == verb]


def rows_lead_on(page: str) -> int:
    """Runs what follows the first row of each table, and what the last rows of the long table lead to; returns how many tables lead on."""
    following = [one for one in commands(page, "query") if "--row" in one]
    quick = [
        [*one, "--set", "resamples=20"] if any(known.name == "resamples" for known in describe(one[1]).parameters) else one
        for one in following
    ]
    for arguments in (*quick, *commands(page, "find")[-2:], *commands(page, "show")[-2:]):
        answer = CliRunner().invoke(app, [*arguments, "--format", "table"])
        assert answer.exit_code == 0, f"{shlex.join(arguments)}\n{answer.output}"
        assert answer.stdout.strip()
    return len(following)
