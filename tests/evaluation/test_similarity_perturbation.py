"""Perturbation on an encoder whose best order is known: its embedding is the sum of what its words weigh."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn

from tests.evaluation.similarity_encoders import TinyEncoder, text
from workbench.errors import InputError
from workbench.evaluation.similarity_encoder import embedder
from workbench.evaluation.similarity_methods import METHODS, Rows, SimilarityMethod
from workbench.evaluation.similarity_perturbation import area, order, perturbation, readings, remainders, summary

#: Weight of each token in one dimension: tokens 3, 4, 5 weigh 4, 2, 1; special ones nothing.
WEIGHTS = torch.tensor([0.0, 0.0, 0.0, 4.0, 2.0, 1.0, 8.0])
TEXT = text(4, 5, 3)


class Weights(nn.Module):
    """An embedding of one dimension: the sum of the weights of its tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()), requires_grad=False)

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": WEIGHTS[inputs["input_ids"]].sum(1, keepdim=True) * self.scale}


def test_remainders_keep_special_tokens_and_the_order_of_the_text() -> None:
    assert remainders(TEXT, [3, 1, 2]) == [(1, 2), (1, 3, 2), (1, 4, 3, 2), (1, 4, 5, 3, 2)]


def test_area_by_hand_and_the_best_order_has_the_smallest() -> None:
    embed = embedder(Weights())
    whole = np.array([7.0])
    # heaviest first: distances 7, 3, 1, 0; trapezoids of width 1/3
    assert area(embed, TEXT, whole, [3, 1, 2]) == pytest.approx((7 / 2 + 3 + 1) / 3)
    every = {
        tuple(places): area(embed, TEXT, whole, places) for places in ([1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1])
    }
    assert min(every, key=every.__getitem__) == (3, 1, 2)
    assert max(every, key=every.__getitem__) == (2, 1, 3)


def test_a_text_without_special_tokens_starts_from_zeros() -> None:
    bare = text(3, 4, special=False)
    assert area(embedder(Weights()), bare, np.array([6.0]), [0, 1]) == pytest.approx((6 / 2 + 2) / 2)


def test_order_is_by_signed_relevance_without_special_tokens() -> None:
    assert order(TEXT, np.array([9.0, -1.0, 0.5, 0.5, 9.0])) == [2, 3, 1]


def test_readings_sum_rows_and_columns_and_all_cells() -> None:
    method = SimilarityMethod(METHODS["bilrp"].rows, "")
    left, right = Rows(np.array([[1.0, 0], [0, 2]]), np.array([3.0, 0])), Rows(np.array([[2.0, 1], [1, 1], [0, 1]]), np.array([0.0, 5]))
    (tokens, total, (rows, columns)), (every, whole, (first, second)) = readings(method, left, right)
    assert (tokens, every) == ("tokens", "all")
    np.testing.assert_allclose(rows, [3, 6])
    np.testing.assert_allclose(columns, [4, 3, 2])
    assert total == 9
    np.testing.assert_allclose(first, [3, 16])  # (1, 0) and (0, 2) with (3, 8)
    np.testing.assert_allclose(second, [10, 6, 2])
    assert whole == pytest.approx(4 * 3 + 2 * 8)


def test_every_method_is_measured_on_the_same_pairs() -> None:
    pairs = [(text(10, 11, 12), text(20, 11)), (text(20, 11), text(30, 31, 32, 33)), (text(10, 12), text(12, 13, 14))]
    told: list[tuple[int, int]] = []
    found = perturbation(TinyEncoder(), pairs, ["bilrp", "hessian_x_product", "random"], lambda *at: told.append(at))
    assert found.group_by("method", "cells").len().sort("method", "cells").rows() == [
        ("bilrp", "all", 3), ("bilrp", "tokens", 3), ("hessian_x_product", "tokens", 3), ("random", "tokens", 3),
    ]  # fmt: skip
    assert told[-1] == (3, 3)
    assert found.filter(method="bilrp", cells="all")["share"].to_list() == pytest.approx([1, 1, 1], abs=1e-5)
    assert found.filter(method="random")["share"].null_count() == 3
    shown = summary(found)
    assert shown["area"].is_sorted()
    assert shown.filter(method="random")["to_chance"].item() == 0
    row = shown.filter(method="hessian_x_product").row(0, named=True)
    assert row["low"] <= row["area"] <= row["high"]
    assert row["area"] == pytest.approx(found.filter(method="hessian_x_product")["area"].mean())
    assert "to_chance" not in summary(found.filter(pl.col("method") != "random")).columns


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="leave_one_out"):
        perturbation(TinyEncoder(), [(TEXT, TEXT)], ["magic"])
