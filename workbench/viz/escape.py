"""The one gate through which text reaches a page: markup loses its power, invisible controls become visible, letters stay as they are.

Bengali needs its zero-width joiners (they choose between conjunct and hasanta), so U+200C and U+200D pass untouched. Characters that
reorder or hide text (Boucher and Anderson 2023, "Trojan Source") are kept, so that a post can be copied as it was written, but each stands
isolated in its own <bdi> and carries its name in view.
"""

from __future__ import annotations

import unicodedata
from typing import Protocol, runtime_checkable

import regex
from markupsafe import Markup
from markupsafe import escape as _entities

#: Order and hiding: bidi embeddings, overrides, isolates and marks, zero-width space, word joiner, soft hyphen, tags, C0 and C1 controls.
_CONTROL = regex.compile(
    r"[\x00-\x08\x0B-\x1F\x7F-\x9F\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\U000E0000-\U000E007F]"
)
_SURROGATE = regex.compile(r"[\uD800-\uDFFF]")
#: Short names in view; others are shown by number.
_NAMES = {
    0x00AD: "SHY", 0x061C: "ALM", 0x200B: "ZWSP", 0x200E: "LRM", 0x200F: "RLM", 0x202A: "LRE", 0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO",
    0x202E: "RLO", 0x2060: "WJ", 0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xFEFF: "BOM",
}  # fmt: skip


@runtime_checkable
class _Marked(Protocol):
    def __html__(self) -> str: ...


def escape(value: object) -> Markup:
    """Text for the content of an element; what is already markup of this house (`Markup`) passes unchanged.

    In a browser the text content equals the given text, but for NUL (shown as U+2400) and lone surrogates (U+FFFD): HTML has neither.
    """
    if isinstance(value, _Marked):
        return Markup(value.__html__())
    text = _SURROGATE.sub("\ufffd", str(value))
    parts, position = [], 0
    for match in _CONTROL.finditer(text):
        parts += [_entities(text[position : match.start()]), _visible(match.group())]
        position = match.end()
    return Markup("").join([*parts, _entities(text[position:])])


def attribute(value: object) -> Markup:
    """Text for a quoted attribute, where no element can isolate anything: controls are written as their name in angle brackets."""
    text = _SURROGATE.sub("\ufffd", str(value))
    named = _CONTROL.sub(lambda match: f"⟨{_label(match.group())}⟩", text)
    return Markup(str(_entities(named)).replace("\n", "&#10;").replace("`", "&#96;"))


def plain(value: object) -> str:
    """Text for a terminal or a chart: like an attribute, without entities, on one line."""
    named: str = _CONTROL.sub(lambda match: f"⟨{_label(match.group())}⟩", _SURROGATE.sub("\ufffd", str(value)))
    return named.replace("\n", " ").replace("\t", " ")


def charted(value: object) -> str:
    """Text for a chart: plain, and with ‹ for <, because Altair writes the data of a page between <script> tags as they are."""
    return plain(value).replace("<", "‹")


def _label(character: str) -> str:
    return _NAMES.get(ord(character), f"U+{ord(character):04X}")


def _visible(character: str) -> Markup:
    """A control in its own isolate, named in view by the style sheet (so that the name is no part of the text)."""
    content = {"\x00": "\u2400", "\r": "&#13;"}.get(character, character)
    name = unicodedata.name(character, "CONTROL CHARACTER")
    hint = f"U+{ord(character):04X} {name}"
    return Markup(f'<bdi class="control" data-name="{_label(character)}" title="{hint}">{content}</bdi>')
