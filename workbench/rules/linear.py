"""Linear layers: LRP-0 is the plain derivative, LRP-epsilon damps outputs near zero; biases keep their own share.

LRP-epsilon (Bach et al. 2015) in gradient form: R_i = sum_j x_i w_ij R_j / (z_j + eps sign z_j) with R_j = z_j g_j is the
plain derivative of an output whose gradient was multiplied by z_j / (z_j + eps sign z_j); what is damped away, z_j g_j - z_j g'_j,
goes to the account `epsilon`. LRP-gamma and alpha-beta: see `alpha_beta`.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from workbench.rules import alpha_beta
from workbench.rules.composite import Composite
from workbench.rules.recorder import Recorder, watch, wide


def dense(recorder: Recorder, rules: Composite, x: Tensor, weight: Tensor, bias: Tensor | None, compute: Callable[[], Tensor]) -> Tensor:
    """A linear layer with `weight (out in)`, whose value `compute` gives, under the composite's rule."""
    if rules.linear in ("gamma", "alpha_beta"):
        return alpha_beta.dense(recorder, rules, x, weight, bias)
    return output(recorder, rules, compute(), bias)


def output(recorder: Recorder, rules: Composite, value: Tensor, bias: Tensor | None) -> Tensor:
    """The output of a linear operation, with its bias booked and LRP-0 or LRP-epsilon applied."""
    if bias is not None:
        value = recorder.constant(value, bias)
    return damped(recorder, value, rules.epsilon) if rules.linear == "epsilon" else value


def damped(recorder: Recorder, value: Tensor, epsilon: float) -> Tensor:
    """`value`; the gradient is multiplied by z / (z + epsilon sign z), sign 0 taken as 1."""
    recorder.check_rows(value)

    def record(gradient: Tensor, kept: Tensor) -> Tensor:
        size = wide(kept.abs())
        lost = (wide(gradient) * (epsilon / (size + epsilon))).to(gradient.dtype)
        recorder.add("epsilon", recorder.row_products(kept, lost))
        return gradient - lost

    return watch(value, record)
