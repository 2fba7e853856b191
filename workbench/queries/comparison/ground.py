"""Two readings of each text laid over its characters: words of one side with the relevance of the other, or the stretches both share."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.queries.comparison import characters
from workbench.queries.comparison.characters import Numbers, Places

COLUMNS = ("pair", "kind", "word", "form", "lemma", "upos", "first", "second")
SCHEMA = {
    "pair": pl.Int32(), "kind": pl.String(), "word": pl.Int32(), "form": pl.String(), "lemma": pl.String(), "upos": pl.String(),
    "first": pl.Float64(), "second": pl.Float64(),
}  # fmt: skip


class Spans:
    """Rows `pair`, `char_start`, `char_end`, `relevance`, sorted by pair, as arrays; each pair's are a slice of them."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.pair: NDArray[np.int64] = frame["pair"].to_numpy().astype(np.int64)
        self.start: Places = frame["char_start"].to_numpy().astype(np.int64)
        self.end: Places = frame["char_end"].to_numpy().astype(np.int64)
        self.relevance: Numbers = frame["relevance"].to_numpy().astype(np.float64)

    def of(self, pair: int) -> slice:
        """The rows of a pair."""
        first, last = np.searchsorted(self.pair, [pair, pair + 1])
        return slice(int(first), int(last))


def carried(text: str, other: str, spans: Spans, rows: slice) -> tuple[Numbers, NDArray[np.bool_], float]:
    """Relevance of spans of the other text by character of this one, which characters they cover, and what has no place here."""
    start, end, relevance = spans.start[rows], spans.end[rows], spans.relevance[rows]
    place = characters.partners(text, other)
    spread, apart = characters.shared_out(other, start, end, relevance)
    here, lost = characters.moved(spread, place, len(text))
    steps = np.zeros(len(other) + 1, np.int64)
    np.add.at(steps, start, 1)
    np.add.at(steps, end, -1)
    covered = np.zeros(len(text), np.bool_)
    covered[place[(np.cumsum(steps)[:-1] > 0) & (place != characters.NOWHERE)]] = True
    return here, covered, apart + lost


def over_words(texts: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame) -> list[pl.DataFrame]:
    """The first side's words with what the second side's give to their characters, null where it gives none; and what is left over.

    `texts` has pair, text and other; `ours` and `theirs` words with their spans and relevance, sorted by pair.
    """
    first, second = Spans(ours), Spans(theirs)
    values = np.full(len(ours), np.nan)
    beyond: list[tuple[int, float]] = []
    for pair, text, other in texts.iter_rows():
        rows = first.of(pair)
        here, covered, lost = carried(text, other, second, second.of(pair))
        start, end = first.start[rows], first.end[rows]
        sums = characters.summed(here, start, end)
        seen = characters.summed(covered.astype(np.float64), start, end) > 0
        values[rows] = np.where(seen, sums, np.nan)
        beyond.append((pair, float(here.sum() - sums[seen].sum()) + lost))
    mine = ours.rename({"relevance": "first"}).with_columns(pl.Series("second", values).fill_nan(None), pl.lit("word").alias("kind"))
    return [mine.select(COLUMNS), left_over([(pair, 0.0, value) for pair, value in beyond])]


def over_characters(texts: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame) -> list[pl.DataFrame]:
    """The stretches of the first side's text between any two borders of either side's tokens, whatever the tokenizers."""
    first, second = Spans(ours), Spans(theirs)
    columns: dict[str, list[object]] = {name: [] for name in ("pair", "word", "form", "first", "second")}
    beyond: list[tuple[int, float, float]] = []
    for pair, text, other in texts.iter_rows():
        mine, its = first.of(pair), second.of(pair)
        own, own_seen, own_lost = carried(text, text, first, mine)
        here, here_seen, lost = carried(text, other, second, its)
        start, end = characters.atoms(len(text), *borders(text, text, first, mine), *borders(text, other, second, its))
        sums = [characters.summed(spread, start, end) for spread in (own, here)]
        seen = [characters.summed(mask.astype(np.float64), start, end) > 0 for mask in (own_seen, here_seen)]
        word = np.array([not text[first:last].isspace() for first, last in zip(start, end, strict=True)], np.bool_) & (seen[0] | seen[1])
        columns["pair"] += [pair] * int(word.sum())
        columns["word"] += range(int(word.sum()))
        columns["form"] += [text[first:last] for first, last in zip(start[word], end[word], strict=True)]
        for name, part, known in zip(("first", "second"), sums, seen, strict=True):
            columns[name] += [float(value) if there else None for value, there in zip(part[word], known[word], strict=True)]
        beyond.append((pair, own_lost + float(sums[0][~word].sum()), lost + float(sums[1][~word].sum())))
    found = pl.DataFrame(columns, schema={name: SCHEMA[name] for name in columns}).with_columns(pl.lit("word").alias("kind"))
    return [found.with_columns(pl.lit(None, pl.String).alias(name) for name in ("lemma", "upos")).select(COLUMNS), left_over(beyond)]


def borders(text: str, other: str, spans: Spans, rows: slice) -> tuple[Places, Places]:
    """Where tokens of the other text begin and end in this one."""
    place = characters.partners(text, other)
    start, end = spans.start[rows], spans.end[rows]
    covers = end > start
    first, last = place[start[covers]], place[end[covers] - 1]
    return first[first != characters.NOWHERE], last[last != characters.NOWHERE] + 1


def left_over(rows: list[tuple[int, float, float]]) -> pl.DataFrame:
    """What of each pair is of no word: pair, first and second."""
    found = pl.DataFrame(rows, schema={name: SCHEMA[name] for name in ("pair", "first", "second")}, orient="row")
    return found.with_columns(pl.lit("outside").alias("kind")).with_columns(
        pl.lit(None, SCHEMA[name]).alias(name) for name in ("word", "form", "lemma", "upos")
    ).select(COLUMNS)  # fmt: skip
