"""Matrix products of a gradient and a constant that stay one product when the gradient is batched over targets.

Under `torch.func.vmap` a product with a matrix for each place would copy that matrix once for each target; here the targets become rows.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Rows(torch.autograd.Function):
    """`rows (... r n) @ matrices (... n m)`, matrices without a batch of their own."""

    generate_vmap_rule = False

    @staticmethod
    def forward(rows: Tensor, matrices: Tensor) -> Tensor:
        return rows @ matrices

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept: it runs inside a backward pass."""

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, int | None], rows: Tensor, matrices: Tensor) -> tuple[Tensor, int]:
        """The same with an axis of targets, whose rows follow each other in one product."""
        place = in_dims[0]
        if place is None or in_dims[1] is not None:
            raise NotImplementedError("matrices are the same for all targets")
        together = rows.movedim(place, -3)
        product = together.flatten(-3, -2) @ matrices
        result = product.reshape(*product.shape[:-2], *together.shape[-3:-1], product.shape[-1])
        return result, result.ndim - 3


def times(rows: Tensor, matrices: Tensor) -> Tensor:
    """`rows (... r n) @ matrices (... n m)`: the gradient on the left, one matrix for each place and for all targets on the right."""
    return Rows.apply(rows, matrices)  # type: ignore[no-any-return, no-untyped-call]


def transposed_times(rows: Tensor, matrices: Tensor) -> Tensor:
    """`matrices^T (... m n) @ rows (... n r)`, as `times` with everything transposed."""
    return times(rows.mT, matrices).mT


def mixed(weights: Tensor, matrices: Tensor) -> Tensor:
    """`weights (... n) @ matrices (... n m)`: one row for each place."""
    return times(weights[..., None, :], matrices)[..., 0, :]
