"""Linear layers: LRP-0 is the plain derivative, LRP-epsilon damps outputs near zero; biases keep their own share.

LRP-epsilon (Bach et al. 2015) in gradient form: R_i = sum_j x_i w_ij R_j / (z_j + eps sign z_j) with R_j = z_j g_j is the
plain derivative of an output whose gradient was multiplied by z_j / (z_j + eps sign z_j); what is damped away, z_j g_j - z_j g'_j,
goes to the account `epsilon`.
"""

from __future__ import annotations

from torch import Tensor

from workbench.rules.composite import Composite
from workbench.rules.recorder import Recorder, Watch


def output(recorder: Recorder, composite: Composite, value: Tensor, bias: Tensor | None) -> Tensor:
    """The output of a linear layer, with its bias booked and the composite's rule applied."""
    if bias is not None:
        value = recorder.constant(value, bias)
    return damped(recorder, value, composite.epsilon) if composite.linear == "epsilon" else value


def damped(recorder: Recorder, value: Tensor, epsilon: float) -> Tensor:
    """`value`; the gradient is multiplied by z / (z + epsilon sign z), sign 0 taken as 1."""
    kept = value.detach()

    def record(gradient: Tensor) -> Tensor:
        size = kept.abs()
        lost = gradient * (epsilon / (size + epsilon))
        recorder.add("epsilon", recorder.row_products(kept, lost))
        return gradient - lost

    return Watch.apply(value, record)  # type: ignore[no-any-return, no-untyped-call]
