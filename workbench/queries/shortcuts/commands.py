"""The test of a suspect: which edit of the texts can show that a model relies on it, and the command that does it.

What is written is masked, what stands in a place is moved, and length is changed by words that carry little. What the model never reads
(metadata) cannot be tested by an edit of the text: the command names the words that stand for it, which can.
"""

from __future__ import annotations

import re
import shlex

import numpy as np
from numpy.typing import NDArray

from workbench.queries.evidence import cql
from workbench.queries.shortcuts.features import TEXTUAL

MASKED = "masked where it stands, beside random words"
STRONG = "such words that speak for the class masked, beside random words"
MOVED = "what stands there moved to another place, beside other words moved as far"
CHANGED = "words that carry less than average {}, beside the same words lost at one length"
UNREAD = "no edit of the text tests it, as the model never reads it; this names the words that stand for it: test those"


def tested_by(kind: str, item: str, answered: str, path: str, inside: NDArray[np.int64], outside: NDArray[np.int64]) -> dict[str, str]:
    """Edit, test (in words) and command for a suspect; `inside` and `outside` are lengths in words of texts that have it, and have not."""
    edit, test, options = "mask", MASKED, ""
    if kind in TEXTUAL:
        pattern = f"[form={cql(item, 'c')}]"
    elif kind == "part of speech":
        pattern, test = f"[upos={cql(item.rsplit(' ', 1)[-1])} & relevance>0]", STRONG
    elif kind == "place":
        part = int(re.findall(r"\d+", item)[0])
        pattern, edit, test, options = f"[{within('place', part)} & {within('peak', part)}]", "move", MOVED, " --edit move"
    elif kind == "length":
        goal = other_length(inside, outside)
        pattern, edit = f"[words>={inside.min()} & words<={inside.max()} & abs(share)*words<1]", "length"
        test, options = CHANGED.format("cut" if goal < inside.min() else "repeated"), f" --edit length --words {goal}"
    else:
        name, _, value = item.partition(" = ")
        command = f"workbench keyness {shlex.quote(value)} --by {shlex.quote(name)} --what form --store {shlex.quote(path)}"
        return {"edit": "none", "test": UNREAD, "command": command}
    command = f"workbench counterfactual {shlex.quote(pattern)}{options} --label {shlex.quote(answered)} --store {shlex.quote(path)}"
    return {"edit": edit, "test": test, "command": command}


def within(attribute: str, part: int) -> str:
    """CQL that is true in a fifth of the text, 1 to 5."""
    low = "" if part == 1 else f"{attribute}>={(part - 1) / 5:g}"
    high = "" if part == 5 else f"{attribute}<{part / 5:g}"
    return " & ".join(one for one in (low, high) if one)


def other_length(inside: NDArray[np.int64], outside: NDArray[np.int64]) -> int:
    """The median length of shorter or of longer texts, whichever are more: what a text of another length would have."""
    shorter, longer = outside[outside < inside.min()], outside[outside > inside.max()]
    side = shorter if len(shorter) > len(longer) else longer
    return max(1, int(np.median(side))) if len(side) else int(inside.max()) + 1
