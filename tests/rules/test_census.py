"""The census counts what the rules meet, and changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.attribution.families import FAMILIES, build, inputs, texts
from workbench.errors import PropagationError
from workbench.pipeline.checkup.interference import state
from workbench.rules.census import Census, census

BY_NAME = {family.name: family for family in FAMILIES}
#: Family → what three (decoders of encoder-decoders: two) layers of it call, counted by hand.
CALLS = {
    "BERT": {"lookup": 3, "linear": 3 * 6 + 2, "norm": 3 * 2 + 1, "fused attention": 3, "activation": 3 + 1},
    "MPNet": {"lookup": 3, "softmax": 3, "norm": 7},  # the table of distances is looked up, too
    "Llama": {"lookup": 1, "linear": 3 * 7 + 1, "norm": 3 * 2 + 1, "fused attention": 3, "activation": 3, "rotary positions": 1},
    "BLOOM": {"lookup": 1, "softmax": 3, "linear biases": 3, "norm": 8},
    "T5": {"lookup": 4, "fused attention": 2 + 2 * 2, "norm": 2 * 2 + 2 * 3 + 2},
    "Marian": {"sinusoidal positions": 2, "fused attention": 6},
    "Mamba": {"scan": 3, "convolution": 3, "norm": 4},
    "Mixtral": {"router": 3, "experts": 3},
}
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


@pytest.mark.parametrize("name", CALLS)
def test_operations_are_counted_by_family(name: str) -> None:
    family = BY_NAME[name]
    model = build(family, dtype=torch.float32)
    before = state(model)
    found = census(model, inputs(family, texts(1, 6)))
    assert {kind: found.calls[kind] for kind in CALLS[name]} == CALLS[name]
    assert not found.others
    assert state(model) == before


def test_casts_of_a_double_model_are_counted() -> None:
    assert census(build(BY_NAME["BERT"]), inputs(BY_NAME["BERT"], texts(1, 6))).casts == 0
    assert census(build(BY_NAME["Llama"]), inputs(BY_NAME["Llama"], texts(1, 6))).casts == 3 * 2 + 1  # its norms


class Sine(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x)


def test_what_came_before_a_refusal_is_counted() -> None:
    model = build(BY_NAME["BERT"])
    model.bert.encoder.layer[1].intermediate.intermediate_act_fn = Sine().eval()  # type: ignore[union-attr, index, union-attr]
    before = state(model)
    found = Census()
    with pytest.raises(PropagationError, match=r"torch\.sin"):
        census(model, inputs(BY_NAME["BERT"], texts(1, 6)), found)
    assert found.calls["fused attention"] == 2
    assert state(model) == before
