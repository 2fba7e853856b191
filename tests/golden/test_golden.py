"""Agreement with other people's code for the same rules (see README.md for how the numbers were made)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification

from tests.attribution.families import encoding
from workbench.attribution.trace import explain
from workbench.rules.composite import Composite
from workbench.rules.propagation import propagation

HERE = Path(__file__).parent


def test_attnlrp_equals_lxt() -> None:
    kept = json.loads((HERE / "lxt_bert.json").read_text())
    model = AutoModelForSequenceClassification.from_pretrained(HERE / "lxt_bert").eval()
    for text in kept["texts"]:
        explanation = explain(model, [encoding(text["ids"])], "attnlrp")[0]
        assert explanation.ledger.target == pytest.approx(max(text["logits"]), abs=1e-5)
        expected = np.array(text["relevance"])
        np.testing.assert_allclose(explanation.tokens, expected, atol=1e-5 * np.abs(expected).max())


def test_attnlrp_equals_lxt_on_the_shared_model(mirror: Path) -> None:
    folder = mirror.parent / "golden" / "bert"
    if not folder.is_dir():
        pytest.skip("no folder of golden models beside the mirror")
    kept = json.loads((folder / "relevance.json").read_text())
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    explanation = explain(model, [encoding(kept["input_ids"])], "attnlrp")[0]
    expected = np.array(kept["relevance"]["attnlrp"])
    np.testing.assert_allclose(explanation.tokens, expected, atol=1e-6 * np.abs(expected).max())


def test_epsilon_rule_equals_zennit() -> None:
    kept = json.loads((HERE / "zennit_epsilon.json").read_text())
    layers: list[nn.Module] = []
    for weight, bias in kept["weights"]:
        layer = nn.Linear(len(weight[0]), len(weight)).double()
        layer.weight.data, layer.bias.data = torch.tensor(weight, dtype=torch.float64), torch.tensor(bias, dtype=torch.float64)
        layers += [layer, nn.ReLU()]
    inputs = torch.tensor(kept["inputs"], dtype=torch.float64)
    net = nn.Sequential(nn.Embedding.from_pretrained(inputs), *layers[:-1]).requires_grad_(False).eval()
    rules = Composite("epsilon_here", "", "half", "constant", "identity", "half", "epsilon", kept["epsilon"])
    with propagation(net, rules, rows=len(inputs)) as recorder:
        output = net(torch.arange(len(inputs))[:, None])[:, 0]
    np.testing.assert_allclose(output.detach().numpy(), kept["outputs"], rtol=1e-12)
    (gradient,) = torch.autograd.grad(output[:, kept["target"]].sum(), recorder.leaves)
    np.testing.assert_allclose((recorder.leaves[0] * gradient)[:, 0].detach().numpy(), kept["relevance"], rtol=1e-10, atol=1e-12)
