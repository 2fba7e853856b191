"""Attention: AttnLRP's half rules and softmax rule, constant attention weights, or the plain derivative.

AttnLRP (Achtibat et al. 2024): the product A V gives half to each factor (proposition 3.3), softmax keeps its true derivative at the
scores and absorbs what its Taylor expansion does not conserve (proposition 3.1), the product Q K^T gives half to each again. In gradient
form: V x 1/2, Q x 1/4, K x 1/4. What softmax absorbs, without the matrices: A's half of the output, `o . g_o / 2`, minus what
reaches the scores, `q . g_q / 2`, and minus what a bias on the scores takes, `b . g_b / 2` (relevance of positions), where g_q and
g_b are the true derivatives below the modified output. Rules that need the weights themselves write attention out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.errors import PropagationError
from workbench.rules import softmax
from workbench.rules.biased import Biased, holds_bias
from workbench.rules.composite import Composite
from workbench.rules.marks import WEIGHTS, mark
from workbench.rules.product import product
from workbench.rules.readings import aggregated
from workbench.rules.recorder import MASK_VALUE, Recorder, wide, without_masks
from workbench.rules.tilted import Tilted, fits, tilted

NAMES = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")


def fused(recorder: Recorder, rules: Composite, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """`scaled_dot_product_attention` under the composite's attention and softmax rules."""
    given = dict(zip(NAMES, args, strict=False)) | kwargs
    if given.pop("dropout_p", 0.0):
        raise PropagationError("propagate through attention", "dropout is active", "call .eval() on the model")
    query, key, value = given.pop("query"), given.pop("key"), given.pop("value")
    mask = given.pop("attn_mask", None)
    if isinstance(mask, Tensor) and mask.requires_grad:
        raise PropagationError(
            "propagate through attention", "a bias on the scores that depends on the tokens", "load the model with attention 'eager'"
        )
    if rules.linear == "alpha_beta" or (rules.attention == "half" and rules.softmax != "absorb"):
        return written_out(recorder, rules, query, key, value, mask, given)
    if rules.attention == "constant":
        return recorder.component("heads", function(query.detach(), key.detach(), value, attn_mask=mask, **given))
    half = rules.attention == "half"
    if half:
        recorder.check_rows(query)
        query, key, value = Halves.apply(query, key, value, recorder, recorder.layer)  # type: ignore[no-untyped-call]
    else:  # the output is linear in the values and takes what they take; the scores are linear in the keys as in the queries
        query = recorder.tap(query, rules.attention_account, -2.0)
    told = recorder.known.once(mask) if isinstance(mask, Tensor) and mask.is_floating_point() else None
    if told is not None and told(holds_bias):
        output = with_bias(recorder, rules, query, key, value, mask, told, given)
    else:
        output = function(query, key, value, attn_mask=mask, **given)
    return recorder.component("heads", output)


class Halves(torch.autograd.Function):
    """Query, key and value as they are; the derivative below the softmax by half, and half of that for each factor of either product.

    The output is linear in the values: `v . g_v` is the `o . g_o` of the formula above.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, recorder: Recorder, layer: int) -> tuple[Tensor, Tensor, Tensor]:
        ctx.save_for_backward(query, value)
        ctx.recorder, ctx.layer = recorder, layer
        return query.detach(), key.detach(), value.detach()

    @staticmethod
    def backward(ctx: Any, of_query: Tensor, of_key: Tensor, of_value: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query, value = ctx.saved_tensors
        recorder: Recorder = ctx.recorder
        recorder.add("softmax", recorder.row_products(value, of_value), 0.5, ctx.layer)
        recorder.add("softmax", recorder.row_products(query, of_query), -0.5, ctx.layer)
        # fresh from attention's own derivative, which hands them to nobody else
        return of_query.mul_(0.25), of_key.mul_(0.25), of_value.mul_(0.5), None, None


def with_bias(
    recorder: Recorder, rules: Composite, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, told: Callable[..., Any],
    options: dict[str, Any],
) -> Tensor:  # fmt: skip
    """Attention with a bias on its scores, which is a source of position relevance and takes all that reaches the scores.

    `told` answers what is asked of the mask.
    """
    share, account = 0.5 if rules.attention == "half" else 1.0, rules.attention_account
    if options.get("enable_gqa"):
        key, value = (x.repeat_interleave(query.shape[1] // x.shape[1], 1) for x in (key, value))
    layer, decoder, square = recorder.layer, recorder.decoder, query.shape[2] == key.shape[2]
    by_key = recorder.position_layers or recorder.aggregation == "absolute"  # only then distances count, or what is no sum over keys

    def seen(total: Tensor, shown: Tensor) -> None:
        booked = share * recorder.by_row(total)
        recorder.add(account, booked, -1.0, layer)
        recorder.add("positions", booked)
        values = (shown.abs() if recorder.aggregation == "absolute" else shown).mul_(share)
        if by_key:
            recorder.readings.distances(layer, values, decoder)
        elif square or not decoder:
            recorder.readings.position("relative", layer, values, decoder)

    recorder.check_rows(query)
    scale = options.get("scale")
    root = query.shape[-1] ** -0.5 if scale is None else scale
    if not by_key and recorder.aggregation == "signed" and fits(query, key, value, mask):
        tilt = told(tilted)
        return Tilted.apply(query, key, value, mask, tilt, root, lambda total: seen(total, total))  # type: ignore[no-any-return, no-untyped-call]
    attend = F.scaled_dot_product_attention
    return Biased.apply(query, key, value, mask, attend, root, by_key, recorder.aggregation == "positive", seen)  # type: ignore[no-any-return, no-untyped-call]


def added_to_scores(recorder: Recorder, scores: Tensor, constant: Tensor, weight: float = 1.0) -> Tensor:
    """Scores to which a bias by query and key has been added: the bias is position relevance."""
    layer, decoder, kept = recorder.layer, recorder.decoder, without_masks(constant.detach())
    recorder.check_rows(scores)

    def record(gradient: Tensor) -> None:
        book_scores(recorder, weight * wide(kept) * wide(gradient), layer, decoder)

    scores.register_hook(record)  # type: ignore[no-untyped-call]
    return scores


def book_scores(recorder: Recorder, relevance: Tensor, layer: int, decoder: bool) -> None:
    """Relevance of a bias on scores (texts and heads first, then query and key) as relevance of positions."""
    recorder.add("positions", recorder.by_row(relevance))
    by_head = relevance.reshape(recorder.rows, -1, *relevance.shape[-2:])
    recorder.readings.distances(layer, aggregated(by_head, recorder.aggregation, (1,)), decoder)


def is_bias_on_scores(scores: Tensor, constant: object) -> bool:
    """Whether a constant was added by query and key: four axes, or three of which the first holds texts and heads."""
    if not isinstance(constant, Tensor) or not constant.is_floating_point() or constant.ndim < 3:
        return False
    by_query_and_key = scores.ndim == 4 or (scores.ndim == 3 and scores.shape[1] == scores.shape[2])
    return by_query_and_key and bool(((constant != 0) & (constant.abs() < MASK_VALUE)).any())


def written_out(
    recorder: Recorder, rules: Composite, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, options: dict[str, Any]
) -> Tensor:
    """Attention from its parts, for rules that need its weights; the same value within rounding."""
    if options.get("enable_gqa"):
        key, value = (x.repeat_interleave(query.shape[1] // x.shape[1], 1) for x in (key, value))
    scale = options.get("scale")
    root = query.shape[-1] ** -0.5 if scale is None else scale
    scores = product(recorder, rules, torch.matmul, (query, key.transpose(-1, -2)), {}) * root
    if options.get("is_causal"):
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if mask is not None and mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask, float("-inf"))
    elif mask is not None:
        scores = added_to_scores(recorder, scores + mask, mask)
    weights = softmax.softmax(recorder, rules, torch.softmax, (scores, -1), {})
    return recorder.component("heads", product(recorder, rules, torch.matmul, (mark(weights, WEIGHTS), value), {}))
