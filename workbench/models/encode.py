"""From text to tokens with character spans, and what a tokenizer loses on the way."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.models import pieces

JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class TokenizerLoss:
    """Something of a text that its model never saw: what, how often, and a word or character it was lost from."""

    kind: str
    count: int
    example: str


def encode(tokenizer: PreTrainedTokenizerBase, text: str, window: int, *, target: bool = False) -> Encoding:
    """Encodes one text, cut at `window` tokens; the cut shows in `coverage`. A `target` is cut as one where that differs from a source.

    Raises InputError for a text that is no valid Unicode or of which no token is left.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            "encode a text", f"a lone surrogate at character {error.start}", "repair the text's encoding (it is no valid Unicode)"
        ) from error
    ids, names, places, special, cut = read(tokenizer, text, window, target=target)
    if all(special):
        raise InputError("encode a text", f"no token in {text[:40]!r}", "leave out texts without words")
    spans = tuple((0, 0) if hidden else trimmed(text, start, end) for (start, end), hidden in zip(places, special, strict=True))
    return Encoding(tuple(ids), tuple(names), spans, tuple(special), covered(text, max(end for _, end in spans)) if cut else 1.0)


def read(tokenizer: PreTrainedTokenizerBase, text: str, window: int, *, target: bool) -> tuple[*pieces.Cut, bool]:
    """Identifiers, names, spans and special tokens of a text, and whether it was cut."""
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        found = pieces.cut(tokenizer, text, target=target)
        ids, names, places, special = (part[:window] for part in found)
        return ids, names, places, special, len(found[0]) > window  # type: ignore[return-value]
    given = tokenizer(text, truncation=True, max_length=window, return_offsets_mapping=True, return_special_tokens_mask=True)
    special = list(map(bool, given["special_tokens_mask"]))
    return given["input_ids"], given.tokens(), given["offset_mapping"], special, bool(given.encodings[0].overflowing)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at its ends, which some tokenizers count to a token."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def covered(text: str, end: int) -> float:
    """Share of the text's characters other than white space that stand before `end`."""
    visible = [index for index, character in enumerate(text) if not character.isspace()]
    return sum(index < end for index in visible) / len(visible)


def tokenizer_losses(tokenizer: PreTrainedTokenizerBase, text: str, encoding: Encoding) -> list[TokenizerLoss]:
    """What the tokenizer drops from a text: combining marks (vowel signs, hasanta), joiners, and unknown tokens.

    Lower-casing BERT normalizers strip Bengali vowel signs and hasanta as if they were accents; the model then reads other words.
    """
    normal = normal_form(tokenizer)
    losses = []
    for kind, members in (("combining marks", is_mark), ("joiners", JOINERS.__contains__)):
        if normal is None or not (total := count_lost(text, normal, members)):
            continue
        first = next((word for word in text.split() if count_lost(word, normal, members)), text)
        losses.append(TokenizerLoss(kind, total, first))
    unknown = tokenizer.unk_token_id
    if unknown is not None and unknown in encoding.ids:
        spans = [span for identifier, span in zip(encoding.ids, encoding.spans, strict=True) if identifier == unknown]
        losses.append(TokenizerLoss("unknown tokens", len(spans), text[slice(*spans[0])]))
    return losses


def normal_form(tokenizer: PreTrainedTokenizerBase) -> Callable[[str], str] | None:
    """What makes of a text what its tokenizer cuts; None where that is the text itself."""
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        form: Callable[[str], str] = pieces.processor(tokenizer).normalize
        return form
    normalizer: Any = tokenizer.backend_tokenizer.normalizer
    return None if normalizer is None else normalizer.normalize_str


def count_lost(text: str, normal: Callable[[str], str], members: Callable[[str], bool]) -> int:
    """How many characters of a kind are missing from the normalised text."""
    before = sum(map(members, unicodedata.normalize("NFC", text)))
    after = sum(map(members, unicodedata.normalize("NFC", normal(text))))
    return max(0, before - after)


def is_mark(character: str) -> bool:
    """Whether a character is a combining mark (vowel sign, hasanta, nukta, candrabindu)."""
    return unicodedata.category(character).startswith("M")
