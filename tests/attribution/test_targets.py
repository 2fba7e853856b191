"""Targets: whatever one number of a model is explained, its ledger closes and relevance follows its linearity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers as hf
from torch import Tensor, nn

from tests.attribution.families import FAMILIES, SHAPE, build, encoding, inputs, texts
from workbench.attribution import targets
from workbench.attribution.trace import Trace, explain, record, trace
from workbench.errors import PropagationError
from workbench.relevance import Explanation

BY_NAME = {family.name: family for family in FAMILIES}
BERT = BY_NAME["BERT"]
GPT2 = BY_NAME["GPT-2"]


def random_model(kind: type) -> nn.Module:
    """A BERT of this task with random weights in float64."""
    torch.manual_seed(0)
    labels = 2 if kind is hf.BertForQuestionAnswering else 4
    model: nn.Module = kind(hf.BertConfig(**SHAPE | {"num_labels": labels})).eval().double()
    for parameter in model.parameters():
        parameter.data.mul_(3.0)
    return model


def closed(explanations: list[Explanation]) -> bool:
    """Whether every ledger closes."""
    return all(explanation.ledger.relative_gap < 1e-10 for explanation in explanations)


def test_contrast_and_margin_are_linear_in_relevance() -> None:
    model = build(BERT)
    (text,) = texts(1, 8)
    by_label = [explain(model, [text], "attnlrp", labels=[label])[0].tokens for label in range(4)]
    contrast = explain(model, [text], "attnlrp", labels=[1], target="contrast")[0].tokens
    np.testing.assert_allclose(contrast, by_label[1] - (by_label[0] + by_label[2] + by_label[3]) / 3, rtol=1e-4, atol=1e-6)
    logits = trace(model, [text]).logits[0].detach()
    runner_up = int(logits.scatter(0, torch.tensor([1]), float("-inf")).argmax())
    margin = explain(model, [text], "attnlrp", labels=[1], target="margin")[0].tokens
    np.testing.assert_allclose(margin, by_label[1] - by_label[runner_up], rtol=1e-4, atol=1e-6)


def test_log_probability_is_the_logit_less_the_expected_one_and_books_the_entropy() -> None:
    """log p = z_k - log sum exp z; its derivative is e_k - p, so z_k - sum p z is propagated and -H(p) is not linear."""
    model = build(BERT)
    (text,) = texts(1, 8)
    logits = trace(model, [text]).logits[0].detach()
    probability = torch.softmax(logits, 0)
    by_label = [explain(model, [text], "attnlrp", labels=[label])[0] for label in range(4)]
    (found,) = explain(model, [text], "attnlrp", labels=[2], target="log_probability")
    expected = by_label[2].tokens - sum(p.item() * other.tokens for p, other in zip(probability, by_label, strict=True))
    np.testing.assert_allclose(found.tokens, expected, rtol=1e-4, atol=1e-7)
    assert found.ledger.target == pytest.approx(torch.log(probability[2]).item())
    assert found.ledger.accounts["nonlinear"] == pytest.approx((probability * torch.log(probability)).sum().item(), rel=1e-9)
    assert found.ledger.relative_gap < 1e-12


def test_next_token_and_a_token_at_any_position() -> None:
    model = build(GPT2)
    given = inputs(GPT2, texts(2, 9))
    traced = record(model, {**given, "use_cache": False})
    best = traced.logits[:, -1].argmax(-1)
    likeliest, named = traced.explain(targets.next_token(), keep=True), traced.explain(targets.next_token(best), keep=True)
    np.testing.assert_array_equal(likeliest[1].tokens, named[1].tokens)
    early = traced.explain(targets.token(torch.tensor([3, 5]), torch.tensor([7, 8])))
    assert early[0].ledger.target == pytest.approx(traced.logits[0, 3, 7].item())
    assert closed([*likeliest, *early])
    np.testing.assert_array_equal(early[0].tokens[4:], 0)  # a causal model: nothing after position 3 takes part
    with pytest.raises(PropagationError, match="texts of \\[9, 9\\] tokens"):
        traced.explain(targets.token(9))


def test_a_token_classifiers_label() -> None:
    model = random_model(hf.BertForTokenClassification)
    traced = record(model, inputs(BERT, texts(2, 7)))
    found = traced.explain(targets.token_label(torch.tensor([2, 4]), torch.tensor([1, 3])))
    assert [explanation.ledger.target for explanation in found] == pytest.approx(
        [traced.logits[0, 2, 1].item(), traced.logits[1, 4, 3].item()]
    )
    assert closed(found)


def test_an_answer_span() -> None:
    model = random_model(hf.BertForQuestionAnswering)
    traced = record(model, inputs(BERT, texts(2, 7)))
    found = traced.explain(targets.span(torch.tensor([1, 2]), torch.tensor([3, 6])))
    expected = traced.output.start_logits[1, 2] + traced.output.end_logits[1, 6]
    assert found[1].ledger.target == pytest.approx(expected.item())
    assert closed(found)


def test_a_neuron_of_any_layer() -> None:
    model = build(GPT2)
    traced = record(model, {**inputs(GPT2, texts(2, 6)), "use_cache": False}, watch=("neurons", "residual"))
    found = traced.explain(targets.neuron("neurons", 1, torch.tensor([2, 3]), 17), keep=True)
    assert closed(found)
    np.testing.assert_array_equal(found[0].tokens[3:], 0)
    assert found[0].ledger.target == pytest.approx(traced.recorder.activations["neurons", 1][0, 2, 17].item())
    with pytest.raises(PropagationError, match="neurons 0-2, residual 0-2"):
        traced.explain(targets.neuron("heads", 0, 0, 0))


def test_any_function_of_the_output_of_the_user() -> None:
    """A function that is not linear in the logits: what its derivative does not conserve is booked, the ledger closes."""

    def spread(traced: Trace) -> Tensor:
        return traced.logits.var(1) + traced.logits[:, 0]

    model = build(BERT)
    traced = trace(model, texts(3, 7))
    found = traced.explain(spread, keep=True)
    assert closed(found)
    assert found[0].ledger.accounts["nonlinear"] != 0
    with pytest.raises(PropagationError, match="one number for each of the 3 texts"):
        traced.explain(lambda traced: traced.logits, keep=True)
    with pytest.raises(PropagationError, match="depends on no embedding"):
        traced.explain(lambda traced: traced.logits.detach()[:, 0])


def test_unfit_inputs_are_refused() -> None:
    model = build(BERT)
    with pytest.raises(PropagationError, match="input_ids"):
        record(model, {"inputs_embeds": torch.zeros(1, 2, 64)})
    with pytest.raises(PropagationError, match="vocabulary has 200"):
        record(model, {"input_ids": torch.tensor([[5, 200]])})
    with pytest.raises(PropagationError, match="without tokens"):
        trace(model, [encoding([])])
    with pytest.raises(PropagationError, match="components residual"):
        trace(model, texts(1, 4), watch=("soul",))
