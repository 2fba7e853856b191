"""Batches of texts of like length: which row, in which language."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from pipelines.training.multilingual_encoder.rows import LANGUAGES, Row

WINDOW = 64
"""Texts are cut here in training; one in a hundred is longer."""


@dataclass(frozen=True)
class Batch:
    """Padded ids and mask (text token), and the row of each text."""

    ids: Tensor
    mask: Tensor
    rows: list[int]


class Collection:
    """Rows as token ids by language."""

    def __init__(self, rows: Sequence[Row], tokenizer: PreTrainedTokenizerFast) -> None:
        self.sources = [row.source for row in rows]
        self.padding = int(tokenizer.pad_token_id or 0)
        self.ids: list[dict[str, list[int]]] = [{} for _ in rows]
        for language in LANGUAGES:
            places = [place for place, row in enumerate(rows) if language in row.texts]
            if not places:
                continue
            coded = tokenizer([rows[place].texts[language] for place in places], truncation=True, max_length=WINDOW)["input_ids"]
            for place, ids in zip(places, coded, strict=True):
                self.ids[place][language] = list(ids)

    def batch(self, chosen: Sequence[tuple[int, str]]) -> Batch:
        """The texts of these rows and languages."""
        ids, mask = padded([self.ids[row][language] for row, language in chosen], self.padding)
        return Batch(ids, mask, [row for row, _ in chosen])

    def one_pass(self, repeats: dict[str, int], tokens: int, generator: random.Random) -> list[Batch]:
        """Batches of so many tokens, padding included.

        Every row comes as often as its source is repeated, each time in two of its languages (one where it has no more).
        """
        drawn: list[tuple[int, tuple[str, ...]]] = []
        for row, source in enumerate(self.sources):
            known = sorted(self.ids[row])
            drawn += [(row, tuple(generator.sample(known, min(2, len(known))))) for _ in range(repeats[source])]
        generator.shuffle(drawn)
        batches = []
        for part in range(0, len(drawn), 8000):
            batches += self.cut(drawn[part : part + 8000], tokens)
        generator.shuffle(batches)
        return batches

    def cut(self, drawn: list[tuple[int, tuple[str, ...]]], tokens: int) -> list[Batch]:
        """Batches of texts of like length; both languages of a row stand in one batch."""
        longest = {place: max(len(self.ids[row][language]) for language in chosen) for place, (row, chosen) in enumerate(drawn)}
        found, texts = [], list[tuple[int, str]]()
        for place in sorted(longest, key=longest.__getitem__):
            row, chosen = drawn[place]
            if texts and (len(texts) + len(chosen)) * longest[place] > tokens:
                found.append(self.batch(texts))
                texts = []
            texts += [(row, language) for language in chosen]
        return [*found, self.batch(texts)] if texts else found


def padded(texts: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """Ids and mask (text token) of texts of any lengths."""
    longest = max(map(len, texts))
    ids = torch.tensor([[*text, *[padding] * (longest - len(text))] for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
    return ids, mask
