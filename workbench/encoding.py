"""A text as a model sees it: token ids with their character spans in the untouched text."""

from __future__ import annotations

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
