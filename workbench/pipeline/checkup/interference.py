"""Is everything that was attached detached again: gradients of models bit by bit, hooks, attributes, flags."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForSequenceClassification

from workbench.attribution.targets import Target, label
from workbench.attribution.trace import Trace
from workbench.rules.recorder import Recorder
from workbench.rules.sources import source_kinds

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
Gradient = Callable[[], list[Tensor]]


@contextmanager
def leaves(module: nn.Module) -> Iterator[list[Tensor]]:
    """Word embeddings that the model looks up while the context lasts, as leaves of plain gradients."""
    found: list[Tensor] = []
    kinds = source_kinds(module)

    def leaf(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        found.append(output.detach().requires_grad_(True))
        return found[-1]

    tables = [part for part in module.modules() if isinstance(part, nn.Embedding) and kinds[part.weight.data_ptr()] == "tokens"]
    handles = [table.register_forward_hook(leaf) for table in tables]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def gradients(module: nn.Module, inputs: Mapping[str, Any], target: Target) -> list[Tensor]:
    """Plain gradients of a target by the word embeddings: one forward and one backward pass without rules."""
    with torch.enable_grad(), leaves(module) as found:
        output = module(**inputs)
    mask = inputs.get("attention_mask")
    mask = torch.ones_like(inputs["input_ids"]) if mask is None else mask
    decoder = inputs.get("decoder_input_ids")
    masks = (mask, None if decoder is None else torch.ones_like(decoder))
    explained = target(Trace(output, Recorder(len(mask)), masks))
    return list(torch.autograd.grad(explained.sum(), found))


def neighbour() -> Gradient:
    """Another model that nobody explains: what gives its gradients, each time anew."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, vocab_size=64)
        module: nn.Module = BertForSequenceClassification(config)
    module.eval()
    inputs = {"input_ids": torch.arange(5, 15)[None]}
    target = label(torch.zeros(1, dtype=torch.long))
    return lambda: gradients(module, inputs, target)


def equal(left: list[Tensor], right: list[Tensor]) -> bool:
    """Whether two lists of tensors are equal bit by bit."""
    return len(left) == len(right) and all(map(torch.equal, left, right))


def state(module: nn.Module) -> list[tuple[Any, ...]]:
    """What could be left behind on a model: hooks, attributes and modes of its modules, marks and flags of its parameters."""
    found: list[tuple[Any, ...]] = [
        (name, part.training, frozenset(vars(part)), part.forward, *(tuple(vars(part)[hooks]) for hooks in HOOKS))
        for name, part in module.named_modules()
    ]
    values = (*module.named_parameters(), *module.named_buffers())
    return found + [(name, value.requires_grad, value.grad is None, frozenset(vars(value))) for name, value in values]
