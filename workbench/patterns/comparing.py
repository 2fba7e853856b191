"""Texts of a pattern compared with texts of the store: letters as they stand, or a regular expression that must match all of the text.

What holds no sign of a regular expression is compared as it stands, alternatives of such texts too; encodings of one letter are one (NFC).
Regular expressions are those of RE2, in linear time; they are tried before a query runs.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import duckdb

from workbench.patterns.mistake import mistake
from workbench.patterns.tree import Text
from workbench.store.literal import quoted

SIGNS = frozenset(".^$*+?()[]{}|\\")
PIECE = re.compile(r"\\(.)|(.)", re.DOTALL)


def comparison(pattern: str, column: str, text: Text) -> str:
    """SQL that is true where a column holds the text; NULL or false elsewhere."""
    spellings = literals(text)
    value = unicodedata.normalize("NFC", text.value)
    as_it_stands = spellings is not None and value.isascii() and "d" not in text.flags
    subject = column if as_it_stands else f"nfc_normalize({column})"
    if spellings is None:
        options = quoted("i" if "c" in text.flags else "c")
        check_expression(pattern, text)
        if "d" in text.flags:
            return f"regexp_full_match(strip_accents({subject}), strip_accents({quoted(value)}), {options})"
        return f"regexp_full_match({subject}, {quoted(value)}, {options})"
    wrap = "{}"
    if "d" in text.flags:
        wrap = "strip_accents({})"
    if "c" in text.flags:
        wrap = f"lower({wrap})"
    values = [wrap.format(quoted(unicodedata.normalize("NFC", spelling))) for spelling in spellings]
    if len(values) == 1:
        return f"{wrap.format(subject)} = {values[0]}"
    return f"{wrap.format(subject)} IN ({', '.join(values)})"


def literals(text: Text) -> list[str] | None:
    """The texts that a text of a pattern stands for, None for a true regular expression."""
    if "l" in text.flags:
        return [text.value.replace("\\\\", "\\")]
    spellings = [""]
    for match in PIECE.finditer(text.value):
        escaped, plain = match.groups()
        if escaped is not None and not escaped.isalnum():
            spellings[-1] += escaped
        elif plain == "|":
            spellings.append("")
        elif escaped is not None or plain in SIGNS:
            return None
        else:
            spellings[-1] += plain
    return spellings


def check_expression(pattern: str, text: Text) -> None:
    """InputError, pointing at it, for what RE2 does not take as a regular expression."""
    if complaint := complaint_about(unicodedata.normalize("NFC", text.value)):
        remedy = "correct it, put a backslash before a sign that stands for itself, or write %l behind the text"
        raise mistake(pattern, text.place, f"no regular expression: {complaint}", remedy)


@cache
def complaint_about(expression: str) -> str:
    """What RE2 says against a regular expression, nothing if it takes it."""
    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        try:
            connection.execute("SELECT regexp_full_match('a', $1)", [expression]).fetchall()
        except duckdb.Error as error:
            return str(error).splitlines()[0].removeprefix("Invalid Input Error: ").strip()[:200]
    return ""
