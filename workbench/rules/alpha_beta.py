"""LRP-gamma and LRP-alpha-beta: contributions weighted by their sign, in gradient form.

With contributions z_ij = x_i w_ij (and a bias b_j as one more) the relevance R_j = z_j g_j of an output is shared as
* gamma (Montavon et al. 2019, generalised to negative outputs as in AttnLRP's composites): z_j > 0: z_ij + gamma z_ij+, z_j < 0:
  z_ij + gamma z_ij-, over their sum;
* alpha-beta (Bach et al. 2015; both parts of one sign with alpha + beta = 1 as Voita et al. 2021): alpha z_ij+ / z_j+ + beta z_ij- / z_j-.
Since z_ij+ is x_i w_ij+ for x_i > 0 and x_i w_ij- for x_i < 0, the derivative R_i / x_i needs no division by x_i. Where an output has
contributions of one sign only, they take all (Voita et al. rescale to the same effect); where it has none, nobody does: `epsilon`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workbench.rules.composite import Composite
from workbench.rules.recorder import Recorder, wide


def ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """The quotient, 0 where the denominator is 0."""
    zero = denominator == 0
    return torch.where(zero, torch.zeros_like(numerator), numerator / torch.where(zero, torch.ones_like(denominator), denominator))


def by_sign(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Sums of positive and of negative contributions `x @ weight.T` of each output."""
    positive, negative = x.clamp(min=0), x.clamp(max=0)
    over, under = weight.clamp(min=0).T, weight.clamp(max=0).T
    return positive @ over + negative @ under, positive @ under + negative @ over


def back(x: Tensor, weight: Tensor, over: Tensor, under: Tensor) -> Tensor:
    """The derivative R_i / x_i when positive contributions are weighted by `over` (by output) and negative ones by `under`."""
    plus, minus = weight.clamp(min=0), weight.clamp(max=0)
    return torch.where(x > 0, over @ plus + under @ minus, over @ minus + under @ plus)


class Contributions(torch.autograd.Function):
    """A linear layer `x @ weight.T + bias` in value; the derivative weights contributions by sign."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, rules: Composite, recorder: Recorder) -> Tensor:
        output = torch.nn.functional.linear(x, weight, bias)
        ctx.save_for_backward(x, weight, bias, output)
        ctx.rules, ctx.recorder = rules, recorder
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        x, weight, bias, output = ctx.saved_tensors
        over, under, lost = shares(ctx.rules, wide(gradient), wide(output), *totals(wide(x), wide(weight), bias))
        if bias is not None:
            taken = wide(bias)
            booked = taken.clamp(min=0) * over + taken.clamp(max=0) * under
            ctx.recorder.add("biases", ctx.recorder.by_row(booked))
        ctx.recorder.add("epsilon", ctx.recorder.by_row(lost))
        return back(wide(x), wide(weight), over, under).to(x.dtype), None, None, None, None


def totals(x: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """Positive and negative contributions of each output, the bias among them."""
    plus, minus = by_sign(x, weight)
    if bias is None:
        return plus, minus
    return plus + wide(bias).clamp(min=0), minus + wide(bias).clamp(max=0)


def shares(rules: Composite, gradient: Tensor, output: Tensor, plus: Tensor, minus: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """By output: the factor on positive contributions, that on negative ones, and the relevance that nobody takes."""
    relevance = output * gradient
    if rules.linear == "gamma":
        more = 1 + rules.gamma
        grown = torch.where(output > 0, more * plus + minus, plus + more * minus)
        factor = ratio(relevance, grown)
        lost = torch.where(grown == 0, relevance, torch.zeros_like(relevance))
        return torch.where(output > 0, more * factor, factor), torch.where(output > 0, factor, more * factor), lost
    alpha, beta = rules.alpha + rules.beta * (minus == 0), rules.beta + rules.alpha * (plus == 0)
    return ratio(alpha * relevance, plus), ratio(beta * relevance, minus), relevance * ((plus == 0) & (minus == 0))


class Sum(torch.autograd.Function):
    """The sum of two tensors of one shape in value; the alpha-beta rule over each pair of numbers."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor, rules: Composite, recorder: Recorder) -> Tensor:
        ctx.save_for_backward(left, right)
        ctx.rules, ctx.recorder = rules, recorder
        return left + right

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        left, right = (wide(value) for value in ctx.saved_tensors)
        plus, minus = left.clamp(min=0) + right.clamp(min=0), left.clamp(max=0) + right.clamp(max=0)
        over, under, lost = shares(ctx.rules, wide(gradient), left + right, plus, minus)
        ctx.recorder.add("epsilon", ctx.recorder.by_row(lost))
        left, right = (torch.where(value > 0, over, under).to(gradient.dtype) for value in (left, right))
        return left, right, None, None


class Weighted(torch.autograd.Function):
    """`weights @ value` in value, weights constant and not negative; the alpha-beta rule over each sum."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, value: Tensor, rules: Composite, recorder: Recorder) -> Tensor:
        output = weights @ value
        ctx.save_for_backward(weights, value, output)
        ctx.rules, ctx.recorder = rules, recorder
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, None, None]:
        weights, value, output = (wide(kept) for kept in ctx.saved_tensors)
        plus, minus = weights @ value.clamp(min=0), weights @ value.clamp(max=0)
        over, under, lost = shares(ctx.rules, wide(gradient), output, plus, minus)
        ctx.recorder.add("epsilon", ctx.recorder.by_row(lost))
        answer = torch.where(value > 0, weights.mT @ over, weights.mT @ under)
        return None, answer.to(gradient.dtype), None, None


def dense(recorder: Recorder, rules: Composite, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear layer under the rule gamma or alpha-beta; its bias is one more contribution."""
    recorder.check_rows(x)
    return Contributions.apply(x, weight, bias, rules, recorder)  # type: ignore[no-any-return, no-untyped-call]


def summed(recorder: Recorder, rules: Composite, left: Tensor, right: Tensor) -> Tensor:
    """The sum of two active tensors under the alpha-beta rule."""
    recorder.check_rows(left)
    left, right = torch.broadcast_tensors(left, right)  # type: ignore[no-untyped-call]
    return Sum.apply(left, right, rules, recorder)  # type: ignore[no-any-return, no-untyped-call]


def weighted(recorder: Recorder, rules: Composite, weights: Tensor, value: Tensor) -> Tensor:
    """Values summed by constant attention weights under the alpha-beta rule."""
    recorder.check_rows(value)
    return Weighted.apply(weights.detach(), value, rules, recorder)  # type: ignore[no-any-return, no-untyped-call]
