"""Patching by hand-checked facts: what must be 1, what must be 0, what is exact in a linear model, what an own implementation says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy import stats
from torch import Tensor, nn
from transformers import GPT2LMHeadModel
from transformers.modeling_outputs import CausalLMOutput

from workbench.errors import InputError, PropagationError
from workbench.evaluation.agreement import agreement_pairs
from workbench.evaluation.agreement_model import Shape, small_gpt2, train
from workbench.evaluation.agreement_words import VOCABULARY
from workbench.evaluation.interventions import KINDS, activations, components, exchanged, logits_of
from workbench.evaluation.pairs import Pair, prompts
from workbench.evaluation.patching import EFFECTS, METHODS, activation_patching, attribution_patching, patching, relevance_patching
from workbench.evaluation.patching_agreement import pearson

LAYERS = 2
PAIRS = agreement_pairs(10, 0)


@pytest.fixture(scope="module")
def model() -> GPT2LMHeadModel:
    """Two layers, few steps, float64."""
    return train(0, Shape(layers=LAYERS, width=32, steps=40, batch=32)).double()


@pytest.fixture(scope="module")
def effects(model: GPT2LMHeadModel) -> pl.DataFrame:
    return patching(model, PAIRS).effects


def test_every_component_at_every_position_by_every_method(effects: pl.DataFrame) -> None:
    assert effects.schema == EFFECTS
    tokens = sum(len(pair.clean) for pair in PAIRS)
    assert effects.height == tokens * LAYERS * len(KINDS) * len(METHODS)
    assert effects.select("pair", "kind", "layer", "position", "method").is_unique().all()
    assert effects["effect"].is_finite().all()


def test_the_whole_last_residual_stream_is_the_clean_run(effects: pl.DataFrame) -> None:
    last = effects.filter(kind="residual", layer=LAYERS - 1, method="activation_patching")
    at_end = pl.col("position") == pl.col("position").max().over("pair")
    assert last.filter(at_end)["effect"].to_numpy() == pytest.approx(1.0, abs=1e-9)
    assert last.filter(~at_end)["effect"].to_numpy() == pytest.approx(0.0, abs=1e-9)


def test_before_the_prompts_differ_nothing_has_an_effect(effects: pl.DataFrame) -> None:
    same = effects.filter(~pl.col("differs"))
    assert same.height > 0
    assert same["effect"].to_numpy() == pytest.approx(0.0, abs=1e-9)
    firsts = effects.filter("differs").group_by("pair").agg(pl.col("position").min()).sort("pair")["position"].to_list()
    assert firsts == [pair.first_difference for pair in PAIRS]


def test_attribution_patching_is_the_derivative_of_patching(model: GPT2LMHeadModel, effects: pl.DataFrame) -> None:
    """Finite differences: a millionth of the way from the corrupted to the clean activation."""
    group = prompts(PAIRS[:1])[0]
    clean, logits = activations(model, group.clean)
    corrupted, base = activations(model, group.corrupted)
    whole = (group.difference(logits) - group.difference(base))[0]
    for place in components(model):
        for position in range(group.clean.shape[1]):
            step = corrupted[place][:, position] + 1e-6 * (clean[place] - corrupted[place])[:, position]
            moved = group.difference(exchanged(model, group.corrupted, place, position, step)) - group.difference(base)
            known = effects.filter(pair=0, kind=place[0], layer=place[1], position=position, method="attribution_patching")["effect"]
            assert known.item() == pytest.approx(float(moved[0] / whole) / 1e-6, abs=1e-4)


class ConstantNorm(nn.Module):
    """Layer norm whose scale is a constant."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        scale = (x.var(-1, unbiased=False, keepdim=True) + self.norm.eps).rsqrt().detach()
        return (x - x.mean(-1, keepdim=True)) * scale * self.norm.weight + self.norm.bias


class ConstantRatio(nn.Module):
    """Activation whose ratio f(x)/x is a constant."""

    def __init__(self, function: nn.Module) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.function(x) / x).detach()


def test_relevance_patching_equals_an_own_implementation_by_detached_parts(model: GPT2LMHeadModel, effects: pl.DataFrame) -> None:
    other = small_gpt2(Shape(layers=LAYERS, width=32)).double().eval()
    other.load_state_dict(model.state_dict())
    for block in other.transformer.h:
        block.ln_1, block.ln_2 = ConstantNorm(block.ln_1), ConstantNorm(block.ln_2)
        block.mlp.act = ConstantRatio(block.mlp.act)
    other.transformer.ln_f = ConstantNorm(other.transformer.ln_f)
    kept: dict[tuple[str, int], Tensor] = {}
    parts = {("residual", n): block for n, block in enumerate(other.transformer.h)}
    parts |= {
        (kind, n): part for n, block in enumerate(other.transformer.h) for kind, part in (("attention", block.attn), ("mlp", block.mlp))
    }
    for place, part in parts.items():
        part.register_forward_hook(
            lambda _, __, output, place=place: kept.update({place: output[0] if isinstance(output, tuple) else output})
        )
    for group in prompts(PAIRS):
        clean = activations(model, group.clean)
        measured = group.difference(other(input_ids=group.corrupted, attention_mask=torch.ones_like(group.corrupted)).logits)
        gradients = torch.autograd.grad(measured.sum(), list(kept.values()))
        whole = group.difference(clean[1]) - measured.detach()
        for (place, activation), gradient in zip(kept.items(), gradients, strict=True):
            expected = ((clean[0][place] - activation) * gradient).sum(-1).detach() / whole[:, None]
            found = effects.filter(pl.col("pair").is_in(group.numbers), kind=place[0], layer=place[1], method="relevance_patching")
            assert found.sort("pair", "position")["effect"].to_numpy() == pytest.approx(expected.numpy().ravel(), abs=1e-9)


class LinearBlock(nn.Module):
    """A part of a layer that ends in a projection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.c_proj(x)
        return out


class LinearLayer(nn.Module):
    """A layer without anything non-linear: what attention mixes is fixed."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn, self.mlp = LinearBlock(width), LinearBlock(width)

    def forward(self, x: Tensor, mixing: Tensor) -> Tensor:
        x = x + self.attn(mixing @ x)
        return x + self.mlp(x)


class LinearModel(nn.Module):
    """Embedding, linear layers, linear head."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.wte = nn.Embedding(len(VOCABULARY), width)
        self.h = nn.ModuleList([LinearLayer(width) for _ in range(2)])
        self.head = nn.Linear(width, len(VOCABULARY))

    def get_input_embeddings(self) -> nn.Embedding:
        return self.wte

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> CausalLMOutput:
        x = self.wte(input_ids)
        tokens = x.shape[1]
        mixing = torch.ones(tokens, tokens, dtype=x.dtype).tril() / tokens
        for layer in self.h:
            x = layer(x, mixing)
        return CausalLMOutput(logits=self.head(x))


def test_in_a_linear_model_all_three_methods_agree_exactly() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        linear = LinearModel().double().eval().requires_grad_(False)
    found = patching(linear, PAIRS).effects.pivot(on="method", index=["pair", "kind", "layer", "position"], values="effect")
    full, attribution, relevance = (found[method].to_numpy() for method in METHODS)
    assert np.abs(full).max() > 0.1
    assert attribution == pytest.approx(full, abs=1e-9)
    assert relevance == pytest.approx(full, abs=1e-9)
    agreement = pearson(patching(linear, PAIRS).effects)
    assert agreement["pearson"].to_numpy() == pytest.approx(1.0)
    assert agreement["slope"].to_numpy() == pytest.approx(1.0)


def test_costs_are_what_the_methods_promise(model: GPT2LMHeadModel) -> None:
    done = patching(model, PAIRS)
    tokens = sum(len(pair.clean) for pair in PAIRS)
    full, attribution, relevance = (done.costs[method] for method in METHODS)
    assert (full.forward, full.backward) == (2 * len(PAIRS) + tokens * LAYERS * len(KINDS), 0)
    assert (attribution.forward, attribution.backward) == (relevance.forward, relevance.backward) == (2 * len(PAIRS), len(PAIRS))


def test_the_order_and_the_company_of_pairs_do_not_matter(model: GPT2LMHeadModel, effects: pl.DataFrame) -> None:
    alone = [patching(model, [pair]).effects for pair in PAIRS[3:5]]
    for number, part in zip((3, 4), alone, strict=True):
        known = effects.filter(pair=number).sort("method", "kind", "layer", "position")["effect"].to_numpy()
        assert part.sort("method", "kind", "layer", "position")["effect"].to_numpy() == pytest.approx(known, abs=1e-9)


def test_the_model_is_left_as_it_was(model: GPT2LMHeadModel) -> None:
    ids = prompts(PAIRS)[0].clean
    before = logits_of(model, ids)
    patching(model, PAIRS[:2])
    assert torch.equal(logits_of(model, ids), before)
    assert not any(part._forward_hooks for part in model.modules())

    def fail(*_: Any) -> None:
        raise RuntimeError("in the middle")

    handle = model.transformer.ln_f.register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        activation_patching(model, PAIRS[:1])
    handle.remove()
    assert not any(part._forward_hooks for part in model.modules())


@pytest.mark.parametrize("method", [activation_patching, attribution_patching, relevance_patching])
def test_pairs_that_cannot_be_compared_are_an_answer(model: GPT2LMHeadModel, method: Any) -> None:
    pair = PAIRS[0]
    for wrong, found in (
        ([], "no pair"),
        ([replace(pair, corrupted=pair.clean)], "the same"),
        ([replace(pair, corrupted=pair.clean[:-1])], "tokens"),
        ([replace(pair, corrupted_answer=pair.clean_answer)], "answers both alike"),
    ):
        with pytest.raises(InputError, match=found):
            method(model, wrong)


def test_a_model_without_such_components_is_an_answer() -> None:
    class Bag(LinearModel):
        def __init__(self) -> None:
            super().__init__()
            self.h = nn.ModuleList()

    with pytest.raises(PropagationError, match="no attention, mlp, residual components"):
        patching(Bag().eval(), [Pair((1, 2), (1, 3), 4, 5)])


def noisy(seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    full = random.normal(size=(30, 8))
    estimate = 0.5 * full + 0.3 * random.normal(size=full.shape)
    pairs, positions = np.indices(full.shape)
    common = {
        "pair": pairs.ravel(), "kind": ["mlp"] * full.size, "layer": [0] * full.size, "position": positions.ravel(),
        "differs": positions.ravel() > 1,
    }  # fmt: skip
    parts = [
        pl.DataFrame(common | {"method": [method] * full.size, "effect": values.ravel()}, schema=EFFECTS)
        for method, values in (("activation_patching", full), ("relevance_patching", estimate))
    ]
    return pl.concat(parts)


def test_pearson_is_scipys_with_an_interval_around_it() -> None:
    effects = noisy()
    full, estimate = (effects.filter(method=method) for method in ("activation_patching", "relevance_patching"))
    (found,) = pearson(effects).to_dicts()
    expected = stats.linregress(full["effect"].to_numpy(), estimate["effect"].to_numpy())
    assert (found["method"], found["pairs"], found["points"]) == ("relevance_patching", 30, 240)
    assert found["pearson"] == pytest.approx(expected.rvalue)
    assert found["slope"] == pytest.approx(expected.slope)
    assert found["low"] < found["pearson"] < found["high"]
    later = stats.pearsonr(full.filter("differs")["effect"].to_numpy(), estimate.filter("differs")["effect"].to_numpy())
    assert found["differing"] == pytest.approx(later.statistic)
    assert pearson(effects).equals(pearson(effects))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = 0.5 / np.hypot(0.5, 0.3)
    found = [pearson(noisy(seed), resamples=300).row(0, named=True) for seed in range(60)]
    covered = sum(line["low"] <= truth <= line["high"] for line in found)
    assert covered >= 51


def test_a_correlation_that_is_not_defined_is_null() -> None:
    flat = noisy().with_columns(pl.when(pl.col("method") == "relevance_patching").then(0.0).otherwise("effect").alias("effect"))
    (found,) = pearson(flat).to_dicts()
    assert found["pearson"] is None
    assert found["low"] is None
    assert pearson(flat.filter(pair=0))["low"].to_list() == [None]
