"""Integrated gradients as captum computes them, on the same batch for the same labels."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from captum.attr import LayerIntegratedGradients
from torch import Tensor, nn

from workbench.pipeline.bench.clock import Work, ratio, runs
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.passes import backward, explained
from workbench.pipeline.bench.shapes import Shape, inputs

STEPS = 20
BAR = 15.0


def integrated(module: nn.Module, given: dict[str, Any], labels: Tensor, steps: int = STEPS) -> Tensor:
    """LayerIntegratedGradients on the word embeddings from a text of padding, all steps in one batch (captum's default)."""
    table: Any = module.get_input_embeddings()  # type: ignore[operator]
    method = LayerIntegratedGradients(lambda ids, mask: module(input_ids=ids, attention_mask=mask).logits, table)
    ids: Tensor = given["input_ids"]
    found: Tensor = method.attribute(
        ids, torch.zeros_like(ids), target=labels, additional_forward_args=(given["attention_mask"],), n_steps=steps
    )
    return found.sum(-1)


def against_captum(
    shapes: Sequence[Shape] = (Shape("BERT", 6, 384), Shape("BERT", 4, 128)), *, composite: str = "attnlrp.v1", batch: int = 4,
    length: int = 128, steps: int = STEPS, repetitions: int = 3,
) -> Iterator[Finding]:  # fmt: skip
    """How many times faster an explanation is than integrated gradients, and a plain pass forward and backward beside it."""
    for shape in shapes:
        module = shape.build()
        given = inputs(module, batch, length)
        labels = module(**given).logits.argmax(1)
        things: dict[str, Work] = {
            "captum": partial(integrated, module, given, labels, steps),
            composite: partial(explained, module, given, composite),
            "plain f+b": partial(backward, module, given),
        }
        taken = runs(things, repetitions)
        beside = {f"{name}, ms": 1000 * statistics.median(seconds) for name, seconds in taken.items() if name != "plain f+b"}
        beside["plain f+b"] = ratio(taken["captum"], taken["plain f+b"])  # what is possible at all: one pass forward and one back
        part = f"captum's integrated gradients with {steps} steps, {batch} texts of {length} tokens"
        yield Finding(part, shape.name, composite, "times faster", ratio(taken["captum"], taken[composite]), BAR, least=True, beside=beside)
