"""LRP-alpha-beta through Jacobians: the procedure behind source and target contributions (Voita, Sennrich and Titov 2021).

Every layer shares the relevance of its outputs among its inputs by z_ji = J_ji x_i, positive and negative ones apart, with alpha = beta
= 1/2 (alpha + beta = 1): all relevance is positive and its sum is kept. J is the weight of a linear layer, the full Jacobian of layer
norm (its bias spread evenly over the inputs, as published), and that of attention with respect to queries, keys and values together. A
linear layer's bias takes nothing (published: spread evenly over the inputs). Activations pass relevance on.

The rules are written as derivatives R_i / x_i, which a backward pass carries and batches over targets. How a normalised or attended
number is shared depends on the text alone and not on the target, so it is laid out once for all targets (`batched`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.errors import PropagationError
from workbench.rules import operations
from workbench.rules.alpha_beta import back, ratio, shares, totals
from workbench.rules.answers import Answer, Arguments, Function, Options
from workbench.rules.batched import mixed, times, transposed_times
from workbench.rules.composite import COMPOSITES, Composite
from workbench.rules.recorder import Recorder, wide
from workbench.rules.stepwise import Stepwise, attention_weights, by_head, parts, root

if TYPE_CHECKING:
    from workbench.rules.propagation import Propagation

JACOBIAN = replace(
    COMPOSITES["alpha_beta.v1"],
    name="alpha_beta_jacobian.v1",
    source="Voita et al. 2021, 'Analyzing the source and target contributions', section 2: alpha = beta = 1/2 through all Jacobians",
)
#: Numbers of the matrices by token that are laid out at a time.
LAID_OUT = 8_000_000


def attended(mode: Propagation, _: Function, args: Arguments, kwargs: Options) -> Any:
    """Fused attention by its full Jacobian."""
    return attention(mode.recorder, mode.composite, *parts(args, kwargs))


def dense(mode: Propagation, _: Function, args: Arguments, kwargs: Options) -> Any:
    """A linear layer."""
    given = dict(zip(("input", "weight", "bias"), args, strict=False)) | kwargs
    return Dense.apply(given["input"], given["weight"], given.get("bias"), mode.composite, mode.recorder)  # type: ignore[no-untyped-call]


def layer_norm(mode: Propagation, _: Function, args: Arguments, kwargs: Options) -> Any:
    """Layer norm by its full Jacobian."""
    given = dict(zip(("input", "normalized_shape", "weight", "bias", "eps"), args, strict=False)) | kwargs
    weight, bias, eps = given.get("weight"), given.get("bias"), given.get("eps", 1e-5)
    return LayerNorm.apply(given["input"], weight, bias, eps, mode.composite, mode.recorder)  # type: ignore[no-untyped-call]


def refused(mode: Propagation, _: Function, __: Arguments, ___: Options) -> NoReturn:
    """Softmax of scores, of which the Jacobian of attention cannot be seen."""
    found = f"attention written out in {mode.path()}"
    raise PropagationError("share relevance by alpha-beta", found, "load the model with attention 'sdpa'")


class AlphaBeta(Stepwise):
    """The procedure at work; attention must be met as one function, with queries, keys and values together."""

    answers: ClassVar[Mapping[Function, Answer | None]] = {
        **Stepwise.answers,
        **dict.fromkeys(operations.ATTENTIONS, attended),
        **dict.fromkeys(operations.LINEAR_LAYERS, dense),
        **dict.fromkeys(operations.LAYER_NORMS, layer_norm),
        **dict.fromkeys(operations.SOFTMAXES, refused),
    }


class Dense(torch.autograd.Function):
    """A linear layer in value; its bias takes nothing."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, rules: Composite, recorder: Recorder) -> Tensor:
        output = F.linear(x, weight, bias)
        ctx.save_for_backward(x, weight, output)
        ctx.rules, ctx.recorder = rules, recorder
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        x, weight, output = (wide(kept) for kept in ctx.saved_tensors)
        over, under, lost = shares(ctx.rules, wide(gradient), output, *totals(x, weight, None))
        ctx.recorder.add("epsilon", ctx.recorder.by_row(lost))
        return back(x, weight, over, under).to(gradient.dtype), None, None, None, None


class LayerNorm(torch.autograd.Function):
    """Layer norm over the last axis in value; relevance goes by its full Jacobian, its bias evenly to all inputs."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, rules: Composite, recorder: Recorder
    ) -> Tensor:
        output = F.layer_norm(x, x.shape[-1:], weight, bias, eps)
        ctx.save_for_backward(x, weight, bias, output)
        ctx.eps, ctx.rules, ctx.recorder = eps, rules, recorder
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        x, weight, bias, output = ctx.saved_tensors
        relevance = (wide(gradient) * wide(output)).reshape(-1, x.shape[-1])
        flat = wide(x).reshape(-1, x.shape[-1])
        taken, block = [], max(1, LAID_OUT // x.shape[-1] ** 2)
        for start in range(0, len(flat), block):
            matrices = normalising(ctx.rules, flat[start : start + block], weight, bias, ctx.eps)
            taken.append(mixed(relevance[start : start + block], matrices))
        answer = ratio(torch.cat(taken).reshape(x.shape), wide(x))
        # an input of exactly 0 can hold a share of the bias, which no derivative carries further
        ctx.recorder.add("epsilon", ctx.recorder.by_row(relevance.reshape(x.shape) - answer * wide(x)))
        return answer.to(gradient.dtype), None, None, None, None, None


def normalising(rules: Composite, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """Shares `(token output input)` of inputs in normalised outputs.

    z_ji = gain_j (delta_ji - 1/n - u_i u_j / n) x_i / std + bias_j / n, with u the normalised inputs before gain and bias.
    """
    count = x.shape[-1]
    scale = (x.var(-1, unbiased=False, keepdim=True) + eps).rsqrt()
    unit = (x - x.mean(-1, keepdim=True)) * scale
    gain = torch.ones_like(x) if weight is None else wide(weight).expand_as(x)
    shift = torch.zeros_like(x) if bias is None else wide(bias).expand_as(x)
    scaled = x * scale
    # of rank three but for the diagonal
    left = torch.stack([-gain, -gain * unit, shift], -1) / count
    z = left @ torch.stack([scaled, scaled * unit, torch.ones_like(x)], -2)
    z.diagonal(dim1=-2, dim2=-1).add_(gain * scaled)
    plus = z.clamp(min=0)
    minus = z.sub_(plus)
    over, under = plus.sum(-1, keepdim=True), minus.sum(-1, keepdim=True)
    alpha, beta = rules.alpha + rules.beta * (under == 0), rules.beta + rules.alpha * (over == 0)
    return plus.mul_(ratio(alpha, over)).add_(minus.mul_(ratio(beta, under)))


def attention(
    recorder: Recorder, rules: Composite, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, options: dict[str, Any]
) -> Tensor:
    """Attention in value; relevance goes to queries, keys and values by the Jacobian of softmax(q k) v."""
    key, value = by_head(query, key, value, options)
    return Attention.apply(query, key, value, mask, options, rules, recorder)  # type: ignore[no-any-return, no-untyped-call]


class Attention(torch.autograd.Function):
    """softmax(scale q k^T + mask) v for each head in value, under the alpha-beta rule over q, k and v together.

    do_ic/dv_jc = a_ij, do_ic/dk_je = a_ij (v_jc - o_ic) q_ie scale, do_ic/dq_ie = sum_j a_ij (v_jc - o_ic) k_je scale.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        options: dict[str, Any],
        rules: Composite,
        recorder: Recorder,
    ) -> Tensor:
        weights = attention_weights(query, key, mask, options)
        output = weights @ value
        ctx.save_for_backward(query, key, value, weights, output)
        ctx.scale, ctx.rules, ctx.recorder = root(query, options), rules, recorder
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, weights, output = (wide(kept) for kept in ctx.saved_tensors)
        scaled = query * ctx.scale
        spread = weights[..., None] * (value[..., None, :, :] - output[..., :, None, :])  # (... query key unit)
        rise, fall = spread.clamp(min=0), spread.clamp(max=0)
        (q_rise, q_fall), (k_rise, k_fall) = ((x.clamp(min=0), x.clamp(max=0)) for x in (scaled, key))
        agree, differ = q_rise @ k_rise.mT + q_fall @ k_fall.mT, q_rise @ k_fall.mT + q_fall @ k_rise.mT
        by_query = spread.mT @ key[..., None, :, :]  # (... query unit dimension)
        z = scaled[..., None, :] * by_query
        plus = weights @ value.clamp(min=0) + mixed(agree, rise) + mixed(differ, fall) + z.clamp(min=0).sum(-1)
        minus = weights @ value.clamp(max=0) + mixed(differ, rise) + mixed(agree, fall) + z.clamp(max=0).sum(-1)
        over, under, lost = shares(ctx.rules, wide(gradient), output, plus, minus)
        ctx.recorder.add("epsilon", ctx.recorder.by_row(lost))
        of_value = torch.where(value > 0, transposed_times(over, weights), transposed_times(under, weights))
        same, other = mixed(over, rise.mT) + mixed(under, fall.mT), mixed(under, rise.mT) + mixed(over, fall.mT)
        above = times(same.mT, q_rise) + times(other.mT, q_fall)
        below = times(other.mT, q_rise) + times(same.mT, q_fall)
        of_key = torch.where(key > 0, above, below)
        of_query = (mixed(over, by_query * (z > 0)) + mixed(under, by_query * (z < 0))) * ctx.scale
        return of_query.to(gradient.dtype), of_key.to(gradient.dtype), of_value.to(gradient.dtype), None, None, None, None


AlphaBeta.functions = (Dense, LayerNorm, Attention)
