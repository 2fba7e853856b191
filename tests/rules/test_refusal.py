"""Principle 2: what has no rule stops the trace, with the operation, the place and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.attribution.families import FAMILIES, build, inputs, target, texts
from workbench.attribution.trace import explain, record, trace
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
    "in-place exponential": lambda x: (x + 1.0).exp_(),
    "in-place product with an active value": lambda x: x.clone().mul_(x),
    "division of a constant": lambda x: 1.0 / x,
    "power of a constant": lambda x: 2.0**x,
    "dropout that is on": lambda x: nn.functional.dropout(x, 0.5, True),
    "largest minus active maximum under an exponential": lambda x: torch.logsumexp(x, -1, keepdim=True) + x,
    "weights that are active": lambda x: nn.functional.linear(torch.ones(1, x.shape[-1]).double(), x[0, :1]) + x.sum(-1, keepdim=True),
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


def part_in_training(model: nn.Module) -> nn.Module:
    """A model in eval mode but for one dropout."""
    model.bert.encoder.layer[1].output.dropout.train()  # type: ignore[union-attr, index]
    return model


def part_compiled(model: nn.Module) -> nn.Module:
    """A model one of whose layers is a compiled one."""
    model.bert.encoder.layer[0] = torch.compile(model.bert.encoder.layer[0])  # type: ignore[union-attr, index, call-overload]
    return model


def compiled_in_place(model: nn.Module) -> nn.Module:
    """A model one of whose layers compiles its own call."""
    model.bert.encoder.layer[0].intermediate.compile()  # type: ignore[union-attr, index]
    return model


def checkpointed_in_training(model: nn.Module) -> nn.Module:
    """A model as one trains it with gradient checkpointing."""
    model.activation_checkpointing_enable()  # type: ignore[operator]
    return model.train()


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch.compile's own imports
@pytest.mark.parametrize(
    ("state", "said"),
    [
        (lambda model: model.train(), "training mode"),
        (part_in_training, r"bert\.encoder\.layer\.1\.output\.dropout is in training mode"),
        (checkpointed_in_training, "training mode"),
        (lambda model: torch.compile(model), "torch.compile"),
        (part_compiled, r"bert\.encoder\.layer\.0 is a torch.compile'd"),
        (compiled_in_place, r"bert\.encoder\.layer\.0\.intermediate is a torch.compile'd"),
        (lambda model: quantised(model), r"intermediate\.dense has weights of type torch\.int8"),
    ],
    ids=["train", "one dropout", "checkpointed in training", "compiled", "part compiled", "compiled in place", "quantised"],
)
def test_an_unfit_model_is_refused(state: Callable[[nn.Module], nn.Module], said: str) -> None:
    with pytest.raises(PropagationError, match=said):
        trace(state(build(FAMILIES[0])), texts(1, 5))


def quantised(model: nn.Module) -> nn.Module:
    """A model one of whose layers holds 8-bit weights."""
    layer = model.bert.encoder.layer[0].intermediate.dense  # type: ignore[union-attr, index]
    layer.weight = nn.Parameter(layer.weight.mul(100).to(torch.int8), requires_grad=False)  # type: ignore[union-attr, operator]
    return model


class InPlace(nn.Module):
    """A gated activation whose input is changed in place after the product has kept it for its derivative."""

    def forward(self, x: Tensor) -> Tensor:
        x = x + 1.0
        y = x * torch.tanh(x)
        x.mul_(2.0)
        return y


def test_a_change_in_place_after_use_is_refused_in_the_backward_pass() -> None:
    model = planted(torch.relu)
    model.bert.encoder.layer[1].intermediate.intermediate_act_fn = InPlace().eval()  # type: ignore[union-attr, index]
    with pytest.raises(PropagationError, match="in place after it had been used") as refused:
        explain(model, texts(1, 5), "attnlrp")
    assert "replace the in-place operation" in refused.value.remedy


silu = nn.functional.silu  # which, unlike ReLU, does not need its own result for its derivative
SAME: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "product": (lambda x: silu(x).mul_(2.0), lambda x: silu(x) * 2.0),
    "quotient": (lambda x: silu(x).div_(3.0), lambda x: silu(x) / 3.0),
    "sum": (lambda x: silu(x).add_(0.5), lambda x: silu(x) + 0.5),
    "difference": (lambda x: silu(x).sub_(0.5), lambda x: silu(x) - 0.5),
    "residual": (lambda x: silu(x).add_(x), lambda x: silu(x) + x),
    "taken from a number": (lambda x: 1.0 - silu(x), lambda x: silu(x) * -1.0 + 1.0),
    "fill": (lambda x: silu(x).masked_fill_(torch.eye(5, 128).bool(), 0.0), lambda x: silu(x) * (1 - torch.eye(5, 128))),
    "part": (lambda x: filled(silu(x)), lambda x: torch.cat([torch.zeros_like(x[..., :7]), silu(x)[..., 7:]], -1)),
}


def filled(x: Tensor) -> Tensor:
    """A part set to zero through an index."""
    x[..., :7] = 0.0
    return x


@pytest.mark.parametrize("name", SAME)
def test_operations_in_place_that_have_a_rule_give_the_numbers_of_those_that_are_not(name: str) -> None:
    in_place, plain = (explain(planted(function), texts(2, 5), "attnlrp") for function in SAME[name])
    for one, other in zip(in_place, plain, strict=True):
        np.testing.assert_allclose(one.tokens, other.tokens, rtol=1e-6, atol=1e-9)
        assert one.ledger.accounts == pytest.approx(other.ledger.accounts, rel=1e-9, abs=1e-12)
        assert one.ledger.relative_gap < 1e-10


@pytest.mark.parametrize("index", [0, 9, 13], ids=lambda index: FAMILIES[index].name)
def test_gradient_checkpointing_of_the_models_own_changes_no_number(index: int) -> None:
    family = FAMILIES[index]
    model = build(family, dtype=torch.float32, gain=1.0)
    given = {**inputs(family, texts(2, 7)), **({} if family.task == "classifier" else {"use_cache": False})}
    asked = target(family, model(**given).logits)
    known = record(model, given).explain(asked)
    model.activation_checkpointing_enable()  # type: ignore[operator]
    for one, other in zip(record(model, given).explain(asked), known, strict=True):
        np.testing.assert_array_equal(one.tokens, other.tokens)
        assert one.ledger == other.ledger


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("composite", ["epsilon", "gamma", "alpha_beta", "gradient_x_input"])
def test_experts_take_one_text_where_something_is_booked_inside(composite: str) -> None:
    family = next(family for family in FAMILIES if family.name == "Mixtral")
    model = build(family, dtype=torch.float32, gain=1.0)
    given = {**inputs(family, texts(2, 7)), "use_cache": False}
    with pytest.raises(PropagationError, match="inside a mixture of experts") as refused:
        record(model, given, composite)
    assert refused.value.remedy == "explain the texts one at a time"


def test_unfit_inputs_and_a_target_that_depends_on_nothing_are_refused() -> None:
    model = build(FAMILIES[0])
    with pytest.raises(PropagationError, match="2 texts") as refused:
        record(model, {"input_ids": torch.tensor([[5, 6], [7, 8]])}).explain(lambda trace: trace.logits[:1, 0])
    assert refused.value.found == "a tensor of shape (1,)"
    with pytest.raises(PropagationError, match="depends on no embedding"):
        record(model, {"input_ids": torch.tensor([[5, 6]])}).explain(lambda trace: torch.zeros(1))
    with pytest.raises(PropagationError, match="input_ids"):
        record(model, {"inputs_embeds": torch.zeros(1, 2, 64)})
