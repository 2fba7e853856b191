"""Principle 2: what has no rule stops the trace, with the operation, the place and what to do; and nothing is left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.attribution.families import FAMILIES, build, texts
from workbench.attribution.trace import explain, trace
from workbench.errors import PropagationError
from workbench.rules import register


class Doubled(torch.autograd.Function):
    """A custom kernel: what it does cannot be seen."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return gradient * 2


class Planted(nn.Module):
    """An activation that applies a given function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def imul(x: Tensor) -> Tensor:
    """`x *= 2` on a value that a rule has made."""
    x *= 2.0
    return x


def planted(function: Callable[[Tensor], Tensor]) -> nn.Module:
    """A BERT whose second layer's activation is the function."""
    model = build(FAMILIES[0])
    model.bert.encoder.layer[1].intermediate.intermediate_act_fn = Planted(function)  # type: ignore[union-attr, index]
    return model


UNKNOWN: dict[str, Callable[[Tensor], Tensor]] = {
    "sin": torch.sin,
    "exp": lambda x: x.exp(),
    "sigmoid": torch.sigmoid,
    "softplus": nn.functional.softplus,
    "clamp": lambda x: x.clamp(-1, 1),
    "abs": torch.abs,
    "in-place multiplication": lambda x: x.clone().mul_(2.0),
    "in-place product of a layer's output": lambda x: imul(x + 1.0),
    "in-place sine": lambda x: x.clone().sin_(),
    "power that is no norm": lambda x: x.pow(2) * 1.0,
    "division by an active value": lambda x: x / (1 + x.mean(-1, keepdim=True)),
    "a norm's statistic used elsewhere": lambda x: torch.relu(x.var(-1, keepdim=True)) + x,
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_active_operation_without_a_rule_stops_with_its_place(name: str) -> None:
    with pytest.raises(PropagationError, match=r"bert\.encoder\.layer\.1\.intermediate\.intermediate_act_fn") as refused:
        explain(planted(UNKNOWN[name]), texts(1, 5), "attnlrp")
    assert "has no rule" in refused.value.found
    assert "register" in refused.value.remedy


def test_a_custom_kernel_is_refused() -> None:
    with pytest.raises(PropagationError, match="custom autograd function"):
        explain(planted(Doubled.apply), texts(1, 5), "attnlrp")


def test_a_registered_module_passes() -> None:
    class Cubed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x**3

    model = planted(torch.relu)
    model.bert.encoder.layer[1].intermediate.intermediate_act_fn = Cubed()  # type: ignore[union-attr, index]
    with pytest.raises(PropagationError, match="a power"):
        explain(model, texts(1, 5), "attnlrp")
    register.register_module("Cubed", "identity", lambda x, y: x * x)
    try:
        assert explain(model, texts(1, 5), "attnlrp")[0].ledger.relative_gap < 1e-10
    finally:
        register.forget("Cubed")


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch.compile's own imports
@pytest.mark.parametrize(
    ("state", "said"),
    [
        (lambda model: model.train(), "training mode"),
        (lambda model: torch.compile(model), "torch.compile"),
        (lambda model: quantised(model), "quantised"),
    ],
    ids=["train", "compiled", "quantised"],
)
def test_an_unfit_model_is_refused(state: Callable[[nn.Module], nn.Module], said: str) -> None:
    with pytest.raises(PropagationError, match=said):
        trace(state(build(FAMILIES[0])), texts(1, 5))


def quantised(model: nn.Module) -> nn.Module:
    """A model one of whose layers holds 8-bit weights."""
    layer = model.bert.encoder.layer[0].intermediate.dense  # type: ignore[union-attr, index]
    layer.weight = nn.Parameter(layer.weight.mul(100).to(torch.int8), requires_grad=False)  # type: ignore[union-attr, operator]
    return model


def gradient(model: nn.Module) -> Tensor:
    """The plain gradient of a model's largest logit by its embeddings."""
    embedding = model.get_input_embeddings()(torch.tensor([[5, 6, 7]])).detach().requires_grad_(True)  # type: ignore[operator]
    return torch.autograd.grad(model(inputs_embeds=embedding).logits.max(), embedding)[0]


def test_nothing_is_left_behind_after_use_and_after_an_error() -> None:
    models = [build(family, dtype=torch.float32) for family in FAMILIES]
    before = [gradient(model) for model in models]
    for model in models:
        explain(model, texts(2, 6), "attnlrp")
    with pytest.raises(PropagationError):
        explain(planted(torch.sin), texts(1, 5), "attnlrp")
    for model, known in zip(models, before, strict=True):
        assert torch.equal(gradient(model), known)
        assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())


def test_two_threads_explain_the_same_model_at_once() -> None:
    model = build(FAMILIES[0])
    model.bert.encoder.layer[0].intermediate.intermediate_act_fn = modules_new_gelu()  # type: ignore[union-attr, index]
    batches = [texts(4, 8, seed=seed) for seed in range(4)]
    alone = [explain(model, batch, "attnlrp") for batch in batches]
    together: dict[int, Any] = {}

    def run(index: int) -> None:
        together[index] = [explain(model, batches[index], "attnlrp") for _ in range(3)][-1]

    threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, known in enumerate(alone):
        for one, other in zip(known, together[index], strict=True):
            np.testing.assert_allclose(one.tokens, other.tokens, rtol=1e-6, atol=1e-9)


def modules_new_gelu() -> nn.Module:
    """An activation that Python composes from torch functions, so that its module rule is in use."""
    from transformers.activations import NewGELUActivation

    return NewGELUActivation()


def test_what_has_no_account_yet_is_refused() -> None:
    import transformers

    shape = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    bart = transformers.BartForSequenceClassification(transformers.BartConfig(**shape, vocab_size=200)).eval()
    with pytest.raises(PropagationError, match="encoder-decoder"):
        trace(bart, texts(2, 6))
    mpnet = transformers.MPNetForSequenceClassification(
        transformers.MPNetConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, vocab_size=200)
    ).eval()
    with pytest.raises(PropagationError, match="relative_attention_bias"):
        trace(mpnet, texts(2, 6))
    with pytest.raises(PropagationError, match="add_"):
        trace(mpnet, texts(1, 6))
    deberta = transformers.DebertaV2ForSequenceClassification(
        transformers.DebertaV2Config(
            hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, vocab_size=200, relative_attention=True,
            pos_att_type=["p2c", "c2p"], max_relative_positions=16,
        )
    ).eval()  # fmt: skip
    with pytest.raises(PropagationError, match="add_"):
        trace(deberta, texts(2, 6))


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(PropagationError, match="group the texts"):
        trace(build(FAMILIES[0]), [*texts(1, 5), *texts(1, 6)])
