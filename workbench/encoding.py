"""A text as a model sees it: token ids with their character spans in the untouched text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids of one text; spans count code points of the original text (end exclusive), an empty span for special tokens.

    `coverage` is the share of the text's characters other than white space that lie in front of the cut, 1.0 where nothing was cut off.
    """

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    special: tuple[bool, ...]
    coverage: float = 1.0

    def __len__(self) -> int:
        return len(self.ids)


def by_length(encodings: Sequence[Encoding]) -> list[list[int]]:
    """Places of the encodings, those of one length together, shortest first: a batch of them needs no padding."""
    places: dict[int, list[int]] = {}
    for place, encoding in enumerate(encodings):
        places.setdefault(len(encoding), []).append(place)
    return [places[length] for length in sorted(places)]
