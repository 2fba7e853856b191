"""Rows of the store for one pair: cells, ledgers of the pair and of both texts, factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.document import Word
from workbench.encoding import Encoding
from workbench.interaction import REST, Factors, UnitFactors, scale, unit_interactions
from workbench.pipeline.frames import Rows
from workbench.relevance import ACCOUNTS, Ledger

#: The account of a row; a cell belongs to the later account of its two ends.
ACCOUNT_OF = {
    "word": "tokens",
    "special": "tokens",
    "uncovered": "tokens",
    "positions": "positions",
    "bias": "biases",
    "softmax": "softmax",
}
ORDER = ("tokens", "positions", "biases", "softmax")
ANNOTATION = ("form", "lemma", "upos", "relation")


@dataclass(frozen=True, slots=True)
class Side:
    """One text of a pair with all that is known of it."""

    role: str
    language: str | None
    encoding: Encoding
    words: Sequence[Word]
    factors: Factors
    units: UnitFactors

    @property
    def coverage(self) -> float:
        """Share of the text that the model saw."""
        return self.encoding.coverage


def similarity(left: Side, right: Side, measure: str) -> float:
    """What the model itself says: the cosine or dot product of its embeddings."""
    one, other = (side.factors.embedding.astype(np.float64) / scale(side.factors, measure) for side in (left, right))
    return float(one @ other)


def pair_ledger(target: float, left: Side, right: Side, cells: NDArray[np.float64]) -> Ledger:
    """The ledger of a pair: every cell in one account, the gap what the model's own similarity differs by."""
    rows, columns = (np.array([ORDER.index(ACCOUNT_OF[kind]) for kind in side.units.kinds]) for side in (left, right))
    later = np.maximum(rows[:, None], columns[None, :])
    return closed(target, {account: float(cells[later == place].sum()) for place, account in enumerate(ORDER)})


def text_ledger(target: float, side: Side, sums: NDArray[np.float64]) -> Ledger:
    """The ledger of one text of a pair: what each kind of its rows shares with the whole of the other text."""
    accounts = dict.fromkeys(ORDER, 0.0)
    for kind, value in zip(side.units.kinds, sums, strict=True):
        accounts[ACCOUNT_OF[kind]] += float(value)
    return closed(target, accounts)


def closed(target: float, accounts: dict[str, float]) -> Ledger:
    """A ledger with every account."""
    return Ledger(target, {account: accounts.get(account, 0.0) for account in ACCOUNTS})


def add_cells(
    rows: Rows, explanation: int, left: Side, right: Side, cells: NDArray[np.float64], matches: list[list[str]], kept: int
) -> None:
    """Adds the cells of a pair: all, or the strongest `kept` and the sum of the others."""
    flat = cells.ravel()
    chosen = np.arange(flat.size) if not kept or kept >= flat.size else np.sort(np.argsort(-np.abs(flat), kind="stable")[:kept])
    places = [divmod(int(cell), cells.shape[1]) for cell in chosen]
    ends = {"left": (left, [row for row, _ in places]), "right": (right, [column for _, column in places])}
    columns: dict[str, list[Any]] = {}
    for name, (side, indexes) in ends.items():
        columns[f"{name}_kind"] = [side.units.kinds[index] for index in indexes]
        columns[f"{name}_word"] = [side.units.words[index] for index in indexes]
        for value in ANNOTATION:
            of_words = [getattr(word, value) for word in side.words] + [None] * (len(side.units.kinds) - len(side.words))
            columns[f"{name}_{value}"] = [of_words[index] for index in indexes]
    words = len(left.words), len(right.words)
    columns["matched"] = [matches[row][column] if row < words[0] and column < words[1] else None for row, column in places]
    rows.extend("interaction", len(places), explanation=explanation, relevance=flat[chosen].tolist(), **columns)
    if len(chosen) < flat.size:
        nothing = dict.fromkeys(columns)
        left_out = float(flat.sum() - flat[chosen].sum())
        rows.add("interaction", explanation=explanation, relevance=left_out, **{**nothing, "left_kind": REST, "right_kind": REST})


def add_token_sums(rows: Rows, explanation: int, side: Side, other: Side, measure: str) -> None:
    """Adds what each token of a text shares with the whole of the other text."""
    whole = other.units.rows.astype(np.float64).sum(0)
    values = side.factors.tokens.astype(np.float64) @ whole / scale(side.factors, measure)
    count = len(values)
    rows.extend(
        "token_relevance",
        count,
        explanation=explanation,
        token=list(range(count)),
        relevance=values.tolist(),
        position=None,
        sensitivity=None,
    )


def add_factors(rows: Rows, explanation: int, side: Side, precision: str) -> None:
    """Adds the factors of a text by unit."""
    vectors = [row.tobytes() for row in side.units.rows.astype(np.dtype(precision).newbyteorder("<"))]
    rows.extend(
        "factor",
        len(vectors),
        explanation=explanation,
        kind=list(side.units.kinds),
        word=list(side.units.words),
        precision=precision,
        vector=vectors,
    )


def sums_and_cells(left: Side, right: Side) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The cells of a pair with the sums of its rows and of its columns."""
    cells = unit_interactions(left.units, right.units)
    return cells, cells.sum(1), cells.sum(0)
