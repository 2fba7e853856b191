"""Factors: a text is propagated once; its rows sum to its embedding, and products of rows are the interactions of BiLRP."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from sentence_transformers.sentence_transformer.modules import CNN, LSTM, Dense, Normalize, Pooling
from torch import Tensor, nn

from tests.attribution.families import FAMILIES, Family, build, texts
from workbench.attribution.factors import factors, sentence_embedding
from workbench.errors import InputError, PropagationError
from workbench.interaction import interactions

NAMES = ("BERT", "XLM-R", "MPNet", "DistilBERT", "ModernBERT", "GPT-NeoX", "Qwen2")
ENCODERS = [family for family in FAMILIES if family.name in NAMES]
TEXTS = [*texts(2, 6, seed=1), *texts(1, 9, seed=2)]


class Encoder(nn.Module):
    """A transformer with the pooling and further modules of sentence-transformers."""

    def __init__(self, transformer: nn.Module, pooling: str, *further: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer
        self.modules_after = nn.ModuleList([Pooling(64, pooling_mode=pooling), *further])

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        features = dict(inputs)
        features["token_embeddings"] = self.transformer(**inputs).last_hidden_state
        for module in self.modules_after:
            features = module(features)
        return features


def encoder(family: Family, pooling: str = "mean", *further: nn.Module, dtype: torch.dtype = torch.float32) -> Encoder:
    """A sentence encoder with random weights."""
    base: nn.Module = build(family, dtype=dtype, gain=2.0).base_model  # type: ignore[assignment]
    if hasattr(base.config, "use_cache"):
        base.config.use_cache = False
    return Encoder(base, pooling, *further).eval().requires_grad_(False).to(dtype)


@pytest.mark.parametrize("family", ENCODERS, ids=lambda family: family.name)
@pytest.mark.parametrize("rules", ["bilrp", "attnlrp"])
def test_forward_equals_a_backward_pass_for_each_dimension(family: Family, rules: str) -> None:
    model = encoder(family)

    def some(module: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor:
        return sentence_embedding(module, inputs)[:, ::5]

    forward, backward = (factors(model, TEXTS[:2], rules, embed=some, direction=way) for way in ("forward", "backward"))
    for left, right in zip(forward, backward, strict=True):
        scale = np.abs(right.tokens).max()
        np.testing.assert_allclose(left.tokens, right.tokens, atol=1e-5 * scale)
        np.testing.assert_allclose(left.elsewhere, right.elsewhere, atol=2e-5 * scale)
        if family.name != "MPNet" or rules == "bilrp":  # AttnLRP gives MPNet's distances relevance: positions backward, biases forward
            np.testing.assert_allclose(left.positions, right.positions, atol=2e-5 * scale)
        np.testing.assert_allclose(left.absorbed, right.absorbed, atol=2e-5 * scale)
        assert left.gap < 1e-5
        assert right.gap < 1e-5


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken", "weightedmean"])
def test_every_pooling_dense_and_normalize_sum_to_the_models_own_embedding(pooling: str) -> None:
    torch.manual_seed(1)
    model = encoder(ENCODERS[0], pooling, Dense(64, 24), Normalize(), dtype=torch.float64)
    for found in factors(model, TEXTS):
        assert found.gap < 1e-10
        assert np.linalg.norm(found.embedding) == pytest.approx(1.0, rel=1e-6)
        np.testing.assert_allclose(found.tokens.sum(0) + found.elsewhere, found.embedding, atol=1e-6)
        assert not found.absorbed.any()


def test_interactions_sum_to_the_similarity_and_are_symmetric() -> None:
    model = encoder(ENCODERS[0])
    left, right = factors(model, TEXTS[1:], "attnlrp")
    cells = interactions(left, right)
    cosine = left.embedding @ right.embedding / np.linalg.norm(left.embedding) / np.linalg.norm(right.embedding)
    assert cells.shape == (7, 10)
    assert cells.sum() == pytest.approx(cosine, abs=1e-5)
    np.testing.assert_allclose(cells, interactions(right, left).T, rtol=1e-12)
    assert interactions(left, right, "dot").sum() == pytest.approx(left.embedding @ right.embedding, rel=1e-4)


def test_a_small_budget_changes_no_number() -> None:
    model = encoder(ENCODERS[0], dtype=torch.float64)
    whole, narrow = factors(model, TEXTS, "attnlrp"), factors(model, TEXTS, "attnlrp", budget=7 * 9 * 128)
    for left, right in zip(whole, narrow, strict=True):
        np.testing.assert_allclose(left.tokens, right.tokens, atol=1e-7)
        np.testing.assert_allclose(left.absorbed, right.absorbed, atol=1e-7)


def test_units_are_sums_of_their_tokens() -> None:
    model = encoder(ENCODERS[0], dtype=torch.float64)
    tokens = factors(model, TEXTS, "attnlrp")
    units = [[0, 1, 1, 0, -1, 2], [0, 0, 0, 0, 0, 0], [3, 2, 1, 0, 1, 2, 3, -1, 0]]
    for one, found, names in zip(tokens, factors(model, TEXTS, "attnlrp", units=units), units, strict=True):
        assert found.tokens.shape == (max(names) + 1, 64)
        for unit, row in enumerate(found.tokens):
            np.testing.assert_allclose(row, one.tokens[np.array(names) == unit].sum(0), atol=1e-6)
        np.testing.assert_allclose(found.elsewhere, one.elsewhere, atol=1e-6)
        assert (found.gap < 1e-10) == (-1 not in names)


def test_half_the_numbers_keep_two_digits_and_the_models_own_embedding() -> None:
    model = encoder(ENCODERS[0])
    for rules in ("bilrp", "attnlrp"):
        for one, half in zip(factors(model, TEXTS, rules), factors(model, TEXTS, rules, precision="bfloat16"), strict=True):
            assert np.linalg.norm(one.tokens - half.tokens) < 0.02 * np.linalg.norm(one.tokens)
            np.testing.assert_array_equal(one.embedding, half.embedding)
            assert 1e-6 < half.gap < 0.02


@pytest.mark.parametrize("part", [LSTM(64, 32), CNN(64, 64)], ids=lambda part: type(part).__name__)
def test_a_module_that_streams_cannot_follow_is_named(part: nn.Module) -> None:
    base = encoder(ENCODERS[0])
    model = nn.Sequential(Lengths(base.transformer), part, Pooling(64)).eval()
    with pytest.raises(PropagationError, match=f"in {type(part).__name__} the operation"):
        factors(model, TEXTS[:1])


def test_tables_that_no_transformer_names_are_refused() -> None:
    with pytest.raises(PropagationError, match="no table of word embeddings in Sequential"):
        factors(nn.Sequential(nn.Embedding(200, 64)).eval(), TEXTS[:1], embed=lambda module, given: module(given["input_ids"]).mean(1))


class Lengths(nn.Module):
    """A transformer that tells how long its texts are."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        hidden = self.transformer(**inputs).last_hidden_state
        return inputs | {"token_embeddings": hidden, "sentence_lengths": inputs["attention_mask"].sum(1)}


def test_unknown_directions_and_similarities_are_refused() -> None:
    model = encoder(ENCODERS[0])
    with pytest.raises(PropagationError, match="forward, backward, auto"):
        factors(model, TEXTS, direction="sideways")
    with pytest.raises(PropagationError, match="words, embeddings"):
        factors(model, TEXTS, source="characters")
    with pytest.raises(PropagationError, match="use the forward direction"):
        factors(model, TEXTS, source="embeddings", direction="backward")
    one = factors(model, TEXTS[:1])[0]
    with pytest.raises(InputError, match="cosine, dot"):
        interactions(one, one, "hamming")
    with pytest.raises(PropagationError, match="weights contributions"):
        factors(model, TEXTS, "gamma")
