"""Gradient times input by the length of each token's product: shares of tokens as inseq gives them by default.

The L2 norm of embedding times gradient for each token of source and prefix, over their sum. It has no sign and accounts for no target; it
stands here because it is what most comparisons are made with (Sarti et al. 2023, 'Inseq').
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workbench.attribution import stepwise
from workbench.attribution.stepwise import StepInputs, Steps
from workbench.attribution.targets import LabelTarget
from workbench.rules.composite import composite
from workbench.rules.recorder import Recorder, watch, wide

RULES = "gradient_x_input.v1"
LENGTH = "_length"


class Lengths(Recorder):
    """A recorder that reads at each source the length of its product as well."""

    def source(self, value: Tensor, kind: str) -> Tensor:
        """A leaf in place of `value`; see `Recorder`."""
        leaf = super().source(value, kind)
        if kind not in ("tokens", "decoder_inputs"):
            return leaf

        def record(gradient: Tensor, kept: Tensor) -> None:
            self.readings.add(kind + LENGTH, (wide(kept) * wide(gradient)).square().sum(-1).sqrt())

        return watch(leaf, record)


def steps(module: nn.Module, batch: StepInputs, target: LabelTarget, explained: str, budget: int) -> Steps:
    """Shares of every step of a batch; see `stepwise.steps`."""
    found = stepwise.steps(module, batch, composite(RULES), target, explained, budget, recorder=Lengths)
    lengths = {kind.removesuffix(LENGTH): values for kind, values in found.by_token.items() if kind.endswith(LENGTH)}
    total = torch.stack([values.sum(-1) for values in lengths.values()]).sum(0)[..., None]
    return Steps(
        torch.ones_like(found.target),
        found.log_probability,
        found.likeliest,
        found.difference,
        {kind: torch.where(total > 0, values / total, torch.zeros_like(values)) for kind, values in lengths.items()},
        {},
    )
