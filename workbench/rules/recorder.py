"""What is recorded while relevance flows back: the ledger's accounts by row, the readings at sources, and watched components.

A tap has the value of its input and its derivative; in the backward pass it adds `value . gradient` of each row of the batch to an
account. No second pass and no attention matrix is needed for that. What a tap keeps it keeps as a saved tensor, so that checkpointing can
drop it; a later change in place is then found by torch itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from workbench.errors import PropagationError
from workbench.relevance import OUTSIDE
from workbench.rules.known import Known
from workbench.rules.readings import Aggregation, Readings, aggregated

#: Larger constants on scores are masks (minus infinity in effect); where they stand the gradient is zero and so is their relevance.
MASK_VALUE = 1e30

WIDE = frozenset({torch.float32, torch.float64})

Record = Callable[..., Tensor | None]
Key = TypeVar("Key")


class Watch(torch.autograd.Function):
    """The input itself; its gradient (and its value, where kept) is shown to `record`, which may answer with another gradient."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, record: Record, keep: bool) -> Tensor:
        ctx.record = record
        if keep:
            ctx.save_for_backward(value)
        return value.detach()  # no view: what a model changes in place afterwards is its own

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        answer = ctx.record(gradient, *ctx.saved_tensors)
        return (gradient if answer is None else answer), None, None


def watch(value: Tensor, record: Record, *, keep: bool = True) -> Tensor:
    """`value`, whose gradient `record(gradient[, value])` sees."""
    return Watch.apply(value, record, keep)  # type: ignore[no-any-return, no-untyped-call]


def wide(value: Tensor) -> Tensor:
    """The value in float32 at least: products are summed no narrower."""
    return value if value.dtype in WIDE else value.to(torch.promote_types(value.dtype, torch.float32))


class Recorder:
    """Accounts, readings and components of one trace; `rows` is the number of texts in the batch.

    `layer` is the layer that is running, `decoder` whether the decoder of an encoder-decoder model is, `mixed` whether rows of
    the running tensors belong to no known text (inside a mixture of experts), `replaying` whether a checkpoint is being recomputed.
    """

    def __init__(self, rows: int, kinds: Collection[str] = (), position_layers: bool = False, aggregation: Aggregation = "signed") -> None:
        self.rows = rows
        self.kinds = frozenset(kinds)
        self.position_layers = position_layers
        self.aggregation: Aggregation = aggregation
        self.layer = OUTSIDE
        self.layers = 0
        self.decoder = False
        self.mixed = False
        self.replaying = False
        self.leaves: list[Tensor] = []
        self.activations: dict[tuple[str, int], Tensor] = {}
        self.known = Known()
        self.clear()

    def clear(self) -> None:
        """Forget what earlier backward passes recorded."""
        self.booked: defaultdict[tuple[str, int], list[tuple[float, Tensor]]] = defaultdict(list)
        self.by_place: dict[tuple[str, int, torch.dtype, torch.device], Tensor] = {}
        self.readings = Readings(self.position_layers, self.aggregation)
        self.gradients: dict[tuple[str, int], Tensor] = {}

    def next_layer(self) -> int:
        """The number of the layer that begins to run, counted in the order of the pass."""
        self.layers += 1
        return self.layers - 1

    def add(self, account: str, values: Float[Tensor, "batch"], weight: float = 1.0, layer: int = OUTSIDE) -> None:
        """Adds `weight * values` to an account, and to its layer where the account is kept by layer.

        Bookings are kept as they come and summed when they are asked for: a backward pass makes hundreds of them.
        """
        self.booked[account, layer if account == "softmax" else OUTSIDE].append((weight, values.detach()))

    @property
    def accounts(self) -> dict[str, Float[Tensor, "batch"]]:
        """What each account holds, in float64."""
        entries = [(account, weight, values) for (account, _), booked in self.booked.items() for weight, values in booked]
        entries += [(account, 1.0, values.reshape(self.rows, -1).sum(1)) for (account, *_), values in self.by_place.items()]
        return summed(entries)

    @property
    def softmax_layers(self) -> dict[int, Float[Tensor, "batch"]]:
        """What softmax absorbed in each layer, in float64."""
        booked = ((layer, booked) for (account, layer), booked in self.booked.items() if account == "softmax")
        return summed([(layer, weight, values) for layer, own in booked for weight, values in own])

    def by_row(self, products: Tensor) -> Float[Tensor, "batch"]:
        """Sums for each text of a tensor whose first axis holds the texts, each text's rows together."""
        if self.rows > 1 and (self.mixed or products.ndim == 0 or products.shape[0] % self.rows):
            raise PropagationError(
                "book relevance by text",
                f"a tensor of shape {tuple(products.shape)} for {self.rows} texts" + (" inside a mixture of experts" * self.mixed),
                "explain the texts one at a time",
            )
        if products.ndim > 1 and products.shape[0] == self.rows:  # no copy, however the other axes lie in memory
            return products.sum(tuple(range(1, products.ndim)))
        return products.reshape(self.rows, -1).sum(1)

    def row_products(self, left: Tensor, right: Tensor) -> Float[Tensor, "batch"]:
        """Sum of `left * right` for each text, products in float32 at least."""
        return self.by_row(wide(left) * wide(right))

    def tap(self, value: Tensor, account: str, weight: float = 1.0, share: float = 1.0) -> Tensor:
        """`value`; books `weight * value . gradient` and passes on `share` of the gradient."""
        if not value.requires_grad:
            return value
        layer = self.layer
        if weight:
            self.check_rows(value)

        def record(gradient: Tensor, kept: Tensor | None = None) -> Tensor | None:
            if kept is not None:
                self.add(account, self.row_products(kept, gradient), weight, layer)
            return None if share == 1.0 else gradient * share

        return watch(value, record, keep=bool(weight))

    def shared(self, value: Tensor, share: float) -> Tensor:
        """`value`, the fresh result of a function, which passes on `share` of its gradient."""
        value.register_hook(lambda gradient: gradient * share)  # type: ignore[no-untyped-call]
        return value

    def check_rows(self, value: Tensor) -> None:
        """Refuses in the forward pass already what could not be booked by text in the backward pass."""
        if self.rows > 1 and (self.mixed or value.ndim == 0 or value.shape[0] % self.rows):
            self.by_row(value)

    def constant(
        self, value: Tensor, constant: Tensor | float | int, account: str = "biases", weight: float = 1.0, taken_from: str | None = None
    ) -> Tensor:
        """`value`, to which `constant` has been added: books what the constant contributes, broadcast like in the addition.

        `taken_from` names an account that loses it.

        `value` is the fresh result of the addition; it is hooked and returned itself, so that additions in place are met as well.
        """
        if not value.requires_grad or (isinstance(constant, (int, float)) and constant == 0):
            return value
        # a number of Python is added at full precision, not at torch's default one
        kept = constant.detach() if isinstance(constant, Tensor) else torch.tensor(constant, dtype=torch.float64, device=value.device)
        if not kept.is_floating_point():
            kept = kept.to(value.dtype)
        self.check_rows(value)
        if value.ndim > 1 and kept.shape == value.shape[-1:] and weight == 1.0 and taken_from is None and value.shape[0] % self.rows == 0:
            value.register_hook(lambda gradient: self.vector(account, gradient, kept))  # type: ignore[no-untyped-call]
            return value

        def record(gradient: Tensor) -> None:
            booked = self.row_constant(gradient, kept)
            self.add(account, booked, weight)
            if taken_from is not None:
                self.add(taken_from, booked, -weight)

        value.register_hook(record)  # type: ignore[no-untyped-call]
        return value

    def vector(self, account: str, gradient: Tensor, constant: Float[Tensor, "hidden"]) -> None:
        """Books `gradient * constant`, a vector over the last axis: by token, which one product does for all biases of a pass."""
        by_token = wide(gradient).reshape(-1, gradient.shape[-1])
        if constant.dtype != by_token.dtype:
            constant = constant.to(by_token.dtype)
        place = (account, by_token.shape[0], by_token.dtype, by_token.device)  # `len` would ask the rules
        known = self.by_place.get(place)
        self.by_place[place] = by_token @ constant if known is None else torch.addmv(known, by_token, constant)

    def row_constant(self, gradient: Tensor, constant: Tensor) -> Float[Tensor, "batch"]:
        """Sum of `gradient * constant` for each text; a vector over the last axis needs no broadcast copy."""
        if constant.ndim == 1 and gradient.shape[0] % self.rows == 0 and not self.mixed:
            by_token = wide(gradient).reshape(-1, gradient.shape[-1])
            return (by_token @ constant.to(by_token.dtype).expand(gradient.shape[-1])).reshape(self.rows, -1).sum(1)
        return self.row_products(without_masks(constant).expand_as(gradient), gradient)

    def source(self, value: Tensor, kind: str) -> Tensor:
        """A leaf in place of `value (batch token hidden)`: relevance ends here and is read by token and by account `kind`."""
        leaf = value.detach().requires_grad_(True)
        if not self.replaying:
            self.leaves.append(leaf)
        decoder = self.decoder

        def record(gradient: Tensor, kept: Tensor) -> None:
            products = wide(kept) * wide(gradient)
            by_token = products.sum(-1)
            self.add(kind, by_token.reshape(self.rows, -1).sum(1))
            if kind == "positions":
                by_position = by_token if self.aggregation == "signed" else aggregated(products, self.aggregation, (-1,))
                self.readings.position("absolute", OUTSIDE, by_position, decoder)
            elif by_token.ndim == 2:
                self.readings.add(kind, by_token)
            if kind == "tokens":
                self.readings.add("sensitivity", wide(gradient).square().sum(-1))

        return watch(leaf, record)

    def component(self, kind: str, value: Tensor) -> Tensor:
        """`value` of a watched kind of component in the running layer: its activation and gradient are kept."""
        if kind not in self.kinds or self.layer == OUTSIDE or self.mixed or not value.requires_grad:
            return value
        if value.ndim == 2:  # texts and tokens in one axis
            return self.component(kind, value.reshape(self.rows, -1, value.shape[-1])).reshape(value.shape)
        place = (kind, self.layer)

        def record(gradient: Tensor) -> None:
            known = self.gradients.get(place)
            self.gradients[place] = gradient.detach() if known is None else known + gradient.detach()

        value = watch(value, record, keep=False)
        if not self.replaying:
            self.activations[place] = value
        return value


def mask_limit(constant: Tensor) -> float:
    """The size from which on a constant on scores is a mask, in its precision."""
    return min(MASK_VALUE, torch.finfo(constant.dtype).max / 2)


def without_masks(constant: Tensor) -> Tensor:
    """A constant on scores with its masks set to zero.

    Two thresholds: on a CPU they take a fifth of the time of a comparison and a choice.
    """
    limit = -mask_limit(constant)
    return F.threshold(F.threshold(constant, limit, 0.0).neg(), limit, 0.0).neg()


def summed(booked: Sequence[tuple[Key, float, Tensor]]) -> dict[Key, Float[Tensor, "batch"]]:
    """The weighted sums by key of what was booked by row, in float64, all together."""
    if not booked:
        return {}
    keys = {key: place for place, key in enumerate(dict.fromkeys(key for key, _, _ in booked))}
    weights = torch.tensor([[weight] for _, weight, _ in booked], dtype=torch.float64)
    values = torch.stack([values for *_, values in booked]).to("cpu", torch.float64) * weights
    sums = values.new_zeros(len(keys), *values.shape[1:]).index_add(0, torch.tensor([keys[key] for key, _, _ in booked]), values)
    return dict(zip(keys, sums.unbind(), strict=True))


def total(values: Mapping[Any, Tensor]) -> dict[Any, list[float]]:
    """Numbers by key of what was recorded by row."""
    return {key: rows.tolist() for key, rows in values.items()}
