"""Principles 1 and 3: the same number as the plain model, and every unit of it accounted for, biases on; one row for each family."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.attribution.families import FAMILIES, Family, build, inputs, target, texts
from tests.attribution.measure import measure
from workbench.attribution.trace import explain, record, trace
from workbench.rules.composite import COMPOSITES

BY_NAME = {family.name: family for family in FAMILIES}
BERT = BY_NAME["BERT"]
ENCODERS = [family for family in FAMILIES if family.task == "classifier"]

#: Softmax without its bias divides by sums that may vanish: rounding grows with the sizes that it reaches.
UNSTABLE = {"attnlrp_omit.v1": 1e-6, "attnlrp_distribute.v1": 1e-9}

family_rows = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
encoder_rows = pytest.mark.parametrize("family", ENCODERS, ids=lambda family: family.name)
composite_rows = pytest.mark.parametrize("composite", sorted(COMPOSITES))
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


@family_rows
@composite_rows
def test_double_precision_ledger_closes_and_value_is_the_plain_models(family: Family, composite: str) -> None:
    measured = measure(family, composite)
    assert measured.difference < 1e-10
    assert measured.gap < UNSTABLE.get(composite, 1e-10)


@family_rows
@pytest.mark.parametrize("composite", sorted(set(COMPOSITES) - set(UNSTABLE)))
def test_single_precision_ledger_closes(family: Family, composite: str) -> None:
    measured = measure(family, composite, torch.float32, length=24)
    assert measured.difference < 1e-5
    assert measured.gap < 1e-4


@pytest.mark.parametrize("name", ["BERT", "XLM-R", "DistilBERT", "ModernBERT", "GPT-2", "Llama", "T5", "BART"])
def test_eager_attention_gives_the_fused_numbers(name: str) -> None:
    """The softmax term without the matrices equals the one with them, layer by layer."""
    family = BY_NAME[name]
    given = inputs(family, texts(2, 9))
    options = {} if family.task == "classifier" else {"use_cache": False}
    found = []
    for attention in ("sdpa", "eager"):
        model = build(family, attention=attention, dtype=torch.float32, gain=1.0)
        traced = record(model, {**given, **options}, "attnlrp", position_layers=True)
        found.append(traced.explain(target(family, traced.logits))[0])
    fused, eager = found
    np.testing.assert_allclose(fused.tokens, eager.tokens, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(fused.decoder_inputs, eager.decoder_inputs, rtol=1e-3, atol=1e-5)
    assert fused.ledger.softmax_layers == pytest.approx(eager.ledger.softmax_layers, rel=1e-3, abs=1e-5)
    assert sum(fused.ledger.softmax_layers.values()) == pytest.approx(fused.ledger.accounts["softmax"], abs=1e-9)
    for left, right in zip(fused.position_layers, eager.position_layers, strict=True):
        assert (left.kind, left.layer, left.first) == (right.kind, right.layer, right.first)
        np.testing.assert_allclose(left.values, right.values, rtol=1e-3, atol=1e-5)


@family_rows
def test_every_kind_of_source_takes_part(family: Family) -> None:
    shares = measure(family, "palrp").shares
    assert shares["tokens"] > 0
    assert (shares["positions"] > 0) == (family.positions != "none")
    assert (shares["decoder_inputs"] > 0) == family.is_seq2seq
    assert (shares["softmax"] > 0) == (family.positions != "none")
    assert (shares["token_types"] > 0) == (family.name in ("BERT", "RoBERTa", "XLM-R", "ALBERT", "ELECTRA"))
    assert measure(family, "cplrp").shares["softmax"] == 0


@encoder_rows
def test_batch_equals_alone(family: Family) -> None:
    model = build(family)
    encodings = [*texts(3, 7), *texts(2, 12, seed=3)]
    together = explain(model, encodings, "attnlrp")
    for text, explanation in zip(encodings, together, strict=True):
        alone = explain(model, [text], "attnlrp")[0]
        np.testing.assert_allclose(explanation.tokens, alone.tokens, rtol=1e-5, atol=1e-7)
        assert explanation.ledger.accounts == pytest.approx(alone.ledger.accounts, rel=1e-7, abs=1e-9)


def test_gradient_x_input_is_the_plain_gradient_times_the_embedding() -> None:
    model = build(BERT)
    (text,) = texts(1, 10)
    ids = torch.tensor([text.ids])
    embedding = model.get_input_embeddings()(ids).detach().requires_grad_(True)  # type: ignore[operator]
    (gradient,) = torch.autograd.grad(model(inputs_embeds=embedding).logits.max(), embedding)
    explanation = explain(model, [text], "gradient_x_input")[0]
    np.testing.assert_allclose(explanation.tokens, (embedding * gradient).sum(-1)[0].detach().numpy(), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(explanation.sensitivity, gradient.square().sum(-1)[0].numpy(), rtol=1e-5, atol=1e-7)


def test_one_graph_serves_several_labels() -> None:
    model = build(BERT)
    encodings = texts(2, 8)
    traced = trace(model, encodings)
    first = traced.explanations(torch.tensor([0, 1]), keep=True)
    second = traced.explanations(torch.tensor([2, 3]), keep=True)
    again = traced.explanations(torch.tensor([0, 1]))
    np.testing.assert_array_equal(first[0].tokens, again[0].tokens)
    assert not np.allclose(first[0].tokens, second[0].tokens)


@pytest.mark.parametrize("name", ["BERT", "Llama", "T5", "Mamba"])
def test_one_token_and_bfloat16_stay_finite(name: str) -> None:
    family = BY_NAME[name]
    model = build(family, dtype=torch.bfloat16, gain=1.0)
    options = {} if family.task == "classifier" else {"use_cache": False}
    for length in (2, 30):
        traced = record(model, {**inputs(family, texts(1, length)), **options}, "attnlrp")
        explanation = traced.explain(target(family, traced.logits))[0]
        assert np.isfinite(explanation.tokens).all()
        assert explanation.ledger.relative_gap < 0.1
