"""Gradient times input against differences of the plain model in float64: each token's embedding a little longer, a little shorter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.attribution.families import FAMILIES, Double, Family, build, inputs, target, texts
from workbench.attribution.trace import record

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
STEP = 1e-5
NAMES = ("BERT", "DeBERTa-v2", "GPT-2", "BLOOM", "Llama", "Gemma 2", "Mamba", "Mamba-2", "Qwen3-MoE")


def difference(model: nn.Module, given: dict[str, Any], token: int, place: tuple[int, ...]) -> float:
    """The derivative of one logit when the embedding of one token grows by a factor: value times gradient, summed over hidden."""
    sides = []
    for factor in (1 + STEP, 1 - STEP):

        def longer(_: nn.Module, __: Any, embedded: Tensor, factor: float = factor) -> Tensor:
            scaled = embedded.clone()
            scaled[0, token] *= factor
            return scaled

        handle = model.get_input_embeddings().register_forward_hook(longer)  # type: ignore[operator]
        with torch.no_grad(), Double():
            sides.append(float(model(**given).logits[place]))
        handle.remove()
    return (sides[0] - sides[1]) / (2 * STEP)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family.name in NAMES], ids=lambda family: family.name)
def test_gradient_x_input_equals_differences(family: Family) -> None:
    model = build(family, gain=1.5)
    given = {**inputs(family, texts(1, 6)), **({} if family.task == "classifier" else {"use_cache": False})}
    with Double():
        traced = record(model, given, "gradient_x_input")
    logits = traced.logits.detach()
    (explanation,) = traced.explain(target(family, logits))
    place = (0, int(logits[0].argmax())) if family.task == "classifier" else (0, -1, int(logits[0, -1].argmax()))
    expected = [difference(model, given, token, place) for token in range(6)]
    np.testing.assert_allclose(explanation.tokens, expected, rtol=1e-5, atol=1e-7 * max(map(abs, expected)))
    assert explanation.ledger.accounts["tokens"] == pytest.approx(sum(expected), rel=1e-6)
