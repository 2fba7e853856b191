"""A text as an SQL literal, for statements that take no parameters."""

from __future__ import annotations


def quoted(text: object) -> str:
    """A text (or a path) as an SQL literal: nothing in it can end the literal."""
    return "'" + str(text).replace("'", "''") + "'"
