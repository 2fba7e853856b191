"""The scalar that is explained, one for each text of a batch; all are linear in the logits, so that logits stay the end of the ledger."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor

from workbench.errors import PropagationError

Target = Callable[[Tensor, Tensor], Tensor]


def logit(logits: Float[Tensor, "batch label"], labels: Int[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """The logit of the chosen label."""
    return logits.gather(1, labels[:, None])[:, 0]


def contrast(logits: Float[Tensor, "batch label"], labels: Int[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """The logit of the chosen label minus the mean of all others: what speaks for it and not for logits in general."""
    chosen = logit(logits, labels)
    return chosen - (logits.sum(1) - chosen) / (logits.shape[1] - 1)


def margin(logits: Float[Tensor, "batch label"], labels: Int[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """The logit of the chosen label minus the largest other one."""
    others = logits.scatter(1, labels[:, None], float("-inf"))
    return logit(logits, labels) - others.amax(1)


TARGETS: dict[str, Target] = {"logit": logit, "contrast": contrast, "margin": margin}


def target(name: str) -> Target:
    """The target of this name; PropagationError for an unknown one."""
    if name not in TARGETS:
        raise PropagationError(f"explain the target {name!r}", f"targets {', '.join(TARGETS)}", "choose one of these")
    return TARGETS[name]
