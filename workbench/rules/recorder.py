"""What is recorded while relevance flows back: the ledger's accounts by row and the readings at sources.

A tap has the value of its input and its derivative; in the backward pass it adds `value . gradient` of each row of the batch to an account.
No leaf, no second pass and no attention matrix is needed for that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.errors import PropagationError
from workbench.relevance import ACCOUNTS

#: Larger constants on scores are masks (minus infinity in effect); where they stand the gradient is zero and so is their relevance.
MASK_VALUE = 1e30

Record = Callable[[Tensor], Tensor | None]


class Watch(torch.autograd.Function):
    """The input itself; its gradient is shown to `record`, which may answer with another gradient to pass on."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, record: Record) -> Tensor:
        ctx.record = record
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        answer = ctx.record(gradient)
        return (gradient if answer is None else answer), None


class Recorder:
    """Accounts and readings of one trace; `rows` is the number of texts in the batch."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.leaves: list[Tensor] = []
        self.clear()

    def clear(self) -> None:
        """Forget what earlier backward passes recorded."""
        self.accounts = {account: torch.zeros(self.rows, dtype=torch.float64) for account in ACCOUNTS}
        self.readings: dict[str, Float[Tensor, "batch token"]] = {}

    def add(self, account: str, values: Float[Tensor, "batch"], weight: float = 1.0) -> None:
        """Adds `weight * values` to an account."""
        self.accounts[account] += weight * values.detach().to("cpu", torch.float64)

    def row_products(self, left: Tensor, right: Tensor) -> Float[Tensor, "batch"]:
        """Sum of `left * right` for each text, products in float32 at least."""
        if left.ndim == 0 or left.shape[0] % self.rows:
            raise PropagationError(
                "book relevance by text", f"a tensor of shape {tuple(left.shape)} for {self.rows} texts", "explain the texts one at a time"
            )
        wide = torch.promote_types(left.dtype, torch.float32)
        products = left.to(wide) * right.to(wide)
        if products.shape[0] != self.rows:
            products = products.reshape(self.rows, -1)
        return products.sum(tuple(range(1, products.ndim))) if products.ndim > 1 else products

    def tap(self, value: Tensor, account: str, weight: float = 1.0, share: float = 1.0) -> Tensor:
        """`value`; books `weight * value . gradient` and passes on `share` of the gradient."""
        if not value.requires_grad:
            return value
        kept = value.detach()

        def record(gradient: Tensor) -> Tensor | None:
            if weight:
                self.add(account, self.row_products(kept, gradient), weight)
            return None if share == 1.0 else gradient * share

        return Watch.apply(value, record)  # type: ignore[no-any-return, no-untyped-call]

    def constant(self, value: Tensor, constant: Tensor | float | int, account: str = "biases", weight: float = 1.0) -> Tensor:
        """`value`, to which `constant` has been added: books what the constant contributes, broadcast like in the addition."""
        if not value.requires_grad:
            return value
        kept = torch.as_tensor(constant, device=value.device).detach()
        if not kept.is_floating_point():
            kept = kept.to(value.dtype)

        def record(gradient: Tensor) -> None:
            self.add(account, self.row_constant(gradient, kept), weight)

        return Watch.apply(value, record)  # type: ignore[no-any-return, no-untyped-call]

    def row_constant(self, gradient: Tensor, constant: Tensor) -> Float[Tensor, "batch"]:
        """Sum of `gradient * constant` for each text; a vector over the last axis needs no broadcast copy."""
        wide = torch.promote_types(gradient.dtype, torch.float32)
        if constant.ndim == 1 and gradient.shape[0] % self.rows == 0:
            summed = gradient.to(wide).reshape(self.rows, -1, gradient.shape[-1]).sum(1)
            return summed @ constant.to(wide).expand(gradient.shape[-1])
        known = torch.where(constant.abs() > MASK_VALUE, torch.zeros_like(constant), constant)
        return self.row_products(known.expand_as(gradient), gradient)

    def source(self, value: Tensor, kind: str) -> Tensor:
        """A leaf in place of `value (batch token hidden)`: relevance ends here and is read by token and by account `kind`."""
        leaf = value.detach().requires_grad_(True)
        self.leaves.append(leaf)
        kept = leaf.detach()

        def record(gradient: Tensor) -> None:
            wide = torch.promote_types(kept.dtype, torch.float32)
            by_token = (kept.to(wide) * gradient.to(wide)).sum(-1)
            if by_token.ndim == 2:
                self.read(kind, by_token)
            self.add(kind, by_token.to(torch.float64).reshape(self.rows, -1).sum(1))
            if kind == "tokens":
                self.read("sensitivity", gradient.to(wide).square().sum(-1))

        return Watch.apply(leaf, record)  # type: ignore[no-any-return, no-untyped-call]

    def read(self, kind: str, values: Float[Tensor, "batch token"]) -> None:
        """Keeps a reading; several sources of one kind add up."""
        known = self.readings.get(kind)
        self.readings[kind] = values.detach() if known is None else known + values.detach()
