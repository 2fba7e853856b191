"""Components: what layers, heads and neurons pass on, and what is kept of it; checkpointing changes no number."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.attribution.families import FAMILIES, Family, build, inputs, target, texts
from workbench.attribution.trace import Trace, record
from workbench.errors import PropagationError
from workbench.relevance import Explanation

BY_NAME = {family.name: family for family in FAMILIES}
family_rows = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def traced(family: Family, **options: object) -> tuple[Trace, list[Explanation]]:
    """A trace of the family's model and its explanations."""
    model = build(family)
    given = inputs(family, texts(1 if family.single else 2, 7))
    cache = {} if family.task == "classifier" else {"use_cache": False}
    trace = record(model, {**given, **cache}, **options)  # type: ignore[arg-type]
    return trace, trace.explain(target(family, trace.logits))


@family_rows
def test_checkpointing_gives_the_same_numbers(family: Family) -> None:
    plain, again = traced(family, rules="palrp")[1], traced(family, rules="palrp", checkpoint=True)[1]
    for left, right in zip(plain, again, strict=True):
        np.testing.assert_array_equal(left.tokens, right.tokens)
        assert left.ledger.accounts == right.ledger.accounts
        assert left.ledger.softmax_layers == right.ledger.softmax_layers


@family_rows
def test_components_have_their_shapes(family: Family) -> None:
    trace, explanations = traced(family, watch=("residual", "attention", "mlp", "heads", "neurons", "features"), top=5)
    layers = {layer for _, layer in trace.components}
    assert layers == set(range(trace.recorder.layers))
    kinds = {kind for kind, _ in trace.components}
    mamba, experts = family.name.startswith("Mamba"), family.single
    assert kinds == {"residual"} | ({"neurons"} if mamba else {"attention", "heads"}) | (set() if mamba or experts else {"mlp", "neurons"})
    for kept in explanations[0].components:
        component = trace.components["residual" if kept.kind == "features" else kept.kind, kept.layer]
        assert kept.relevance.sum() + kept.rest == pytest.approx(component.relevance[0].sum().item(), rel=1e-4, abs=1e-5)
        assert len(kept.relevance) == (5 if kept.kind in ("heads", "neurons", "features") else kept.token.max() + 1)


def test_the_residual_stream_of_a_frozen_network_holds_the_target_less_later_constants() -> None:
    """Under a composite that only leaves biases behind, a layer's residual relevance is the target less what later biases take."""
    family = BY_NAME["Llama"]  # no bias at all
    _, explanations = traced(family, rules="cplrp", watch=("residual",))
    for layer in range(3):
        kept = next(part for part in explanations[0].components if part.layer == layer)
        assert kept.relevance.sum() == pytest.approx(explanations[0].ledger.target, rel=1e-4)
    assert list(kept.token) == list(range(7))


def test_heads_together_are_what_attention_passes_on() -> None:
    """The output projection has no bias in Llama: heads sum to the attention block's relevance at every token."""
    trace, _ = traced(BY_NAME["Llama"], watch=("heads", "attention"))
    for layer in range(3):
        heads = trace.components["heads", layer].relevance.sum((1, 3))
        np.testing.assert_allclose(heads, trace.components["attention", layer].relevance.sum(-1), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["BERT", "DeBERTa-v2", "GPT-2"])
def test_neurons_together_are_what_the_mlp_passes_on_less_its_bias(name: str) -> None:
    family = BY_NAME[name]
    model = build(family)
    given = inputs(family, texts(2, 7)) | ({"use_cache": False} if family.task == "causal" else {})  # type: ignore[dict-item]
    trace = record(model, given, watch=("neurons", "mlp"))
    trace.explain(target(family, trace.logits))
    bias = dict(model.named_parameters())[
        {"BERT": "bert.encoder.layer.1.output.dense.bias", "DeBERTa-v2": "deberta.encoder.layer.1.output.dense.bias"}.get(
            name, "transformer.h.1.mlp.c_proj.bias"
        )
    ]
    mlp = trace.components["mlp", 1]
    expected = mlp.relevance.sum(-1) - (mlp.gradient * bias).sum(-1)
    np.testing.assert_allclose(trace.components["neurons", 1].relevance.sum(-1), expected.detach(), rtol=1e-6, atol=1e-9)


def test_what_is_watched_changes_no_number() -> None:
    family = BY_NAME["BERT"]
    plain, watched = traced(family)[1], traced(family, watch=("residual", "heads", "neurons"), position_layers=True)[1]
    np.testing.assert_array_equal(plain[0].tokens, watched[0].tokens)
    assert plain[0].ledger == watched[0].ledger


def test_relevance_of_rotary_positions_by_layer_sums_to_the_reading_and_the_account() -> None:
    explanation = traced(BY_NAME["Qwen3"], rules="palrp", position_layers=True)[1][0]
    assert {(part.kind, part.layer) for part in explanation.position_layers} == {("rotary", layer) for layer in range(3)}
    total = np.sum([part.values for part in explanation.position_layers], 0)
    np.testing.assert_allclose(total, explanation.positions, rtol=1e-4, atol=1e-7)
    assert explanation.positions.sum() == pytest.approx(explanation.ledger.accounts["positions"], rel=1e-4)


def test_relevance_of_biases_on_scores_by_distance_sums_to_the_account() -> None:
    for name in ("T5", "BLOOM"):
        explanation = traced(BY_NAME[name], position_layers=True)[1][0]
        total = sum(float(part.values.sum()) for part in explanation.position_layers)
        assert total == pytest.approx(explanation.ledger.accounts["positions"], rel=1e-4)
        encoder = next(part for part in explanation.position_layers if part.kind == "relative")
        assert (encoder.first, len(encoder.values)) == (-6, 13)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("name", ["BERT", "Llama", "T5"])
def test_positions_are_added_up_signed_positive_or_by_size(name: str) -> None:
    """`positive` drops every negative unit, so it is never below `signed`; `absolute` is the size of each layer's signed number."""
    found = {
        way: traced(BY_NAME[name], rules="palrp", position_layers=True, aggregation=way)[1][0] for way in ("signed", "positive", "absolute")
    }
    layers = {way: explanation.position_layers for way, explanation in found.items()}
    for signed, positive in zip(layers["signed"], layers["positive"], strict=True):
        assert (positive.values >= np.maximum(signed.values, 0) - 1e-7).all()
        assert positive.values.sum() > np.maximum(signed.values, 0).sum()
    if name == "BERT":
        np.testing.assert_allclose(layers["absolute"][0].values, np.abs(layers["signed"][0].values), rtol=1e-6)
    accounts = [tuple(explanation.ledger.accounts.values()) for explanation in found.values()]
    np.testing.assert_allclose(accounts, [accounts[0]] * 3, rtol=1e-12, atol=1e-15)
    with pytest.raises(PropagationError, match="signed, positive, absolute"):
        traced(BY_NAME[name], aggregation="loud")
