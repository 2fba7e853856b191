"""From a pattern's text to its parts; whatever is not understood is pointed at."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import cast

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from workbench.errors import InputError, WorkbenchError
from workbench.patterns.bare import bare_word
from workbench.patterns.build import Builder
from workbench.patterns.mistake import mistake
from workbench.patterns.tree import Query

LONGEST = 4_000
#: Expectations that a mistake lists.
SHOWN = 8
LAST_NAME = re.compile(r"\w+$")

#: What can stand at a place, in a person's words; terminals that are not named here are shown as they are written.
MEANING = {
    "LSQB": "a word in brackets", "STRING": "a text in quotes", "LABEL": "a name and a colon", "NAME": "an attribute", "NUMBER": "a number",
    "COMPARE": "= != < <= > >=", "SIGN": "+ -", "TIMES": "* /", "REPEAT": "? * + {1,3}", "ARROW_RIGHT": "-relation->",
    "ARROW_LEFT": "<-relation-", "SCOPE": "sentence or document", "FLAGS": "%c %d %l", "$END": "the end", "UNDERSCORE": "_",
    "SEMICOLON": ";", "LPAR": "(", "RPAR": ")", "RSQB": "]", "VBAR": "|", "BANG": "!", "COLON": ":", "WITHIN": "within", "DOT": ".",
    "COMMA": ",", "__ANON_0": "::", "__ANON_1": "~>", "AMPERSAND": "&",
}  # fmt: skip


@cache
def grammar() -> Lark:
    """The parser of patterns."""
    text = Path(__file__).with_name("grammar.lark").read_text("utf-8")
    return Lark(text, parser="lalr", propagate_positions=True, maybe_placeholders=True)


def parse(pattern: str) -> Query:
    """The parts of a pattern; InputError with line, caret and what was expected."""
    if not pattern.strip():
        raise InputError("read the pattern", "an empty pattern", 'write, for example, [upos="ADJ" & relevance>0.1] [upos="NOUN"]')
    if len(pattern) > LONGEST:
        raise InputError(
            "read the pattern", f"{len(pattern):,} characters", f"write at most {LONGEST:,}; long lists of words belong in a lexicon"
        )
    if (odd := next((place for place, sign in enumerate(pattern) if sign == "\0" or "\ud800" <= sign <= "\udfff"), None)) is not None:
        raise mistake(pattern, odd, f"the character U+{ord(pattern[odd]):04X}", "leave it out: no word holds it")
    try:
        tree = grammar().parse(pattern)
        query: Query = Builder(pattern).transform(tree)
    except UnexpectedInput as error:
        raise unexpected(pattern, error) from None
    except VisitError as error:
        if isinstance(error.orig_exc, WorkbenchError):
            raise error.orig_exc from None
        raise
    except RecursionError:
        raise InputError("read the pattern", "parentheses within parentheses, too many to follow", "write it flatter") from None
    return query


def unexpected(pattern: str, error: UnexpectedInput) -> InputError:
    """The mistake that the parser stumbled over."""
    if isinstance(error, UnexpectedCharacters):
        place, expected = cast("int", error.pos_in_stream), set(error.allowed or ())
        found = "a quote that is never closed" if pattern[place] in "\"'" else f"{pattern[place]!r} cannot stand here"
    else:
        assert isinstance(error, UnexpectedToken)
        token, expected = error.token, set(error.accepts or error.expected)
        ended = token.type == "$END"
        place = len(pattern.rstrip()) if ended else int(token.start_pos or 0)
        found = "the pattern ends too early" if ended else f"{str(token)!r} cannot stand here"
    start = place
    if expected == {"COLON"}:  # a name, but nothing that it names
        start = len(LAST_NAME.sub("", pattern[:place].rstrip()))
    if (word := bare_word(pattern, start)) and (expected == {"COLON"} or {"LSQB", "STRING"} <= expected):
        return mistake(pattern, start, f"{word} stands without quotes", f'write "{word}" for the form, or [lemma="{word}"]')
    wanted = [meaning for name, meaning in MEANING.items() if name in expected]
    return mistake(pattern, place, found, f"expected here: {' · '.join(wanted[:SHOWN]) + (' …' if len(wanted) > SHOWN else '')}")
