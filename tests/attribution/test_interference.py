"""Principle 4: everything attached is detached, after use and after an error, and nobody else notices meanwhile."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.attribution.families import FAMILIES, Family, build, inputs, target, texts
from workbench.attribution.trace import Trace, record
from workbench.errors import PropagationError
from workbench.pipeline.checkup.interference import equal, neighbour, state
from workbench.relevance import Explanation
from workbench.rules.composite import COMPOSITES

BY_NAME = {family.name: family for family in FAMILIES}
#: A family for each kind of thing that hooks, marks or switches: composed activations, tables, rotary, decoders, scans, experts.
KINDS = ("BERT", "MPNet", "DeBERTa-v2", "BLOOM", "Llama", "T5", "Marian", "Mamba", "Mamba-2", "Qwen3-MoE")
WATCH = ("residual", "attention", "mlp", "heads", "neurons")
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
checkpointing = pytest.mark.parametrize("checkpoint", [False, True], ids=["kept", "checkpoint"])


def trainable(family: Family, seed: int = 0) -> nn.Module:
    """A model as its owner has it in training: most of its parameters ask for gradients, some are frozen."""
    model = build(family, dtype=torch.float32, seed=seed, gain=1.0)
    for index, parameter in enumerate(model.parameters()):
        parameter.requires_grad_(index % 5 != 0)
    return model


def given(family: Family, seed: int = 0, length: int = 9) -> dict[str, Any]:
    """Arguments of a batch."""
    return inputs(family, texts(1 if family.single else 2, length, seed=seed))


def own_gradients(model: nn.Module, arguments: dict[str, Any]) -> list[Tensor]:
    """Gradients by the model's own parameters, as training would take them."""
    asked = [parameter for parameter in model.parameters() if parameter.requires_grad]
    found = torch.autograd.grad(model(**arguments).logits.square().sum(), asked, allow_unused=True)
    return [gradient for gradient in found if gradient is not None]


def explained(family: Family, model: nn.Module, arguments: dict[str, Any], rules: str = "attnlrp", **options: Any) -> list[Explanation]:
    """Explanations of a batch under rules."""
    traced = record(model, arguments, rules, **options)
    return traced.explain(target(family, traced.logits))


@pytest.mark.parametrize("name", KINDS)
@checkpointing
def test_nothing_is_left_behind_after_use(name: str, checkpoint: bool) -> None:
    family = BY_NAME[name]
    model, arguments, other = trainable(family), given(family), neighbour()
    before = other(), own_gradients(model, arguments), state(model)
    for rules in sorted(COMPOSITES) if name == "BERT" and not checkpoint else ("palrp", "gradient_x_input"):
        explained(family, model, arguments, rules, watch=() if family.single else WATCH, checkpoint=checkpoint)
    assert equal(other(), before[0])
    assert equal(own_gradients(model, arguments), before[1])
    assert state(model) == before[2]
    assert all(parameter.grad is None for parameter in model.parameters())


class Failing(nn.Module):
    """An activation that fails at one of its calls."""

    def __init__(self, call: int, error: type[Exception]) -> None:
        super().__init__()
        self.calls, self.call, self.error = 0, call, error

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == self.call:
            raise self.error("planted")
        return torch.relu(x)


class Unknown(nn.Module):
    """An activation without a rule."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x)


def in_middle(model: nn.Module, part: nn.Module) -> nn.Module:
    """A BERT with another activation in its second layer."""
    model.bert.encoder.layer[1].intermediate.intermediate_act_fn = part.eval()  # type: ignore[union-attr, index, union-attr]
    return model


def failing_target(trace: Trace) -> Tensor:
    """A target that fails before the backward pass."""
    raise KeyError("planted")


def failing_backward(trace: Trace) -> Tensor:
    """A target whose backward pass fails in the first layer that it reaches."""

    def fail(_: Tensor) -> None:
        raise ArithmeticError("planted")

    trace.recorder.activations["residual", 1].register_hook(fail)  # type: ignore[no-untyped-call]
    return trace.logits[:, 0]


#: What goes wrong: the model's part that is replaced, the target, the error.
WRONG: dict[str, tuple[Callable[[], nn.Module] | None, Callable[[Trace], Tensor] | None, type[Exception]]] = {
    "no rule": (Unknown, None, PropagationError),
    "the model fails": (lambda: Failing(1, ZeroDivisionError), None, ZeroDivisionError),
    "interrupted": (lambda: Failing(1, RecursionError), None, RecursionError),
    "the target fails": (None, failing_target, KeyError),
    "the backward pass fails": (None, failing_backward, ArithmeticError),
}


@pytest.mark.parametrize("wrong", WRONG)
@checkpointing
def test_nothing_is_left_behind_after_an_error(wrong: str, checkpoint: bool) -> None:
    part, asked, error = WRONG[wrong]
    family, other = BY_NAME["BERT"], neighbour()
    model, arguments = trainable(family), given(family)
    if part is not None:
        in_middle(model, part())
    before = other(), state(model)

    def attempt() -> None:
        traced = record(model, arguments, watch=WATCH, checkpoint=checkpoint)
        traced.explain(asked or target(family, traced.logits))

    with pytest.raises(error):
        attempt()
    assert equal(other(), before[0])
    assert state(model) == before[1]
    assert torch.overrides._get_current_function_mode_stack() == []  # type: ignore[no-untyped-call]


def test_nothing_is_left_behind_when_a_recomputation_fails() -> None:
    family, other = BY_NAME["BERT"], neighbour()
    model, arguments = in_middle(trainable(family), Failing(2, ArithmeticError)), given(family)
    before = other(), state(model)
    traced = record(model, arguments, checkpoint=True)
    with pytest.raises(ArithmeticError, match="planted"):
        traced.explain(target(family, traced.logits))
    assert equal(other(), before[0])
    assert state(model) == before[1]
    assert torch.overrides._get_current_function_mode_stack() == []  # type: ignore[no-untyped-call]
    again, known = explained(family, model, arguments, checkpoint=True), explained(family, model, arguments)
    np.testing.assert_allclose(again[0].tokens, known[0].tokens, rtol=1e-5, atol=1e-6)


@checkpointing
def test_a_model_in_training_is_explained_as_a_frozen_one(checkpoint: bool) -> None:
    for family in (BY_NAME["BERT"], BY_NAME["Llama"], BY_NAME["T5"]):
        model, arguments = trainable(family), given(family)
        found = explained(family, model, arguments, checkpoint=checkpoint)
        model.requires_grad_(False)
        for one, known in zip(found, explained(family, model, arguments), strict=True):
            np.testing.assert_allclose(one.tokens, known.tokens, rtol=1e-5, atol=1e-6)
            assert one.ledger.relative_gap < 1e-4


Work = Callable[[], list[Explanation]]


def together(work: list[Work], rounds: int = 2) -> list[list[Explanation]]:
    """What each piece of work gives in its last round, all in threads of their own that start at once and take turns often."""
    start = threading.Barrier(len(work))

    def run(piece: Work) -> list[Explanation]:
        start.wait()
        return [piece() for _ in range(rounds)][-1]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(len(work)) as pool:
            return list(pool.map(run, work))
    finally:
        sys.setswitchinterval(interval)


def same(found: list[Explanation], known: list[Explanation]) -> None:
    """Asserts that explanations are the same numbers, bit by bit."""
    for one, other in zip(found, known, strict=True):
        np.testing.assert_array_equal(one.tokens, other.tokens)
        np.testing.assert_array_equal(one.decoder_inputs, other.decoder_inputs)
        assert one.ledger == other.ledger


@checkpointing
def test_threads_explain_two_models_at_once_with_the_numbers_of_one_alone(checkpoint: bool) -> None:
    families = [BY_NAME[name] for name in ("GPT-2", "T5", "Llama")]
    models = [trainable(family) for family in families]
    states = [state(model) for model in models]

    def work(family: Family, model: nn.Module) -> Work:
        return lambda: explained(family, model, given(family), checkpoint=checkpoint)

    jobs = [work(family, model) for family, model in zip(families, models, strict=True)]
    alone = [job() for job in jobs]
    for found, known in zip(together(jobs), alone, strict=True):
        same(found, known)
    assert [state(model) for model in models] == states


@pytest.mark.parametrize("name", ["BERT", "GPT-2", "T5", "Mamba"])
def test_threads_explain_the_same_model_at_once_with_the_numbers_of_one_alone(name: str) -> None:
    family = BY_NAME[name]
    model = trainable(family)
    before = state(model)

    def work(seed: int, rules: str, checkpoint: bool) -> Work:
        return lambda: explained(family, model, given(family, seed, 7 + seed), rules, checkpoint=checkpoint)

    jobs = [work(0, "attnlrp", False), work(1, "palrp", True), work(2, "gradient_x_input", False), work(0, "attnlrp", True)]
    alone = [job() for job in jobs]
    for found, known in zip(together(jobs), alone, strict=True):
        same(found, known)
    assert state(model) == before


def test_a_thread_that_trains_sees_no_rules_while_another_explains() -> None:
    """Hooks stand on the shared modules meanwhile, but answer only their own thread."""
    family = BY_NAME["GPT-2"]
    model = build(family, dtype=torch.float32)
    arguments = given(family)
    with torch.no_grad():
        known = model(**arguments).logits
    seen: list[Tensor] = []

    def plain() -> list[Explanation]:
        with torch.no_grad():
            seen.append(model(**arguments).logits)
        return []

    together([plain, lambda: explained(family, model, arguments), lambda: explained(family, model, arguments, checkpoint=True)])
    assert len(seen) == 2
    assert all(torch.equal(logits, known) for logits in seen)
