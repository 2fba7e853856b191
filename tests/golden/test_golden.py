"""Agreement with other people's code for the same rules (see README.md for how the numbers were made)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from tests.attribution.families import encoding
from workbench.attribution.targets import next_token
from workbench.attribution.trace import explain, record
from workbench.rules.composite import Composite, composite
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


@pytest.mark.parametrize(("rules", "theirs"), [("attnlrp", "attnlrp"), ("lrp0", "cp")])
def test_a_decoder_equals_lxt(rules: str, theirs: str) -> None:
    """What lxt calls CP keeps the gate of the MLP constant as well as attention: our `lrp0`."""
    kept = json.loads((HERE / "lxt_llama.json").read_text())
    model = AutoModelForCausalLM.from_pretrained(HERE / "lxt_llama").eval()
    traced = record(model, {"input_ids": torch.tensor([kept["input_ids"]]), "use_cache": False}, rules)
    np.testing.assert_allclose(traced.logits[0, -1].detach().numpy(), kept["logits"], atol=1e-6)
    (explanation,) = traced.explain(next_token(torch.tensor([kept["target"]])))
    expected = np.array(kept["relevance"][theirs])
    np.testing.assert_allclose(explanation.tokens, expected, atol=1e-6 * np.abs(expected).max())


def test_attnlrp_equals_lxt_on_the_shared_model(mirror: Path) -> None:
    folder = mirror.parent / "golden" / "bert"
    if not folder.is_dir():
        pytest.skip("no folder of golden models beside the mirror")
    kept = json.loads((folder / "relevance.json").read_text())
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    explanation = explain(model, [encoding(kept["input_ids"])], "attnlrp")[0]
    expected = np.array(kept["relevance"]["attnlrp"])
    np.testing.assert_allclose(explanation.tokens, expected, atol=1e-6 * np.abs(expected).max())


def relevance(kept: dict[str, Any], rules: Composite, target: int) -> NDArray[np.float64]:
    """The engine's relevance of the inputs of a kept network, whose outputs must be the kept ones."""
    layers: list[nn.Module] = []
    for weight, bias in kept["weights"]:
        layer = nn.Linear(len(weight[0]), len(weight)).double()
        layer.weight.data, layer.bias.data = torch.tensor(weight, dtype=torch.float64), torch.tensor(bias, dtype=torch.float64)
        layers += [layer, nn.ReLU()]
    inputs = torch.tensor(kept["inputs"], dtype=torch.float64)
    net = nn.Sequential(nn.Embedding.from_pretrained(inputs), *layers[:-1]).requires_grad_(False).eval()
    with propagation(net, rules, rows=len(inputs)) as recorder:
        output = net(torch.arange(len(inputs))[:, None])[:, 0]
    np.testing.assert_allclose(output.detach().numpy(), kept["outputs"], rtol=1e-12)
    (gradient,) = torch.autograd.grad(output[:, target].sum(), recorder.leaves)
    found: NDArray[np.float64] = (recorder.leaves[0] * gradient)[:, 0].detach().numpy()
    return found


def test_epsilon_rule_equals_zennit() -> None:
    kept = json.loads((HERE / "zennit_epsilon.json").read_text())
    rules = Composite("epsilon_here", "", "half", "constant", "identity", "half", "epsilon", kept["epsilon"])
    np.testing.assert_allclose(relevance(kept, rules, kept["target"]), kept["relevance"], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("gamma 0.25", composite("gamma")),
        ("gamma 2", replace(composite("gamma"), gamma=2.0)),
        ("alpha_beta 2 1", replace(composite("alpha_beta"), alpha=2.0, beta=-1.0)),
        ("alpha_beta 1 0", replace(composite("alpha_beta"), alpha=1.0, beta=0.0)),
    ],
)
@pytest.mark.parametrize("target", range(4))
def test_gamma_and_alpha_beta_equal_zennit(name: str, rules: Composite, target: int) -> None:
    kept = json.loads((HERE / "zennit_rules.json").read_text())
    np.testing.assert_allclose(relevance(kept, rules, target), kept["relevance"][name][target], rtol=1e-9, atol=1e-12)
