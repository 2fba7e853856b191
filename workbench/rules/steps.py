"""Steps of a tape: linear operations on streams, one for each kind of function that a model calls.

A step takes the rows that are played and the streams it starts from, `(row ...)` each, and gives its own. Constants of the text that it
needs (attention weights, 1/std, activation ratios, the other factor of a product) are kept in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import vmap

from workbench.rules import operations
from workbench.rules.layout import Rows
from workbench.rules.tape import Step, node_of

#: Functions that write into their first argument, and those that may change its type.
WRITES = operations.resolve(operations.IN_PLACE)
CASTS = operations.resolve("to float double half bfloat16 type")
VIEWS = operations.resolve("view reshape")
SCALINGS = operations.resolve("mul multiply __mul__ __rmul__")
TRANSPOSITIONS = operations.resolve("transpose")
#: What is larger stands for infinity, in a mask.
LARGE = 1e30


class Place:
    """Stands for a tensor of streams among the arguments of a function."""


PLACE = Place()


def without_masks(constant: Tensor | float) -> Tensor | float:
    """A constant without the infinities by which masks shut out what has no weight."""
    if isinstance(constant, Tensor):
        return torch.where(constant.abs() < LARGE, constant, torch.zeros_like(constant))
    return constant if abs(constant) < LARGE else 0.0


def filled(values: Any, streams: Iterator[Tensor], dtype: torch.dtype | None = None) -> Any:
    """Arguments with streams in their places; constants in the type of the streams where those have another."""
    if values is PLACE:
        return next(streams)
    if isinstance(values, (list, tuple)) and not isinstance(values, torch.Size):
        return type(values)(filled(value, streams, dtype) for value in values)
    if dtype is not None and isinstance(values, Tensor) and values.is_floating_point():
        return values.to(dtype)
    return values


def rowwise(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], weight: float = 1.0) -> Step:
    """A function of streams that is linear in them, row by row; a function in place changes a copy."""
    in_place = function in WRITES

    def step(rows: Rows, *streams: Tensor) -> Any:
        if rows.dtype is not None and function in CASTS:
            return streams[0]

        def one(*own: Tensor) -> Any:
            waiting = iter(own)
            given = filled(list(args), waiting, rows.dtype)
            named = {name: filled(value, waiting, rows.dtype) for name, value in kwargs.items()}
            if in_place:
                given[0] = given[0].clone()
            result = function(*given, **named)
            return given[0] if in_place else result

        result = vmap(one)(*streams)
        return result if weight == 1.0 else result * weight

    return step


def shaped(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Step | None:
    """The commonest functions of shape alone, without the detour by `vmap`; None for any other."""
    if kwargs or not all(isinstance(value, (int, tuple, list)) for value in args[1:]):
        return None
    if function in VIEWS:
        sizes = args[1] if len(args) == 2 and not isinstance(args[1], int) else args[1:]
        return lambda _, streams: streams.reshape(len(streams), *sizes)
    if function in TRANSPOSITIONS:
        axes = [axis if axis < 0 else axis + 1 for axis in args[1:]]
        return lambda _, streams: streams.transpose(*axes)
    return None


def inserting(step: Step, inserted: Tensor) -> Step:
    """A step that puts constants among what it hands on: they belong to the row of constants alone."""
    constant = without_masks(inserted)
    kept = inserted.abs() < LARGE

    def corrected(rows: Rows, *streams: Tensor) -> Tensor:
        result: Tensor = step(rows, *streams)
        result = torch.where(kept, result, result.new_zeros(())) - constant
        return rows.with_constant(result, constant)

    return corrected


def at_zero(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
    """What a function gives where its streams are zero: the constants that it inserts."""

    def zeros(value: Any) -> Any:
        if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
            return type(value)(map(zeros, value))
        return torch.zeros_like(value) if node_of(value) is not None else value

    given = [zeros(value) for value in args]
    result = function(*given, **{name: zeros(value) for name, value in kwargs.items()})
    found: Tensor = given[0] if function in WRITES else result
    return found


def constant_source(value: Tensor) -> Step:
    """A constant among streams."""
    return lambda rows: rows.with_constant(value.new_zeros((rows.size, *value.shape), dtype=rows.dtype), value)


def picked(place: int) -> Step:
    """One of several results."""
    return lambda rows, streams: streams[place]


def total(terms: Sequence[Step]) -> Step:
    """The sum of steps, each of one tensor of streams."""

    def step(rows: Rows, *streams: Tensor) -> Tensor:
        first, *others = (term(rows, own) for term, own in zip(terms, streams, strict=True))
        result: Tensor = first
        for value in others:
            result += value
        return result

    return step


def gathered(dim: int, places: Tensor, kept: bool) -> Step:
    """The entries at places along an axis, counted from the last."""

    def step(_: Rows, streams: Tensor) -> Tensor:
        found = streams.gather(dim, places.expand(len(streams), *places.shape))
        return found if kept else found.squeeze(dim)

    return step


def linear(weight: Tensor, bias: Tensor | None, transposed: bool = False) -> Step:
    """A linear layer, its bias in the row of constants; with `transposed` the weight is `(in out)`."""

    def step(rows: Rows, streams: Tensor) -> Tensor:
        own = weight.to(streams.dtype)
        value = streams @ own if transposed else F.linear(streams, own)
        return value if bias is None else rows.with_constant(value, bias)

    return step


def widened(streams: Tensor, axes: int) -> Tensor:
    """Streams with as many axes after that of rows."""
    return streams.reshape(len(streams), *(1,) * (axes + 1 - streams.ndim), *streams.shape[1:])


def addition(axes: int, weights: tuple[float, float]) -> Step:
    """A weighted sum of two tensors of streams, which has so many axes beside that of rows."""

    def step(_: Rows, left: Tensor, right: Tensor) -> Tensor:
        left, right = widened(left, axes), widened(right, axes)
        return torch.add(left if weights[0] == 1.0 else left * weights[0], right, alpha=weights[1])

    return step


def constant_addition(shape: torch.Size, weight: float, constant: Tensor | float) -> Step:
    """`weight` times streams and a constant in its row; `shape` is that of the result."""
    kept = without_masks(constant)

    def step(rows: Rows, streams: Tensor) -> Tensor:
        return rows.with_constant(widened(streams, len(shape)).expand(-1, *shape) * weight, kept)

    return step


def norm(scale: Tensor, bias: Tensor | None, axes: tuple[int, ...] = (-1,)) -> Step:
    """Layer norm by a constant scale (weight over deviation of the whole text)."""

    def step(rows: Rows, streams: Tensor) -> Tensor:
        value = (streams - streams.mean(axes, keepdim=True)).mul_(scale.to(streams.dtype))
        return value if bias is None else rows.with_constant(value, bias)

    return step


def scaled(ratio: Tensor) -> Step:
    """Elementwise constants of the text: activation ratios, scales of norms."""

    def step(_: Rows, streams: Tensor) -> Tensor:
        return streams * ratio.to(streams.dtype)

    return step


def weighted(weights: Tensor, times: int = 1) -> Step:
    """Attention by constant weights `(text head query key)`, from values `(row text head key unit)`, each for so many `times` heads."""

    def step(_: Rows, values: Tensor) -> Tensor:
        return torch.einsum("thqk,rthku->rthqu", weights.to(values.dtype), repeated(values, times))

    return step


def repeated(streams: Tensor, times: int) -> Tensor:
    """Streams of heads, each so many times."""
    return streams if times == 1 else streams.repeat_interleave(times, 2)


def tangent(weights: Tensor, scores: Tensor, dim: int) -> Step:
    """Softmax's derivative in the direction of each row; what it leaves of the weights is absorbed."""
    whole = torch.where(scores.abs() < LARGE, scores, torch.zeros_like(scores))
    missing = weights - weights * (whole - (weights * whole).sum(dim, keepdim=True))

    def step(rows: Rows, streams: Tensor) -> Tensor:
        own = weights.to(streams.dtype)
        moved = (streams - (own * streams).sum(dim, keepdim=True)).mul_(own)
        if rows.absorbed is not None:
            moved[rows.absorbed] += missing
        return moved

    return step


def products(query: Tensor, key: Tensor, scale: float, mask: Tensor | None, times: int = 1) -> Step:
    """Scores of queries and keys, each of which takes half; a bias or mask that is added belongs to constants."""
    added = None if mask is None else without_masks(mask)

    def step(rows: Rows, queries: Tensor, keys: Tensor) -> Tensor:
        half = 0.5 * scale
        scores = torch.matmul(queries, (key * half).mT.to(queries.dtype))
        scores += torch.matmul((query * half).to(keys.dtype), repeated(keys, times).mT)
        return scores if added is None else rows.with_constant(scores, added)

    return step


def halves(weights: Tensor, value: Tensor, times: int = 1) -> Step:
    """Attention weights times values, each of which takes half."""

    def step(_: Rows, moved: Tensor, values: Tensor) -> Tensor:
        result = torch.matmul(moved, (0.5 * value).to(moved.dtype))
        result += torch.einsum("thqk,rthku->rthqu", (0.5 * weights).to(values.dtype), repeated(values, times))
        return result

    return step
