"""From text to tokens with character spans, and what a tokenizer loses on the way."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerFast

from workbench.encoding import Encoding
from workbench.errors import InputError

JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class TokenizerLoss:
    """Something of a text that its model never saw: what, how often, and a word or character it was lost from."""

    kind: str
    count: int
    example: str


def encode(tokenizer: PreTrainedTokenizerFast, text: str, window: int) -> Encoding:
    """Encodes one text, cut at `window` tokens; the cut shows in `coverage`.

    Raises InputError for a text that is no valid Unicode or of which no token is left.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            "encode a text", f"a lone surrogate at character {error.start}", "repair the text's encoding (it is no valid Unicode)"
        ) from error
    given = tokenizer(text, truncation=True, max_length=window, return_offsets_mapping=True, return_special_tokens_mask=True)
    special = tuple(map(bool, given["special_tokens_mask"]))
    if all(special):
        raise InputError("encode a text", f"no token in {text[:40]!r}", "leave out texts without words")
    spans = tuple(
        (0, 0) if hidden else trimmed(text, start, end) for (start, end), hidden in zip(given["offset_mapping"], special, strict=True)
    )
    cut = bool(given.encodings[0].overflowing)
    return Encoding(
        tuple(given["input_ids"]), tuple(given.tokens()), spans, special, covered(text, max(end for _, end in spans)) if cut else 1.0
    )


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


def tokenizer_losses(tokenizer: PreTrainedTokenizerFast, text: str, encoding: Encoding) -> list[TokenizerLoss]:
    """What the tokenizer drops from a text: combining marks (vowel signs, hasanta), joiners, and unknown tokens.

    Lower-casing BERT normalizers strip Bengali vowel signs and hasanta as if they were accents; the model then reads other words.
    """
    normalizer = tokenizer.backend_tokenizer.normalizer
    losses = []
    for kind, members in (("combining marks", is_mark), ("joiners", JOINERS.__contains__)):
        if normalizer is None or not (total := count_lost(text, normalizer, members)):
            continue
        first = next((word for word in text.split() if count_lost(word, normalizer, members)), text)
        losses.append(TokenizerLoss(kind, total, first))
    unknown = tokenizer.unk_token_id
    if unknown is not None and unknown in encoding.ids:
        spans = [span for identifier, span in zip(encoding.ids, encoding.spans, strict=True) if identifier == unknown]
        losses.append(TokenizerLoss("unknown tokens", len(spans), text[slice(*spans[0])]))
    return losses


def count_lost(text: str, normalizer: Any, members: Callable[[str], bool]) -> int:
    """How many characters of a kind are missing from the normalised text."""
    before = sum(map(members, unicodedata.normalize("NFC", text)))
    after = sum(map(members, unicodedata.normalize("NFC", normalizer.normalize_str(text))))
    return max(0, before - after)


def is_mark(character: str) -> bool:
    """Whether a character is a combining mark (vowel sign, hasanta, nukta, candrabindu)."""
    return unicodedata.category(character).startswith("M")
