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
from torch import Tensor

from workbench.errors import PropagationError
from workbench.rules import softmax
from workbench.rules.composite import Composite
from workbench.rules.marks import WEIGHTS, mark
from workbench.rules.product import product
from workbench.rules.recorder import MASK_VALUE, Recorder, watch, wide, without_masks

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
    mask = bias(recorder, mask, value, 0.5 if half else 1.0)
    if half:
        query = recorder.tap(query, "softmax", -0.5, share=0.25)
        key, value = recorder.tap(key, "softmax", 0.0, share=0.25), recorder.tap(value, "softmax", 0.0, share=0.5)
    else:
        query, key, value = (recorder.tap(x, "softmax", -1.0) for x in (query, key, value))
    output = recorder.tap(function(query, key, value, attn_mask=mask, **given), "softmax", 0.5 if half else 1.0)
    return recorder.component("heads", output)


def bias(recorder: Recorder, mask: Tensor | None, value: Tensor, share: float) -> Tensor | None:
    """A mask as it is; one that holds a bias on the scores as a source of position relevance, which takes `share` of its derivative."""
    if mask is None or not mask.is_floating_point() or not bool(((mask != 0) & (mask.abs() < MASK_VALUE)).any()):
        return mask
    layer, decoder = recorder.layer, recorder.decoder

    def record(gradient: Tensor, kept: Tensor) -> None:
        relevance = share * wide(without_masks(kept)) * wide(gradient)
        recorder.add("softmax", recorder.by_row(relevance), -1.0, layer)
        book_scores(recorder, relevance, layer, decoder)

    leaf = mask.detach().expand(value.shape[0], *mask.shape[1:]).requires_grad_(True)
    if not recorder.replaying:
        recorder.leaves.append(leaf)
    return watch(leaf, record)


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
    recorder.readings.distances(layer, relevance.reshape(recorder.rows, -1, *relevance.shape[-2:]), decoder)


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
    return product(recorder, rules, torch.matmul, (mark(weights, WEIGHTS), value), {})
