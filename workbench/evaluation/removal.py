"""Removing words from a text as a model sees it: by token ids, never by decoding and tokenising again.

1. every token that is not special belongs to one word;
2. a remainder is a set of kept words, written as bits of an integer (bit i set: word i is kept);
3. the ids of a remainder are the ids of the text without the tokens of the removed words (or with a mask id in their place).

Decoding a remainder and tokenising it again would move token boundaries, so that the figure would mix removal with another segmentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from workbench.document import Word
from workbench.encoding import Encoding
from workbench.errors import InputError

Ids: TypeAlias = tuple[int, ...]
#: A remainder: bit i is set where word i is kept.
Kept: TypeAlias = int

#: The owner of special tokens: nobody, so they are never removed.
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Text:
    """A text whose words can be removed from what each member of an ensemble sees.

    `words` are the words that own a token in at least one member (a word behind the cut of every member cannot be removed); `encodings` and
    `owners` have one entry for each member, owners one entry for each token: the position in `words`, or `NOBODY` for special tokens.
    """

    words: tuple[Word, ...]
    encodings: tuple[Encoding, ...]
    owners: tuple[tuple[int, ...], ...]

    @property
    def everything(self) -> Kept:
        """The remainder from which nothing is removed."""
        return (1 << len(self.words)) - 1


def text(encodings: Sequence[Encoding], words: Sequence[Word]) -> Text:
    """A removable text from the encodings of every member and the words of one annotation."""
    if not encodings:
        raise InputError("make words removable", "no encoding", "give one encoding for each member of the ensemble")
    owned = [owners(encoding, words) for encoding in encodings]
    present = sorted({owner for member in owned for owner in member} - {NOBODY})
    renumbered = {old: new for new, old in enumerate(present)} | {NOBODY: NOBODY}
    return Text(
        words=tuple(words[index] for index in present),
        encodings=tuple(encodings),
        owners=tuple(tuple(renumbered[owner] for owner in member) for member in owned),
    )


def owners(encoding: Encoding, words: Sequence[Word]) -> tuple[int, ...]:
    """For each token the position of the word that it leaves with, `NOBODY` for special tokens.

    A token leaves with the word with which it shares most characters (the first of equals). A token that touches no word leaves with the
    next word (a lone white-space mark of SentencePiece belongs to what follows), behind the last word with the last; so an empty remainder
    holds special tokens only. Without words nothing can be removed.
    """
    return tuple(
        NOBODY if special or not words else _owner(span, words) for span, special in zip(encoding.spans, encoding.special, strict=True)
    )


def _owner(span: tuple[int, int], words: Sequence[Word]) -> int:
    overlaps = [min(span[1], word.char_end) - max(span[0], word.char_start) for word in words]
    largest = max(overlaps)
    if largest > 0:
        return overlaps.index(largest)
    return next((index for index, word in enumerate(words) if word.char_start >= span[0]), len(words) - 1)


def first(ranking: Sequence[int], count: int) -> Kept:
    """The remainder that keeps only the first `count` words of a ranking."""
    return sum(1 << word for word in ranking[:count])


def remainder(text: Text, member: int, kept: Kept, replacement: int | None = None) -> Ids:
    """The ids that a member sees of a remainder: removed words' tokens are dropped, or each replaced by the id `replacement`."""
    pairs = zip(text.encodings[member].ids, text.owners[member], strict=True)
    if replacement is None:
        return tuple(identifier for identifier, owner in pairs if owner == NOBODY or kept >> owner & 1)
    return tuple(identifier if owner == NOBODY or kept >> owner & 1 else replacement for identifier, owner in pairs)
