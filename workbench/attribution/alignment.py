"""Which source token belongs to which target token, by contributions: alignments, and how far they are from people's.

`predicted`: the target token of step t is aligned by what its prediction took (row t). `input`: by what the next step took, in front of
which it has just been read (row t + 1); the last token has no such row. Corrected: less each source token's mean over the steps, which
some tokens (full stops, the end) have whatever is generated. Sources: Chen et al. 2020 (conventions), Och and Ney 2003 (error rate).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from workbench.attribution.contributions import Contributions
from workbench.attribution.words import overlaps
from workbench.document import Word
from workbench.encoding import Encoding
from workbench.errors import PropagationError

#: Which row of contributions aligns a target token.
CONVENTIONS = ("predicted", "input")
#: A source word and a target word, counted from 0.
Link = tuple[int, int]
Item = TypeVar("Item", bound=Hashable)


def scores(
    source: Float[np.ndarray, "step source"], *, corrected: bool = False, convention: str = "predicted"
) -> Float[np.ndarray, "step source"]:
    """Scores of source tokens for each target token, from their contributions: sizes by their sum at each step, corrected or not.

    A step that took nothing from the source, and under `input` the last token, has a row of zeros. Raises PropagationError for an
    unknown convention.
    """
    if convention not in CONVENTIONS:
        raise PropagationError(f"align by the convention {convention!r}", f"conventions {', '.join(CONVENTIONS)}", "choose one of these")
    sizes = np.abs(np.asarray(source, dtype=np.float64))
    total = sizes.sum(1, keepdims=True)
    rows: NDArray[np.float64] = np.divide(sizes, total, out=np.zeros_like(sizes), where=total > 0)
    if corrected and len(rows):
        rows = rows - rows.mean(0, keepdims=True)
    if convention == "input":
        rows = np.vstack([rows[1:], np.zeros((min(len(rows), 1), rows.shape[1]))])
    return rows


def to_words(
    found: Float[np.ndarray, "step source"], source: Float[np.ndarray, "source source_word"], target: Float[np.ndarray, "step target_word"]
) -> Float[np.ndarray, "target_word source_word"]:
    """Scores of words from those of pieces: summed over the pieces of a source word, averaged over those of a target word.

    `source` and `target` say how much of each piece belongs to each word (0 or 1, or shares; see `pieces` and `words.overlaps`). Source:
    Ferrando et al. 2022.
    """
    weight = target.sum(0)
    averaged: NDArray[np.float64] = np.divide(target.T, weight[:, None], out=np.zeros_like(target.T), where=weight[:, None] > 0)
    words: NDArray[np.float64] = averaged @ found @ source
    return words


def pieces(words: Sequence[int | None], count: int | None = None) -> Float[np.ndarray, "token word"]:
    """Shares of tokens in `count` words (as many as there are) from the number of each token's word, None for one that has none."""
    size = count if count is not None else max((word for word in words if word is not None), default=-1) + 1
    shares = np.zeros((len(words), size))
    for token, word in enumerate(words):
        if word is not None:
            shares[token, word] = 1.0
    return shares


def word_alignment(
    found: Contributions, source: tuple[Encoding, Sequence[Word]], target: tuple[Encoding, Sequence[Word]],
    *, corrected: bool = False, convention: str = "predicted",
) -> Float[np.ndarray, "target_word source_word"]:  # fmt: skip
    """Scores of words of a translation whose encodings are those that were explained, word by word."""
    tokens = scores(found.source, corrected=corrected, convention=convention)
    return to_words(tokens, overlaps(*source), overlaps(*target))


def best_links(found: Float[np.ndarray, "target source"]) -> set[Link]:
    """For each target word the source word with the largest score, as (source, target); none for a word without any score."""
    if not found.shape[1]:
        return set()
    return {(int(row.argmax()), target) for target, row in enumerate(found) if bool((row != 0).any())}


def flipped(links: Iterable[Link]) -> set[Link]:
    """Links with their two sides exchanged: those of a model that translates back, as seen from the first one."""
    return {(target, source) for source, target in links}


def intersection(there: Iterable[Link], back: Iterable[Link]) -> set[Link]:
    """Links that both directions find; `back` are those of the model that translates back, as it gives them."""
    return set(there) & flipped(back)


def alignment_error_rate(links: Collection[Item], sure: Collection[Item], possible: Collection[Item] = ()) -> float:
    """1 - (|A and S| + |A and P|) / (|A| + |S|), P holding S; 0 where there is neither a link nor a sure one.

    For a corpus links are told apart by their sentence: (sentence, source, target). Source: Och and Ney 2003.
    """
    found, certain = set(links), set(sure)
    allowed = certain | set(possible)
    if not found and not certain:
        return 0.0
    return 1 - (len(found & certain) + len(found & allowed)) / (len(found) + len(certain))
