"""Perturbation: does an encoder's embedding come back when the tokens that a method finds relevant are put back first?

The published protocol (Vasileiou and Eberle 2024, section on faithfulness), conventions stated because figures depend on them:

1. a token's relevance is the sum of its interactions with all tokens of the other text, r_i = sum_j S_ij (and the same for columns);
2. the text starts as its special tokens alone; its other tokens come back in their own order of words, one by one, most relevant first;
3. after each the Euclidean distance of the embedding, before it is normalised, to that of the whole text; the area under these distances
   over the share of tokens put back (0 to 1, trapezoids) is the mean distance on the way: lower is better;
4. a pair's area is the mean of its two texts'; intervals are over pairs. Texts without special tokens start from a vector of zeros.

A second order sums over the cells that belong to no token too, where a method has them: r_i is then the product of a token's row with the
whole embedding of the other text (`all cells`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl
from torch import nn

from workbench.encoding import Encoding
from workbench.evaluation.intervals import mean_interval
from workbench.evaluation.predictions import Memo
from workbench.evaluation.similarity_encoder import Array, embedder
from workbench.evaluation.similarity_methods import METHODS, Computed, Rows, SimilarityMethod, named

#: Told of methods done and methods in all.
Progress = Callable[[int, int], None]
Pairs = Sequence[tuple[Encoding, Encoding]]

SCHEMA = {"pair": pl.Int64, "method": pl.String, "cells": pl.String, "area": pl.Float64, "share": pl.Float64, "seconds": pl.Float64}


def perturbation(
    module: nn.Module, pairs: Pairs, methods: Sequence[str] = tuple(METHODS), progress: Progress = lambda *_: None
) -> pl.DataFrame:
    """Area of every pair by every method: columns pair, method, cells (tokens, or all), area, share of the cosine, seconds for each text.

    `share` is the sum of the cells over the cosine, null for a method without a scale. Raises InputError for an unknown method.
    """
    embed = embedder(module)
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    wholes = dict(zip(texts, embed([text.ids for text in texts]), strict=True))
    computed = Computed(module, texts)
    found = []
    for done, (name, method) in enumerate(named(methods).items()):
        progress(done, len(methods))
        rows, seconds = computed.rows(method), computed.seconds(method)
        read = [(number, *reading) for number, pair in enumerate(pairs) for reading in readings(method, *(rows[text] for text in pair))]
        asked = [
            [(text, order(text, values)) for text, values in zip(pairs[number], relevance, strict=True)] for number, *_, relevance in read
        ]
        embed([ids for sides in asked for text, places in sides for ids in remainders(text, places) if ids])  # all in batches of one length
        for (number, cells, total, _), sides in zip(read, asked, strict=True):
            left, right = (wholes[text] / np.linalg.norm(wholes[text]) for text, _ in sides)
            mean = float(np.mean([area(embed, text, wholes[text], places) for text, places in sides]))
            found.append((number, name, cells, mean, float(total / (left @ right)) if method.scaled else None, seconds))
    progress(len(methods), len(methods))
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def readings(method: SimilarityMethod, left: Rows, right: Rows) -> Iterator[tuple[str, float, tuple[Array, Array]]]:
    """Sum of cells and relevance of each text's tokens: by cells of tokens and, where a method accounts for everything, by all cells."""
    cells = method.cells(left.tokens, right.tokens)
    yield "tokens", float(cells.sum()), (cells.sum(1), cells.sum(0))
    if left.rest is not None and right.rest is not None and not method.unit:
        wholes = [left.tokens.sum(0) + left.rest, right.tokens.sum(0) + right.rest]
        yield "all", float(wholes[0] @ wholes[1]), (left.tokens @ wholes[1], right.tokens @ wholes[0])


def order(text: Encoding, relevance: Array) -> list[int]:
    """Places of the tokens that are not special, most relevant first; equal ones in the order of the text."""
    return [int(place) for place in np.argsort(-relevance, kind="stable") if not text.special[place]]


def remainders(text: Encoding, places: Sequence[int]) -> list[tuple[int, ...]]:
    """Token numbers of the text with none, one, two ... all of its places put back, special tokens always there."""
    kept = set(np.flatnonzero(text.special).tolist())
    found = [kept, *(kept := kept | {place} for place in places)]
    return [tuple(token for place, token in enumerate(text.ids) if place in some) for some in found]


def area(embed: Memo, text: Encoding, whole: Array, places: Sequence[int]) -> float:
    """Area under the distances to the whole text's embedding while tokens come back at these places, one after the other."""
    asked = remainders(text, places)
    reached = embed([ids for ids in asked if ids])
    distances = [float(np.linalg.norm(whole)) for ids in asked if not ids] + np.linalg.norm(reached - whole, axis=1).tolist()
    return float(np.trapezoid(distances, dx=1 / (len(distances) - 1)))


def summary(found: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """Mean area by method with its interval, best first, beside its difference to chance (negative is better) and the median share."""
    chance = found.filter(method="random").select("pair", chance="area")
    rows: list[dict[str, object]] = []
    for (method, cells), part in found.group_by("method", "cells", maintain_order=True):
        low, high = mean_interval(part["area"].to_numpy(), seed)
        row = {"method": method, "cells": cells, "pairs": part.height, "area": part["area"].mean(), "low": low, "high": high}
        gain = part.join(chance, on="pair").select(pl.col("area") - pl.col("chance")).to_series().to_numpy()
        if len(gain):
            below, above = mean_interval(gain, seed)
            row |= {"to_chance": float(gain.mean()), "to_chance_low": below, "to_chance_high": above}
        rows.append({**row, "share": part["share"].median(), "seconds": part["seconds"][0]})
    return pl.DataFrame(rows).sort("area")
