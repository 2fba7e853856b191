"""Attention: AttnLRP's half rules and softmax rule, or constant attention weights.

AttnLRP (Achtibat et al. 2024): the product A V gives half to each factor (proposition 3.3), softmax keeps its true derivative at the
scores and absorbs what its Taylor expansion does not conserve (proposition 3.1), the product Q K^T gives half to each again. In gradient
form: V x 1/2, Q x 1/4, K x 1/4. What softmax absorbs, without the matrices: A's half of the output, `o . g_o / 2`, minus what
reaches the scores, `q . g_q / 2`, where g_q is the true derivative below the modified output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from workbench.errors import PropagationError
from workbench.rules.product import product
from workbench.rules.recorder import Recorder


def fused(recorder: Recorder, rule: str, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """`scaled_dot_product_attention` under the rule `half`, `constant` or `gradient`."""
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
    given = dict(zip(names, args, strict=False)) | kwargs
    if given.get("dropout_p"):
        raise PropagationError("propagate through attention", "dropout is active", "call .eval() on the model")
    query, key, value = given.pop("query"), given.pop("key"), given.pop("value")
    mask = given.get("attn_mask")
    if isinstance(mask, Tensor) and mask.requires_grad and rule != "constant":
        return written_out(recorder, rule, query, key, value, given)
    if rule == "constant":
        given["attn_mask"] = mask.detach() if isinstance(mask, Tensor) else mask
        return function(query.detach(), key.detach(), value, **given)
    if rule == "gradient":
        inputs = (recorder.tap(x, "softmax", -1.0) for x in (query, key, value))
        return recorder.tap(function(*inputs, **given), "softmax")
    query = recorder.tap(query, "softmax", -0.5, share=0.25)
    key, value = recorder.tap(key, "softmax", 0.0, share=0.25), recorder.tap(value, "softmax", 0.0, share=0.5)
    return recorder.tap(function(query, key, value, **given), "softmax", 0.5)


def written_out(recorder: Recorder, rule: str, query: Tensor, key: Tensor, value: Tensor, options: dict[str, Any]) -> Tensor:
    """Attention with a learned bias on the scores, from its parts, so that the bias takes its own share of the scores' relevance."""
    scale = options.get("scale") or query.shape[-1] ** -0.5
    scores = product(recorder, rule, torch.matmul, (query, key.transpose(-1, -2)), {}) * scale + options["attn_mask"]
    weights = softmax(recorder, rule, torch.softmax, (scores, -1), {})
    return product(recorder, rule, torch.matmul, (weights, value), {})


def softmax(recorder: Recorder, rule: str, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Softmax of scores: its true derivative with the absorbed part booked, or a constant."""
    scores = args[0] if args else kwargs.pop("input")
    if rule == "constant":
        return function(scores, *args[1:], **kwargs).detach()
    return recorder.tap(function(recorder.tap(scores, "softmax", -1.0), *args[1:], **kwargs), "softmax")
