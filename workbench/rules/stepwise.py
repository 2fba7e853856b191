"""Interception for many targets of one pass: everything that a backward pass meets can be batched over targets.

Fused attention kernels give no derivative for a batch of gradients, so attention is written out (`StepAttention` for AttnLRP and constant
weights, the general rules for all else); a decoder's own embedding table holds words as well as the encoder's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from workbench.errors import PropagationError
from workbench.rules import attention, operations
from workbench.rules.answers import ANSWERS, Answer, Arguments, Function, Options
from workbench.rules.batched import times, transposed_times
from workbench.rules.biased import holds_bias
from workbench.rules.composite import Composite
from workbench.rules.propagation import Propagation
from workbench.rules.recorder import Recorder


def attended(mode: Propagation, _: Function, args: Arguments, kwargs: Options) -> Any:
    """Fused attention under its rules, from its parts."""
    return step_attention(mode.recorder, mode.composite, *parts(args, kwargs))


class Stepwise(Propagation):
    """A composite at work on a pass that is explained for many targets at once."""

    #: Autograd functions of this mode alone.
    functions: ClassVar[tuple[type[torch.autograd.Function], ...]] = ()
    answers: ClassVar[Mapping[Function, Answer | None]] = ANSWERS | dict.fromkeys(operations.ATTENTIONS, attended)

    def __init__(self, module: nn.Module, composite: Composite, recorder: Recorder) -> None:
        super().__init__(module, composite, recorder)
        decoder: Any = getattr(module, "get_decoder", lambda: None)()
        words = decoder.get_input_embeddings() if hasattr(decoder, "get_input_embeddings") else None
        if isinstance(words, nn.Embedding):
            self.kinds[words.weight.data_ptr()] = "tokens"


def parts(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor, Tensor | None, dict[str, Any]]:
    """Query, key, value, mask and other options of a call of fused attention. Raises PropagationError for active dropout."""
    given = dict(zip(attention.NAMES, args, strict=False)) | kwargs
    if given.pop("dropout_p", 0.0):
        raise PropagationError("propagate through attention", "dropout is active", "call .eval() on the model")
    query, key, value = (given.pop(name) for name in attention.NAMES[:3])
    return query, key, value, given.pop("attn_mask", None), given


def attention_weights(query: Tensor, key: Tensor, mask: Tensor | None, options: dict[str, Any]) -> Tensor:
    """The weights of a call of fused attention with these options."""
    scores = query @ key.mT * root(query, options)
    if options.get("is_causal"):
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
    weights: Tensor = scores.softmax(-1)
    return weights


def root(query: Tensor, options: dict[str, Any]) -> float:
    """The factor on the scores of a call of fused attention."""
    scale = options.get("scale")
    return query.shape[-1] ** -0.5 if scale is None else float(scale)


def by_head(query: Tensor, key: Tensor, value: Tensor, options: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Keys and values for every head of queries, where several share one."""
    if not options.get("enable_gqa"):
        return key, value
    count = query.shape[1] // key.shape[1]
    return key.repeat_interleave(count, 1), value.repeat_interleave(count, 1)


def step_attention(
    recorder: Recorder, rules: Composite, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, options: dict[str, Any]
) -> Tensor:
    """Attention under the composite; see `workbench.rules.attention` for the rules."""
    absorbing = rules.attention == "half" and rules.softmax == "absorb"
    if not (absorbing or rules.attention == "constant") or rules.linear == "alpha_beta" or (absorbing and holds_float_bias(mask)):
        return attention.written_out(recorder, rules, query, key, value, mask, options)
    key, value = by_head(query, key, value, options)
    recorder.check_rows(value)
    if not absorbing:
        query, key = query.detach(), key.detach()
    return StepAttention.apply(query, key, value, mask, options, recorder if absorbing else None, recorder.layer)  # type: ignore[no-any-return, no-untyped-call]


def holds_float_bias(mask: Tensor | None) -> bool:
    """Whether a mask holds more than zeros and masks."""
    return mask is not None and mask.dtype != torch.bool and holds_bias(mask)


class StepAttention(torch.autograd.Function):
    """Attention in value; AttnLRP's derivative with a recorder for what softmax absorbs, constant weights without one.

    Half of the derivative goes to V, and `v . g_v` of it is what A takes as well; of that `2 q . g_q` reaches the scores, whose factors
    have a quarter of the derivative each; the rest is absorbed.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        options: dict[str, Any],
        recorder: Recorder | None,
        layer: int,
    ) -> Tensor:
        weights = attention_weights(query, key, mask, options)
        ctx.save_for_backward(query, key, value, weights)
        ctx.scale, ctx.recorder, ctx.layer = root(query, options), recorder, layer
        return weights @ value

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, weights = ctx.saved_tensors
        recorder: Recorder | None = ctx.recorder
        if recorder is None:
            return None, None, transposed_times(gradient, weights), None, None, None, None
        of_value = transposed_times(gradient, weights * 0.5)
        of_weights = times(gradient, value.mT)
        of_scores = weights * (of_weights - (of_weights * weights).sum(-1, keepdim=True))
        quarter = 0.25 * ctx.scale
        of_query, of_key = times(of_scores, key * quarter), times(of_scores.mT, query * quarter)
        recorder.add("softmax", recorder.row_products(value, of_value), 1.0, ctx.layer)
        recorder.add("softmax", recorder.row_products(query, of_query), -2.0, ctx.layer)
        return of_query, of_key, of_value, None, None, None, None


Stepwise.functions = (StepAttention,)
