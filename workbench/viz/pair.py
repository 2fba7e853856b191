"""What the views of a pair are drawn from: two texts, their words and the interactions between them.

Frames (further columns are ignored):

* `cells`: one row an interaction: `left_kind`, `left_word`, `right_kind`, `right_word`, `relevance`; words are numbers, null where the
  kind is not `word`. Kinds: those of `workbench.interaction.UNIT_KINDS`, and `rest` x `rest` for the sum of cells that were not kept. With
  a column `match` or `matched` (identical, lemma, translation, other) lists say how two words match. Rows of the store's view
  `interactions` for one explanation, and the answer of the query `pair`, have this shape.
* `left_words`, `right_words`: the words of each text: `word`, `char_start`, `char_end` (code points); `lemma`, `upos`, `relation` are
  shown where they are there. Words without a cell are shown all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from workbench.errors import InputError
from workbench.interaction import REST, UNIT_KINDS
from workbench.viz.grid import Key, Unit
from workbench.viz.palette import common_scale
from workbench.viz.pieces import require

CELL_COLUMNS = ("left_kind", "left_word", "right_kind", "right_word", "relevance")
PAIR_WORD_COLUMNS = ("word", "char_start", "char_end")
#: Kinds as readers know them.
KIND_NAMES: Mapping[str, str] = {
    "word": "words", "special": "special tokens", "uncovered": "outside words", "positions": "positions", "bias": "biases",
    "softmax": "softmax", "rest": "not kept",
}  # fmt: skip
#: A cell between units of two kinds is booked to the kind that stands first here: whatever touches a bias is bias.
BOOKED = ("rest", "softmax", "bias", "positions", "special", "uncovered", "word")
#: The largest |similarity - sum of the cells| that is rounding (cells are kept in float32).
CLOSED = 1e-4


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and their interactions (columns of the frames: see the module), in units of `unit`; all cells sum to `similarity`.

    `facts` are named values for the line above a view (human score, contrast …). Raises InputError for missing columns, spans outside of a
    text, cells of words that are not there, and words or cells that are there twice (two annotators or explanations at once).
    """

    left_text: str
    right_text: str
    left_words: pl.DataFrame
    right_words: pl.DataFrame
    cells: pl.DataFrame
    similarity: float | None = None
    unit: str = "cosine"
    identifier: str = ""
    left_language: str | None = None
    right_language: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(self.cells, CELL_COLUMNS, "interactions")
        for side, text, words in (("left", self.left_text, self.left_words), ("right", self.right_text, self.right_words)):
            require(words, PAIR_WORD_COLUMNS, f"words of the {side} text")
            for start, end in words.select("char_start", "char_end").iter_rows():
                if start is None or end is None or not 0 <= start <= end <= len(text):
                    found = f"a word at {start}-{end} in a text of {len(text)} characters"
                    raise InputError(f"show the {side} text of a pair", found, "give spans of this very text")
            if words["word"].is_duplicated().any():
                raise InputError(f"show the {side} text of a pair", "the same word twice", "give the words of one annotator")
            named = self.cells.filter(pl.col(f"{side}_kind").cast(pl.String) == "word")[f"{side}_word"]
            if unknown := set(named.to_list()) - set(words["word"].to_list()):
                found = f"cells of words {sorted(map(str, unknown))[:3]} that the {side} text does not have"
                raise InputError("show interactions", found, "give the words of these very texts")
        if self.cells.select(CELL_COLUMNS[:4]).is_duplicated().any():
            raise InputError("show interactions", "the same two units twice", "give the cells of one explanation")


def units(pair: Pair, side: str) -> list[Unit]:
    """Rows (`left`) or columns (`right`): all words in the order of the text, then the other kinds that have cells."""
    text, words = (pair.left_text, pair.left_words) if side == "left" else (pair.right_text, pair.right_words)
    extras = [name for name in ("lemma", "upos", "relation") if name in words.columns]
    rows = words.sort("char_start", "char_end").select(*PAIR_WORD_COLUMNS, *extras)
    found = [
        Unit("word", word, text[start:end], " · ".join(str(value) for value in about if value is not None))
        for word, start, end, *about in rows.iter_rows()
    ]
    kinds = set(pair.cells[f"{side}_kind"].cast(pl.String))
    return found + [Unit(kind, None, KIND_NAMES[kind]) for kind in UNIT_KINDS[1:] if kind in kinds]


def values(pair: Pair) -> dict[tuple[Key, Key], float | None]:
    """Every cell by its two units."""
    rows = pair.cells.with_columns(pl.col("left_kind", "right_kind").cast(pl.String)).select(CELL_COLUMNS)
    return {
        ((left_kind, left if left_kind == "word" else None), (right_kind, right if right_kind == "word" else None)): relevance
        for left_kind, left, right_kind, right, relevance in rows.iter_rows()
    }


def accounts(pair: Pair) -> dict[str, float]:
    """Where the similarity comes from: the sum of the cells by kind, words first; the sums of all kinds are the sum of all cells."""
    found: dict[str, list[float]] = {}
    for ((left, _), (right, _)), value in values(pair).items():
        kind = next((name for name in BOOKED if name in (left, right)), left)
        found.setdefault(kind, []).append(value if value is not None else 0.0)
    return {kind: math.fsum(found[kind]) for kind in reversed(BOOKED) if kind in found}


def gap(pair: Pair) -> float:
    """Similarity minus the sum of all cells; 0 where the similarity was not given."""
    return 0.0 if pair.similarity is None else pair.similarity - math.fsum(accounts(pair).values())


def between_words(pair: Pair) -> pl.DataFrame:
    """Cells of two words, the largest |relevance| first, with `left_form` and `right_form`; equal ones in the order of the texts."""
    forms = {side: {unit.word: unit.form for unit in units(pair, side) if unit.kind == "word"} for side in ("left", "right")}
    both = pair.cells.filter((pl.col("left_kind").cast(pl.String) == "word") & (pl.col("right_kind").cast(pl.String) == "word"))
    named = both.with_columns(
        *(
            pl.Series(f"{side}_form", [forms[side].get(word) for word in both[f"{side}_word"]], dtype=pl.String)
            for side in ("left", "right")
        )
    )
    return named.sort(pl.col("relevance").fill_nan(None).abs(), "left_word", "right_word", descending=[True, False, False], nulls_last=True)


def sums(pair: Pair, side: str) -> dict[Key, float]:
    """For each unit of one text the sum of its cells with all units of the other; without the cells that were not kept."""
    place = 0 if side == "left" else 1
    found: dict[Key, list[float]] = {}
    for keys, value in values(pair).items():
        if value is not None and keys[place][0] != REST:
            found.setdefault(keys[place], []).append(value)
    return {key: math.fsum(parts) for key, parts in found.items()}


def word_scale(pairs: Iterable[Pair]) -> float:
    """One scale for all pairs of a page: the largest |relevance| between two words of any of them."""
    return common_scale(value for pair in pairs for value in between_words(pair)["relevance"])


def sum_scale(pairs: Iterable[Pair]) -> float:
    """The same for sums of words over the other text."""
    kept = [sums(pair, side) for pair in pairs for side in ("left", "right")]
    return common_scale(value for side in kept for (kind, _), value in side.items() if kind == "word")


def coloured(pair: Pair, side: str) -> pl.DataFrame:
    """The words of one text with their sums over the other, as `heatmap.post` and `terminal.post_line` take them; without other kinds."""
    words = (pair.left_words if side == "left" else pair.right_words).select(PAIR_WORD_COLUMNS)
    known = sums(pair, side)
    relevance = pl.Series("relevance", [known.get(("word", word)) for word in words["word"]], dtype=pl.Float64)
    return words.with_columns(pl.lit("word").alias("kind"), relevance)
