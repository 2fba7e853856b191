"""From generated token identifiers to a text with spans: the tokens that are explained are those that were generated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from transformers import PreTrainedTokenizerBase

from workbench.encoding import Encoding
from workbench.models.encode import trimmed


def text_of(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """The text that tokens stand for, without special ones and without white space around it."""
    return str(tokenizer.decode(list(ids), skip_special_tokens=True)).strip()


def as_generated(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], text: str, read: Encoding | None) -> tuple[Encoding, bool]:
    """The generated tokens with their spans in `text`, and whether the text alone would be read as other tokens.

    `read` is the text as the tokenizer reads it, None for a text without any token. Where both agree the spans are its own (a search that
    stopped early lacks the end); else a token's span is what it adds to the text decoded so far.
    """
    if read is not None and read.ids[: len(ids)] == tuple(ids) and all(read.special[len(ids) :]):
        count = len(ids)
        return Encoding(read.ids[:count], read.tokens[:count], read.spans[:count], read.special[:count]), False
    special = tuple(identifier in tokenizer.all_special_ids for identifier in ids)
    grown = [agreed(text, text_of(tokenizer, ids[: end + 1])) for end in range(len(ids))]
    ends = list(accumulate(grown, max))
    starts = [0, *ends[:-1]]
    spans = tuple((0, 0) if hidden else trimmed(text, start, end) for hidden, start, end in zip(special, starts, ends, strict=True))
    pieces = tuple(map(str, tokenizer.convert_ids_to_tokens(list(ids))))
    return Encoding(tuple(ids), pieces, spans, special), not all(special)


def agreed(text: str, other: str) -> int:
    """How many characters two texts have in common from their beginning on."""
    return next((place for place, pair in enumerate(zip(text, other, strict=False)) if pair[0] != pair[1]), min(len(text), len(other)))
