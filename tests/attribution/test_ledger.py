"""Principles 1 and 3: the same number as the plain model, and every unit of it accounted for, biases on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.attribution.families import FAMILIES, FURTHER, Family, build, texts
from workbench.attribution.trace import explain, trace
from workbench.rules.composite import COMPOSITES

family_rows = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
composite_rows = pytest.mark.parametrize("composite", sorted(COMPOSITES))


@family_rows
@composite_rows
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_double_precision_ledger_closes_and_value_is_the_plain_models(family: Family, composite: str, attention: str) -> None:
    model = build(family, attention=attention)
    encodings = texts(3, 11)
    with torch.no_grad():
        plain = model(input_ids=torch.tensor([text.ids for text in encodings])).logits
    traced = trace(model, encodings, composite)
    assert torch.allclose(traced.logits, plain, rtol=1e-10, atol=1e-12)
    for explanation, value in zip(traced.explanations(plain.argmax(1)), plain.max(1).values, strict=True):
        assert explanation.ledger.target == pytest.approx(value.item(), rel=1e-12)
        # ModernBERT casts rotary positions to float32 whatever its precision: that rounding is the model's own.
        bound = 1e-6 if family.name == "modernbert" else 1e-10
        assert explanation.ledger.relative_gap < bound
        assert explanation.ledger.accounts["tokens"] == pytest.approx(float(explanation.tokens.sum()), abs=1e-3)


@pytest.mark.parametrize("family", FURTHER, ids=lambda family: family.name)
@pytest.mark.parametrize("composite", ["attnlrp", "cplrp"])
def test_further_families_close_their_ledgers_without_code_of_their_own(family: Family, composite: str) -> None:
    model = build(family, attention="eager" if family.name == "gemma2" else "sdpa")  # Gemma 2 caps its scores itself
    encodings = texts(3, 11)
    with torch.no_grad():
        plain = model(input_ids=torch.tensor([text.ids for text in encodings])).logits
    traced = trace(model, encodings, composite)
    assert torch.allclose(traced.logits, plain, rtol=1e-10, atol=1e-12)
    # RMS norms and rotary positions are cast to float32 by the models themselves.
    bound = 1e-10 if family.name in ("roberta", "albert", "gpt2") else 1e-5
    assert max(explanation.ledger.relative_gap for explanation in traced.explanations(plain.argmax(1))) < bound


@family_rows
@composite_rows
def test_single_precision_ledger_closes(family: Family, composite: str) -> None:
    model = build(family, dtype=torch.float32)
    gaps = [explanation.ledger.relative_gap for explanation in explain(model, texts(8, 40, seed=1), composite)]
    assert max(gaps) < 1e-4


@family_rows
def test_sources_and_biases_take_part(family: Family) -> None:
    model = build(family)
    accounts = explain(model, texts(1, 9), "attnlrp")[0].ledger.accounts
    assert accounts["tokens"] != 0
    assert accounts["biases"] != 0
    assert accounts["softmax"] != 0
    assert (accounts["token_types"] != 0) == (family.name in ("bert", "xlm-roberta", "electra"))
    assert (accounts["positions"] != 0) == (family.name != "modernbert")
    assert explain(model, texts(1, 9), "cplrp")[0].ledger.accounts["softmax"] == 0


@family_rows
def test_batch_equals_alone(family: Family) -> None:
    model = build(family)
    encodings = [*texts(3, 7), *texts(2, 12, seed=3)]
    together = explain(model, encodings, "attnlrp")
    for text, explanation in zip(encodings, together, strict=True):
        alone = explain(model, [text], "attnlrp")[0]
        np.testing.assert_allclose(explanation.tokens, alone.tokens, rtol=1e-5, atol=1e-7)
        assert explanation.ledger.accounts == pytest.approx(alone.ledger.accounts, rel=1e-8, abs=1e-10)


def test_gradient_x_input_is_the_plain_gradient_times_the_embedding() -> None:
    model = build(FAMILIES[0])
    (text,) = texts(1, 10)
    ids = torch.tensor([text.ids])
    embedding = model.get_input_embeddings()(ids).detach().requires_grad_(True)  # type: ignore[operator]
    (gradient,) = torch.autograd.grad(model(inputs_embeds=embedding).logits.max(), embedding)
    explanation = explain(model, [text], "gradient_x_input")[0]
    np.testing.assert_allclose(explanation.tokens, (embedding * gradient).sum(-1)[0].detach().numpy(), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(explanation.sensitivity, gradient.square().sum(-1)[0].numpy(), rtol=1e-5, atol=1e-7)


def test_targets_are_linear_in_relevance() -> None:
    """Contrast and margin are linear in the logits, so their relevance is the same combination of the logits' relevance."""
    model = build(FAMILIES[0])
    (text,) = texts(1, 8)
    by_label = [explain(model, [text], "attnlrp", labels=[label])[0].tokens for label in range(4)]
    contrast = explain(model, [text], "attnlrp", labels=[1], target="contrast")[0].tokens
    np.testing.assert_allclose(contrast, by_label[1] - (by_label[0] + by_label[2] + by_label[3]) / 3, rtol=1e-4, atol=1e-6)
    logits = trace(model, [text]).logits[0].detach()
    runner_up = int(logits.scatter(0, torch.tensor([1]), float("-inf")).argmax())
    margin = explain(model, [text], "attnlrp", labels=[1], target="margin")[0].tokens
    np.testing.assert_allclose(margin, by_label[1] - by_label[runner_up], rtol=1e-4, atol=1e-6)


def test_one_graph_serves_several_labels() -> None:
    model = build(FAMILIES[0])
    encodings = texts(2, 8)
    traced = trace(model, encodings)
    first = traced.explanations(torch.tensor([0, 1]), keep=True)
    second = traced.explanations(torch.tensor([2, 3]), keep=True)
    again = traced.explanations(torch.tensor([0, 1]))
    np.testing.assert_array_equal(first[0].tokens, again[0].tokens)
    assert not np.allclose(first[0].tokens, second[0].tokens)


def test_one_token_and_bfloat16_stay_finite() -> None:
    model = build(FAMILIES[0], dtype=torch.bfloat16, gain=1.0)
    for length in (1, 30):
        explanation = explain(model, texts(1, length), "attnlrp")[0]
        assert np.isfinite(explanation.tokens).all()
        assert explanation.ledger.relative_gap < 0.1
