"""Interception for many targets of one pass: everything that a backward pass meets can be batched over targets.

Fused attention kernels give no derivative for a batch of gradients, so attention is written out; a decoder's own embedding table holds
words as well as the encoder's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from workbench.errors import PropagationError
from workbench.rules import attention, operations
from workbench.rules.composite import Composite
from workbench.rules.propagation import Propagation
from workbench.rules.recorder import Recorder


class Stepwise(Propagation):
    """A composite at work on a pass that is explained for many targets at once."""

    def __init__(self, module: nn.Module, composite: Composite, recorder: Recorder) -> None:
        super().__init__(module, composite, recorder)
        decoder: Any = getattr(module, "get_decoder", lambda: None)()
        words = decoder.get_input_embeddings() if hasattr(decoder, "get_input_embeddings") else None
        if isinstance(words, nn.Embedding):
            self.kinds[words.weight.data_ptr()] = "tokens"

    def active_call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function that has an active argument, under its rule; attention from its parts."""
        if function in operations.ATTENTIONS:
            query, key, value, mask, options = parts(args, kwargs)
            return attention.written_out(self.recorder, self.composite, query, key, value, mask, options)
        return super().active_call(function, args, kwargs)


def parts(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor, Tensor | None, dict[str, Any]]:
    """Query, key, value, mask and other options of a call of fused attention. Raises PropagationError for active dropout."""
    given = dict(zip(attention.NAMES, args, strict=False)) | kwargs
    if given.pop("dropout_p", 0.0):
        raise PropagationError("propagate through attention", "dropout is active", "call .eval() on the model")
    query, key, value = (given.pop(name) for name in attention.NAMES[:3])
    return query, key, value, given.pop("attn_mask", None), given
