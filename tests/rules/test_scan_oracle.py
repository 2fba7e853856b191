"""MambaLRP's recurrence and mixtures of experts in relevance form, number by number (Jafari et al. 2024)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
import transformers as hf
from torch import Tensor, nn
from transformers.models.mamba.modeling_mamba import MambaMixer
from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

from tests.attribution.families import Double
from tests.rules import papers
from tests.rules.engine import Propagated, drawn, propagate
from workbench.errors import PropagationError

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


def seeded(module: nn.Module, size: float = 0.5) -> nn.Module:
    """Random weights and biases in float64."""
    torch.manual_seed(3)
    for name, parameter in module.double().named_parameters():
        parameter.requires_grad_(False)
        if "A_log" not in name:
            parameter.normal_(0, size)
        else:
            parameter.normal_(0, 0.3)
    return module.eval()


def run(name: str, module: nn.Module, x: Tensor, rows: int = 1) -> Propagated:
    """The module under a composite, in float64 throughout."""
    with Double():
        return propagate(name, module, [x], module=module, rows=rows)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


class Slow:
    """A mixer's pass by loops, kept for the way back; texts have one axis of tokens and one of units."""

    def __init__(self, w: dict[str, Tensor], x: Tensor, states: int, rank: int) -> None:
        self.w, self.x, self.states = w, x, states
        self.length, self.inner = len(x), w["in_proj.weight"].shape[0] // 2
        projected = x @ w["in_proj.weight"].T + w["in_proj.bias"]
        self.before, self.z = projected[:, : self.inner], projected[:, self.inner :]
        self.convolved = torch.zeros(self.length, self.inner, dtype=x.dtype)
        for t in range(self.length):
            for d in range(self.inner):
                self.convolved[t, d] = math.fsum(self.taps(t, d))
        self.u = self.convolved * torch.sigmoid(self.convolved)
        step, self.b, self.c = (self.u @ w["x_proj.weight"].T).split([rank, states, states], -1)
        self.step = torch.log1p(torch.exp(step @ w["dt_proj.weight"].T + w["dt_proj.bias"]))
        self.decay = torch.exp(self.step[:, :, None] * -torch.exp(w["A_log"]))
        self.h = torch.zeros(self.length + 1, self.inner, states, dtype=x.dtype)
        for t in range(self.length):
            for d in range(self.inner):
                for n in range(states):
                    self.h[t + 1, d, n] = self.decay[t, d, n] * self.h[t, d, n] + self.step[t, d] * self.b[t, n] * self.u[t, d]
        self.y = torch.einsum("tdn,tn->td", self.h[1:], self.c) + w["D"] * self.u
        self.gated = self.y * self.z * torch.sigmoid(self.z)
        self.output = self.gated @ w["out_proj.weight"].T + w["out_proj.bias"]

    def taps(self, t: int, d: int) -> list[float]:
        """Contributions to the convolution: the bias, then the inputs at t - 3 ... t that exist."""
        kernel = self.w["conv1d.weight"][d, 0]
        inputs = [float(kernel[k] * self.before[t + k - 3, d]) for k in range(4) if t + k - 3 >= 0]
        return [float(self.w["conv1d.bias"][d]), *inputs]

    def back(self, relevance: Tensor) -> tuple[Tensor, float]:
        """Relevance of the mixer's input, and what all biases take."""
        w, biases = self.w, 0.0
        of_gated, of_x = torch.zeros_like(self.gated), torch.zeros_like(self.x)
        for t in range(self.length):
            of_gated[t], taken = papers.dense(self.gated[t], w["out_proj.weight"], w["out_proj.bias"], relevance[t], papers.zero)
            biases += taken
        of_y, of_z = of_gated / 2, of_gated / 2  # half rule; SiLU passes on unchanged
        of_u, of_h, of_before = torch.zeros_like(self.u), torch.zeros_like(self.h), torch.zeros_like(self.before)
        for t in reversed(range(self.length)):
            for d in range(self.inner):
                parts = [float(self.c[t, n] * self.h[t + 1, d, n]) for n in range(self.states)] + [float(w["D"][d] * self.u[t, d])]
                *of_states, of_skip = (fraction * float(of_y[t, d]) for fraction in papers.zero(parts))
                of_u[t, d] += of_skip
                for n, share in enumerate(of_states):
                    of_h[t + 1, d, n] += share
                    kept, new = float(self.decay[t, d, n] * self.h[t, d, n]), float(self.step[t, d] * self.b[t, n] * self.u[t, d])
                    first, second = papers.zero([kept, new])
                    of_h[t, d, n] += first * of_h[t + 1, d, n]
                    of_u[t, d] += second * of_h[t + 1, d, n]
        for t in range(self.length):
            for d in range(self.inner):
                of_bias, *of_inputs = (fraction * float(of_u[t, d]) for fraction in papers.zero(self.taps(t, d)))
                biases += of_bias
                for back, share in enumerate(reversed(of_inputs)):
                    of_before[t - back, d] += share
        both = torch.cat([of_before, of_z], -1)
        for t in range(self.length):
            of_x[t], taken = papers.dense(self.x[t], w["in_proj.weight"], w["in_proj.bias"], both[t], papers.zero)
            biases += taken
        return of_x, biases


@pytest.mark.parametrize("name", ["mambalrp", "attnlrp", "cplrp", "palrp"])
def test_a_mamba_mixer_equals_the_recurrence_number_by_number(name: str) -> None:
    config = hf.MambaConfig(hidden_size=3, num_hidden_layers=1, state_size=2, vocab_size=5, time_step_rank=2, use_bias=True, expand=2)
    mixer = seeded(MambaMixer(config, 0))
    x = drawn(2, 6, 3, seed=8)
    found = run(name, mixer, x, rows=2)
    for text in range(2):
        slow = Slow(mixer.state_dict(), x[text], 2, 2)
        torch.testing.assert_close(found.output[text], slow.output, rtol=1e-6, atol=1e-8)
        of_x, biases = slow.back(found.output[text] * found.start[text])
        torch.testing.assert_close(found.relevance[0][text], of_x, rtol=1e-6, atol=1e-8)
        assert found.account("biases")[text].item() == pytest.approx(biases, rel=1e-6)
    assert found.gap < 1e-12


def test_the_plain_gradient_of_a_mixer_is_its_own() -> None:
    config = hf.MambaConfig(hidden_size=3, num_hidden_layers=1, state_size=2, vocab_size=5, time_step_rank=2, use_bias=True, expand=2)
    mixer, x = seeded(MambaMixer(config, 0)), drawn(2, 6, 3, seed=8)
    found = run("gradient_x_input", mixer, x, rows=2)
    leaf = x.clone().requires_grad_(True)
    with Double():
        (derivative,) = torch.autograd.grad(mixer(leaf), leaf, found.start)
    torch.testing.assert_close(found.relevance[0], x * derivative)
    assert found.gap < 1e-10


# ---------------------------------------------------------------------------------------------------------------- experts


def chosen(router: Tensor, token: Tensor, count: int) -> list[tuple[int, float]]:
    """The experts of a token and their weights: the largest of the softmax, made to sum to one."""
    weights = papers.softmax((router @ token).tolist())
    best = sorted(range(len(weights)), key=lambda place: -weights[place])[:count]
    return [(place, weights[place] / sum(weights[other] for other in best)) for place in best]


def expert_relevance(gate_up: Tensor, down: Tensor, token: Tensor, share: Tensor, gate_takes: float) -> Tensor:
    """Relevance of a token from the part `share` of an expert's output, of whose gated product the gate takes its part."""
    inner = down.shape[1]
    hidden = gate_up @ token
    gate, up = hidden[:inner], hidden[inner:]
    product = torch.tensor([float(g) * sigmoid(float(g)) * float(v) for g, v in zip(gate, up, strict=True)], dtype=token.dtype)
    of_product, _ = papers.dense(product, down, None, share, papers.zero)
    both = torch.cat([of_product * gate_takes, of_product * (1 - gate_takes)])
    of_token, _ = papers.dense(token, gate_up, None, both, papers.zero)
    return of_token


def mixture() -> MixtralSparseMoeBlock:
    """Four experts, of which two speak for each token."""
    config = hf.MixtralConfig(
        hidden_size=3, intermediate_size=4, num_local_experts=4, num_experts_per_tok=2, vocab_size=5, num_attention_heads=1,
        num_key_value_heads=1, num_hidden_layers=1, experts_implementation="eager",
    )  # fmt: skip
    block = MixtralSparseMoeBlock(config)
    block.experts.config._experts_implementation = "eager"
    return seeded(block, 1.0)  # type: ignore[return-value]


@pytest.mark.parametrize(("name", "gate_takes"), [("attnlrp", 0.5), ("cplrp", 0.5), ("mambalrp", 0.5), ("lrp0", 0.0)])
def test_a_mixture_of_experts_with_a_constant_router(name: str, gate_takes: float) -> None:
    block, x = mixture(), drawn(1, 5, 3, seed=8)
    w = block.state_dict()
    found = run(name, block, x)
    for token in range(5):
        experts: Sequence[tuple[int, float]] = chosen(w["gate.weight"], x[0, token], 2)
        outputs, expected = [], torch.zeros(3, dtype=torch.float64)
        for expert, weight in experts:
            hidden = w["experts.gate_up_proj"][expert] @ x[0, token]
            gate, up = hidden[:4], hidden[4:]
            outputs.append(weight * (w["experts.down_proj"][expert] @ (gate * torch.sigmoid(gate) * up)))
        whole = sum(outputs)
        torch.testing.assert_close(found.output[0, token], whole)
        for (expert, _), output in zip(experts, outputs, strict=True):  # each expert's part of the sum, by LRP-0
            share = output / whole * found.output[0, token] * found.start[0, token]
            weights = w["experts.gate_up_proj"][expert], w["experts.down_proj"][expert]
            expected += expert_relevance(*weights, x[0, token], share, gate_takes)
        torch.testing.assert_close(found.relevance[0][0, token], expected, rtol=1e-8, atol=1e-10)
    assert found.gap < 1e-10


def test_several_texts_in_a_mixture_are_refused_only_where_something_is_booked_inside() -> None:
    """Rows inside an expert belong to no known text: composites that book there say so, before any number is given."""
    block, x = mixture(), drawn(2, 5, 3, seed=8)
    for name in ("epsilon", "gamma", "alpha_beta", "gradient_x_input"):
        with pytest.raises(PropagationError, match="mixture of experts") as refused:
            run(name, block, x, rows=2)
        assert "one at a time" in refused.value.remedy
        assert run(name, block, x[:1]).gap < 1e-9
    both = run("attnlrp", block, x, rows=2)
    for text in range(2):
        alone = run("attnlrp", block, x[text : text + 1])
        scaled = alone.relevance[0][0] / alone.start[0] * both.start[text]
        assert scaled.shape == both.relevance[0][text].shape
    assert both.gap < 1e-9
    block.gate.weight.mul_(2.0)
    assert run("attnlrp", block, x, rows=2).gap < 1e-9
