"""Interactions of two texts: what every part of one shares with every part of the other, from factors computed once for each text.

Similarity of embeddings is bilinear, so it is the sum of all products of the two texts' factors: BiLRP (Eberle et al. 2020, eq. 4-5; for
text Vasileiou and Eberle 2024). Positions, biases and what softmax absorbs are factors too; without them the cells do not sum to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from workbench.errors import InputError

#: Kinds of rows of a text: its words, special tokens together, tokens that touch no word together, and what is no token.
UNIT_KINDS = ("word", "special", "uncovered", "positions", "bias", "softmax")

#: The kind, on both sides, of the cell that holds the sum of all that was left out.
REST = "rest"

SIMILARITIES = ("cosine", "dot")


@dataclass(frozen=True, slots=True)
class Factors:
    """Contributions `(token dim)` of one text's tokens, and `(dim)` of positions, biases and softmax; their sum is `embedding`.

    `positions` are absolute ones; `biases` holds token types and relative positions too; `absorbed` is what AttnLRP's softmax rule takes.
    `embedding` is the model's own; `gap` is the largest difference of the sum to it, relative to its length.
    """

    tokens: NDArray[np.float32]
    positions: NDArray[np.float32]
    biases: NDArray[np.float32]
    absorbed: NDArray[np.float32]
    embedding: NDArray[np.float32]
    gap: float

    @property
    def elsewhere(self) -> Float[np.ndarray, dim]:
        """What belongs to no token."""
        total: NDArray[np.float64] = self.positions.astype(np.float64) + self.biases + self.absorbed
        return total


@dataclass(frozen=True, slots=True)
class UnitFactors:
    """Factors of one text by unit: row `i` is the word `words[i]` (None where it is no word) of `kinds[i]`.

    Rows are in units of the similarity: the product of any two rows of two texts is their interaction.
    """

    kinds: tuple[str, ...]
    words: tuple[int | None, ...]
    rows: NDArray[np.float32]


def scale(factors: Factors, similarity: str) -> float:
    """What a text's factors are divided by: the length of its embedding for the cosine, 1 for the dot product.

    Raises InputError for another similarity, or for the cosine of an embedding without a length.
    """
    if similarity not in SIMILARITIES:
        raise InputError(f"interactions in {similarity}", f"similarities {', '.join(SIMILARITIES)}", "choose one of these")
    if similarity == "dot":
        return 1.0
    length = float(np.linalg.norm(factors.embedding.astype(np.float64)))
    if not length > 0:
        raise InputError("interactions in cosine", f"an embedding of length {length}", "ask for the dot product, or leave the text out")
    return length


def interactions(left: Factors, right: Factors, similarity: str = "cosine") -> Float[np.ndarray, "left right"]:
    """Interactions of two texts: tokens by tokens, with a last row and column for all that belongs to no token.

    All cells sum to the similarity (`cosine` or `dot` product) of the two embeddings. Source: BiLRP (Eberle et al. 2020).
    """
    sides = [np.vstack([side.tokens, side.elsewhere]) / scale(side, similarity) for side in (left, right)]
    product: NDArray[np.float64] = sides[0] @ sides[1].T
    return product


def unit_interactions(left: UnitFactors, right: UnitFactors) -> Float[np.ndarray, "left right"]:
    """The same for units of texts; the sum over all cells is the similarity."""
    if left.rows.shape[1] != right.rows.shape[1]:
        found = f"factors of {left.rows.shape[1]} and {right.rows.shape[1]} dimensions"
        raise InputError("interactions of two texts", found, "use factors of one model")
    product: NDArray[np.float64] = left.rows.astype(np.float64) @ right.rows.astype(np.float64).T
    return product
