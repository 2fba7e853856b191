"""Forward streams: another way to the same relevance, without derivatives; each is an oracle for the other."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.attribution.families import FAMILIES, Double, Family, build
from workbench.attribution.trace import record
from workbench.errors import PropagationError
from workbench.rules.composite import composite
from workbench.rules.layout import Layout
from workbench.rules.streams import streams
from workbench.rules.tape import node_of, play

NAMES = (
    "BERT",
    "RoBERTa",
    "XLM-R",
    "DistilBERT",
    "ALBERT",
    "ELECTRA",
    "MPNet",
    "DeBERTa-v2",
    "ModernBERT",
    "GPT-2",
    "GPT-NeoX",
    "Llama",
    "Qwen2",
)
ENCODERS = [family for family in FAMILIES if family.name in NAMES]
family_rows = pytest.mark.parametrize("family", ENCODERS, ids=lambda family: family.name)
IDS = torch.tensor([[9, 40, 7, 7, 150, 31], [88, 6, 199, 20, 5, 64]])
DIMENSIONS = range(0, 64, 13)


def embed(module: nn.Module, ids: Tensor) -> Tensor:
    """Mean of the last hidden states."""
    return module(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.mean(1)  # type: ignore[no-any-return]


def forward(family: Family, module: nn.Module, name: str, parts: Tensor | None = None, **options: Any) -> tuple[Tensor, Layout]:
    """Embedding by row, `(text row dim)`, and the layout of the rows."""
    rules = composite(name)
    parts = torch.arange(IDS.shape[1]).expand(len(IDS), -1) if parts is None else parts
    layout = Layout(parts, int(parts.max()) + 1, rules.attention == "half", placed=False)
    with Double(), streams(module, rules):
        whole = embed(module, IDS)
    with Double(), torch.no_grad():
        torch.testing.assert_close(whole, embed(module, IDS), rtol=0, atol=0)
    node = node_of(whole)
    assert node is not None
    return play(node, layout, options.get("room", 100)).transpose(0, 1), layout


@family_rows
@pytest.mark.parametrize("name", ["bilrp", "attnlrp", "lrp0"])
def test_rows_sum_to_the_embedding_and_equal_backward_passes(family: Family, name: str) -> None:
    module: Any = build(family).base_model
    found, layout = forward(family, module, name)
    with Double(), torch.no_grad():
        plain = embed(module, IDS)
    torch.testing.assert_close(found.sum(1), plain, rtol=1e-10, atol=1e-12)
    with Double():
        traced = record(module, {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}, name)
    for dimension in DIMENSIONS:
        explained = traced.explain(lambda trace, at=dimension: trace.output.last_hidden_state.mean(1)[:, at], keep=True)  # type: ignore[misc]
        torch.testing.assert_close(
            found[:, : layout.constants, dimension], traced.recorder.readings.by_token["tokens"], rtol=1e-9, atol=1e-11
        )
        for row, explanation in enumerate(explained):
            accounts = explanation.ledger.accounts
            constants = accounts["biases"] + accounts["positions"] + accounts["token_types"]
            assert found[row, layout.constants, dimension].item() == pytest.approx(constants, rel=1e-9, abs=1e-11)
            if layout.absorbed is not None:
                assert found[row, -1, dimension].item() == pytest.approx(accounts["softmax"], rel=1e-9, abs=1e-11)


def test_parts_may_be_words_or_classes() -> None:
    """Streams are linear: the row of a class of tokens is the sum of its tokens' rows."""
    family = ENCODERS[0]
    module: Any = build(family).base_model
    single, _ = forward(family, module, "attnlrp")
    grouped, layout = forward(family, module, "attnlrp", torch.tensor([[0, 1, 1, 0, 2, 0], [2, 2, 2, 1, 0, 0]]))
    assert layout.count == 3
    torch.testing.assert_close(grouped[0, 0], single[0, [0, 3, 5]].sum(0), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(grouped[1, 2], single[1, [0, 1, 2]].sum(0), rtol=1e-9, atol=1e-12)


def test_what_has_no_forward_rule_is_refused() -> None:
    family = ENCODERS[0]
    module: Any = build(family).base_model
    for name in ("gamma", "epsilon", "alpha_beta", "palrp", "gradient_x_input", "attnlrp_omit"):
        with pytest.raises(PropagationError, match="forward"):
            forward(family, module, name)
    module.encoder.layer[1].intermediate.intermediate_act_fn = Sine()
    with pytest.raises(PropagationError, match=r"sin, which has no forward rule"):
        forward(family, module, "bilrp")
    assert not any(part._forward_hooks for part in module.modules())


class Sine(nn.Module):
    """An activation without a rule."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x)
