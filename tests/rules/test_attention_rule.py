"""AttnLRP's fused attention against the paper step by step, in relevance form with loops (Achtibat et al. 2024)."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.rules import papers
from tests.rules.engine import Propagated, drawn, propagate
from workbench.errors import PropagationError
from workbench.rules.recorder import MASK_VALUE

TEXTS, HEADS, LENGTH, WIDTH = 2, 3, 5, 2  # all different, so that no axis is taken for another


def masks() -> dict[str, tuple[dict[str, object], Tensor]]:
    """Arguments for each kind of mask, and the bias (text head query key) that they mean."""
    none = torch.zeros(TEXTS, HEADS, LENGTH, LENGTH, dtype=torch.float64)
    causal = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
    padded = torch.ones(TEXTS, 1, 1, LENGTH, dtype=torch.bool)
    padded[1, 0, 0, 2:] = False
    bias, by_head = drawn(TEXTS, HEADS, LENGTH, LENGTH, seed=9), drawn(1, HEADS, LENGTH, LENGTH, seed=10)
    lowest = torch.finfo(torch.float64).min
    masked_bias = bias.masked_fill(~padded, lowest)
    minus = torch.zeros_like(none).masked_fill(~padded, lowest)
    return {
        "none": ({}, none),
        "causal": ({"is_causal": True}, none.masked_fill(~causal, -math.inf)),
        "boolean": ({"attn_mask": padded.expand(TEXTS, 1, LENGTH, LENGTH)}, none.masked_fill(~padded, -math.inf)),
        "floating mask": ({"attn_mask": minus}, none.masked_fill(~padded, -math.inf)),
        "bias": ({"attn_mask": bias}, bias),
        "ones": ({"attn_mask": torch.ones_like(bias)}, torch.ones_like(bias)),
        "bias of heads": ({"attn_mask": by_head}, by_head.expand_as(none)),
        "bias and mask": ({"attn_mask": masked_bias}, bias.masked_fill(~padded, -math.inf)),
        "scale": ({"scale": 0.7}, none),
    }


def whole(found: Propagated, query: Tensor, key: Tensor, value: Tensor, bias: Tensor, scale: float, mode: str) -> dict[str, Tensor]:
    """The slow implementation for every text and head."""
    parts = []
    for text in range(TEXTS):
        for head in range(HEADS):
            q, k, v, b = (x[text, head] for x in (query, key, value, bias))
            start = found.start[text, head]
            parts.append(papers.attention(q, k, v, b, lambda output, start=start: output * start, scale, mode))
    return {name: torch.stack([part[name] for part in parts]).reshape(TEXTS, HEADS, *parts[0][name].shape) for name in parts[0]}


def check(name: str, mode: str, options: dict[str, object], bias: Tensor, function: object = F.scaled_dot_product_attention) -> None:
    """The engine's numbers under a composite equal the slow ones, and its accounts hold the rest."""
    query, key, value = (1.5 * drawn(TEXTS, HEADS, LENGTH, WIDTH, seed=seed) for seed in (1, 2, 3))
    found = propagate(name, lambda q, k, v: function(q, k, v, **options), [query, key, value], rows=TEXTS, position_layers=True)  # type: ignore[operator]
    slow = whole(found, query, key, value, bias, float(options.get("scale", WIDTH**-0.5)), mode)  # type: ignore[arg-type]
    torch.testing.assert_close(found.output, slow["output"])
    for part, kind in zip(found.relevance, ("query", "key", "value"), strict=True):
        torch.testing.assert_close(part, slow[kind], rtol=1e-7, atol=1e-9)
    torch.testing.assert_close(found.account("positions"), slow["bias"].sum((1, 2, 3)), rtol=1e-7, atol=1e-9)
    lost = slow["absorbed"].sum(1)
    torch.testing.assert_close(found.account("softmax" if mode == "absorb" else "epsilon"), lost, rtol=1e-7, atol=1e-8)
    assert found.gap < 1e-9
    if slow["bias"].abs().max() > 0:  # positions by query in the reading, by distance in the layer
        by_token = slow["bias"].sum((1, 3))
        torch.testing.assert_close(found.recorder.readings.by_token["positions"], by_token, rtol=1e-7, atol=1e-9)
        distances = torch.zeros(TEXTS, 2 * LENGTH - 1, dtype=torch.float64)
        for text, head, q, k in ((t, h, q, k) for t in range(TEXTS) for h in range(HEADS) for q in range(LENGTH) for k in range(LENGTH)):
            distances[text, k - q + LENGTH - 1] += slow["bias"][text, head, q, k]
        ((kind, _, decoder), by_distance), *rest = found.recorder.readings.by_layer.items()
        assert (kind, decoder, rest) == ("relative", False, [])
        torch.testing.assert_close(by_distance, distances, rtol=1e-7, atol=1e-9)
    else:
        assert not found.recorder.readings.by_token.get("positions", torch.zeros(1)).any()


@pytest.mark.parametrize("kind", masks())
@pytest.mark.parametrize(("name", "mode"), [("attnlrp", "absorb"), ("attnlrp_omit", "omit"), ("attnlrp_distribute", "distribute")])
def test_fused_attention_equals_the_paper_step_by_step(name: str, mode: str, kind: str) -> None:
    check(name, mode, *masks()[kind])


def written(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, scale: float = WIDTH**-0.5) -> Tensor:
    """Attention as eager models write it."""
    scores = torch.matmul(query, key.transpose(2, 3)) * scale
    scores = scores if attn_mask is None else scores + attn_mask
    return torch.matmul(torch.softmax(scores, dim=-1), value)


@pytest.mark.parametrize("kind", ["none", "floating mask", "bias", "bias of heads", "bias and mask"])
def test_written_out_attention_equals_the_paper_too(kind: str) -> None:
    check("attnlrp", "absorb", *masks()[kind], function=written)


@pytest.mark.parametrize("name", ["attnlrp", "attnlrp_omit", "cplrp", "alpha_beta", "relp"])
def test_grouped_queries_are_repeated_keys(name: str) -> None:
    query, key, value = drawn(1, 4, LENGTH, WIDTH, seed=1), drawn(1, 2, LENGTH, WIDTH, seed=2), drawn(1, 2, LENGTH, WIDTH, seed=3)
    found = propagate(name, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True), [query, key, value])
    repeated = [query, *(x.repeat_interleave(2, 1) for x in (key, value))]
    known = propagate(name, written, repeated)
    torch.testing.assert_close(found.output, known.output)
    torch.testing.assert_close(found.relevance[0], known.relevance[0])
    for part, other in zip(found.relevance[1:], known.relevance[1:], strict=True):
        torch.testing.assert_close(part, other.reshape(1, 2, 2, LENGTH, WIDTH).sum(2))


@pytest.mark.parametrize("name", ["cplrp", "bilrp", "lrp0", "mambalrp", "alpha_beta"])
@pytest.mark.parametrize("kind", ["none", "causal", "bias"])
def test_constant_attention_gives_everything_to_the_values(name: str, kind: str) -> None:
    options, bias = masks()[kind]
    query, key, value = (drawn(TEXTS, HEADS, LENGTH, WIDTH, seed=seed) for seed in (1, 2, 3))
    found = propagate(name, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, **options), [query, key, value], rows=TEXTS)
    rule = papers.alpha_beta(0.5, 0.5) if name == "alpha_beta" else papers.zero
    for text in range(TEXTS):
        for head in range(HEADS):
            scores = query[text, head] @ key[text, head].T * WIDTH**-0.5 + bias[text, head]
            weights = torch.softmax(scores, -1)
            alive = weights @ value[text, head] * found.start[text, head]
            expected = papers.weighted(weights, value[text, head], alive, rule)
            torch.testing.assert_close(found.relevance[2][text, head], expected)
    assert found.relevance[0].abs().max() == found.relevance[1].abs().max() == 0
    assert "positions" not in found.recorder.accounts
    assert found.gap < 1e-12


@pytest.mark.parametrize("name", ["gradient_x_input", "relp"])
@pytest.mark.parametrize("kind", ["none", "causal", "bias", "bias and mask"])
def test_the_plain_gradient_of_attention(name: str, kind: str) -> None:
    options, _ = masks()[kind]
    leaves = [drawn(TEXTS, HEADS, LENGTH, WIDTH, seed=seed).requires_grad_(True) for seed in (1, 2, 3)]
    found = propagate(name, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, **options), leaves, rows=TEXTS)
    known = torch.autograd.grad(F.scaled_dot_product_attention(*leaves, **options), leaves, found.start)  # type: ignore[arg-type]
    for leaf, gradient, part in zip(leaves, known, found.relevance, strict=True):
        torch.testing.assert_close(part, (leaf * gradient).detach())
    assert found.gap < 1e-10
    if kind == "bias":  # its share is its own derivative
        mask = torch.as_tensor(options["attn_mask"]).clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(F.scaled_dot_product_attention(*leaves, attn_mask=mask), mask, found.start)
        torch.testing.assert_close(found.account("positions"), (mask * gradient).sum((1, 2, 3)).detach())


def test_active_dropout_and_an_active_bias_are_refused() -> None:
    leaves = [drawn(1, 1, LENGTH, WIDTH, seed=seed) for seed in (1, 2, 3)]
    with pytest.raises(PropagationError, match="dropout"):
        propagate("attnlrp", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, dropout_p=0.1), leaves)
    with pytest.raises(PropagationError, match="depends on the tokens"):
        propagate("attnlrp", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=q @ k.mT), leaves)
    assert propagate("attnlrp", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, None, 0.0), leaves).gap < 1e-10
    assert math.isinf(torch.finfo(torch.float32).min) is False
    assert torch.finfo(torch.float32).min < -MASK_VALUE


def test_a_mask_is_no_source_of_positions() -> None:
    leaves = [drawn(TEXTS, HEADS, LENGTH, WIDTH, seed=seed) for seed in (1, 2, 3)]
    for kind in ("none", "causal", "boolean", "floating mask"):
        options, _ = masks()[kind]
        found = propagate(
            "attnlrp", lambda q, k, v, options=options: F.scaled_dot_product_attention(q, k, v, **options), leaves, rows=TEXTS
        )
        assert set(found.recorder.accounts) == {"softmax"}
        assert found.recorder.leaves == []


class Biased(nn.Module):
    """A layer of attention with a bias on its scores, fused or written out."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.fused = fused

    def forward(self, x: Tensor) -> Tensor:
        bias = drawn(TEXTS, 1, LENGTH, LENGTH, seed=9)
        attend = F.scaled_dot_product_attention if self.fused else written
        return attend(x, x * 0.5, x + 1.0, attn_mask=bias)


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "written out"])
def test_layers_are_told_apart_where_scores_have_a_bias(fused: bool) -> None:
    module, x = nn.Module(), 1.5 * drawn(TEXTS, 1, LENGTH, WIDTH, seed=1)
    module.layers = nn.ModuleList([Biased(fused), Biased(fused)])
    found = propagate(
        "attnlrp", lambda x: module.layers[1](module.layers[0](x)), [x], rows=TEXTS, module=module, position_layers=True
    )  # fmt: skip
    readings, softmax = found.recorder.readings, found.recorder.softmax_layers
    assert set(softmax) == {0, 1}
    assert set(readings.by_layer) == {("relative", 0, False), ("relative", 1, False)}
    torch.testing.assert_close(sum(softmax.values()), found.account("softmax"))
    torch.testing.assert_close(sum(kept.sum(1) for kept in readings.by_layer.values()), found.account("positions"))
    with torch.no_grad():
        middle = module.layers[0](x)
    last = propagate("attnlrp", module.layers[1], [middle], start=found.start, rows=TEXTS, position_layers=True)
    torch.testing.assert_close(last.account("softmax"), softmax[1])
    torch.testing.assert_close(last.recorder.readings.by_layer["relative", -1, False], readings.by_layer["relative", 1, False])
    assert found.gap < 1e-10


@pytest.mark.parametrize("aggregation", ["signed", "positive", "absolute"])
@pytest.mark.parametrize("scale", [None, 0.7])
def test_grouped_queries_with_a_bias_and_every_aggregation(aggregation: str, scale: float | None) -> None:
    """Fused attention whose keys are shared by heads, against written-out attention with the keys repeated."""
    query, key, value = drawn(TEXTS, 6, LENGTH, WIDTH, seed=1), *(drawn(TEXTS, 2, LENGTH, WIDTH, seed=seed) for seed in (2, 3))
    bias = drawn(TEXTS, 6, LENGTH, LENGTH, seed=9)
    options = {"attn_mask": bias, "scale": scale}
    fused = propagate(
        "attnlrp", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True, **options), [query, key, value], rows=TEXTS,
        position_layers=True, aggregation=aggregation,
    )  # fmt: skip
    known = propagate(
        "attnlrp", lambda q, k, v: written(q, k, v, bias, WIDTH**-0.5 if scale is None else scale),
        [query, *(x.repeat_interleave(3, 1) for x in (key, value))], rows=TEXTS, position_layers=True, aggregation=aggregation,
    )  # fmt: skip
    torch.testing.assert_close(fused.output, known.output)
    torch.testing.assert_close(fused.relevance[0], known.relevance[0])
    for part, other in zip(fused.relevance[1:], known.relevance[1:], strict=True):
        torch.testing.assert_close(part, other.reshape(TEXTS, 2, 3, LENGTH, WIDTH).sum(2))
    for account in ("positions", "softmax"):
        torch.testing.assert_close(fused.account(account), known.account(account))
    mine, theirs = fused.recorder.readings, known.recorder.readings
    torch.testing.assert_close(mine.by_token["positions"], theirs.by_token["positions"])
    torch.testing.assert_close(mine.by_layer["relative", -1, False], theirs.by_layer["relative", -1, False])


class Attending(nn.Module):
    """A layer of attention, fused or written out."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.fused = fused

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v) if self.fused else written(q, k, v)


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "written out"])
@pytest.mark.parametrize("name", ["attnlrp", "attnlrp_omit", "cplrp", "relp", "alpha_beta"])
def test_heads_are_watched_where_weights_meet_values(name: str, fused: bool) -> None:
    module = nn.Module()
    module.layers = nn.ModuleList([Attending(fused)])
    leaves = [drawn(TEXTS, HEADS, LENGTH, WIDTH, seed=seed) for seed in (1, 2, 3)]
    found = propagate(name, lambda q, k, v: module.layers[0](q, k, v), leaves, rows=TEXTS, module=module, watch={"heads"})
    assert set(found.recorder.gradients) == {("heads", 0)}
    torch.testing.assert_close(found.recorder.gradients["heads", 0], found.start)
    torch.testing.assert_close(found.recorder.activations["heads", 0].detach(), found.output)
