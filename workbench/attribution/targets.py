"""The scalar that is explained, one for each text of a batch.

By name: functions of a classifier's logits and labels. As closures: functions of a trace, for any output or activation of a model. Logits
are the end of the ledger: what a target that is not linear in them does not conserve is booked as `nonlinear`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.errors import PropagationError

if TYPE_CHECKING:
    from workbench.attribution.trace import Trace

LabelTarget = Callable[[Tensor, Tensor], Tensor]
Target = Callable[["Trace"], Tensor]


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


def log_probability(logits: Float[Tensor, "batch label"], labels: Int[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """The log of the chosen label's probability; its part that is not linear in the logits is booked as `nonlinear`."""
    return logit(torch.log_softmax(logits, -1), labels)


TARGETS: dict[str, LabelTarget] = {"logit": logit, "contrast": contrast, "margin": margin, "log_probability": log_probability}


def target(name: str) -> LabelTarget:
    """The target of this name; PropagationError for an unknown one."""
    if name not in TARGETS:
        raise PropagationError(f"explain the target {name!r}", f"targets {', '.join(TARGETS)}", "choose one of these")
    return TARGETS[name]


def label(labels: Int[Tensor, "batch"], of: str = "logit") -> Target:
    """A classifier's label for each text, under the label target `of`."""
    chosen = target(of)
    return lambda trace: chosen(trace.logits, labels.to(trace.logits.device))


def token(positions: Int[Tensor, "batch"] | int, ids: Int[Tensor, "batch"] | None = None, of: str = "logit") -> Target:
    """The token `ids` (the likeliest where not given) predicted at `positions` (negative: counted from the last real token)."""
    chosen = target(of)

    def explained(trace: Trace) -> Tensor:
        logits = trace.logits
        rows = torch.arange(logits.shape[0], device=logits.device)
        at = logits[rows, places(trace, positions)]
        return chosen(at, at.argmax(-1) if ids is None else ids.to(at.device))

    return explained


def next_token(ids: Int[Tensor, "batch"] | None = None, of: str = "logit") -> Target:
    """The token that follows the text: `ids`, or the likeliest."""
    return token(-1, ids, of)


def token_label(positions: Int[Tensor, "batch"] | int, labels: Int[Tensor, "batch"] | None = None, of: str = "logit") -> Target:
    """A token classifier's label at one token of each text."""
    return token(positions, labels, of)


def span(starts: Int[Tensor, "batch"], ends: Int[Tensor, "batch"]) -> Target:
    """The score of an answer span: start logit plus end logit."""

    def explained(trace: Trace) -> Tensor:
        rows = torch.arange(len(starts), device=trace.output.start_logits.device)
        begun: Tensor = trace.output.start_logits[rows, places(trace, starts)]
        ended: Tensor = trace.output.end_logits[rows, places(trace, ends)]
        return begun + ended

    return explained


def neuron(kind: str, layer: int, positions: Int[Tensor, "batch"] | int, unit: int) -> Target:
    """One unit of a watched component (`neurons`, `residual` ...) at one token of each text."""

    def explained(trace: Trace) -> Tensor:
        values = trace.activation(kind, layer)
        return values[torch.arange(values.shape[0], device=values.device), places(trace, positions), unit]

    return explained


def places(trace: Trace, positions: Int[Tensor, "batch"] | int) -> Int[Tensor, "batch"]:
    """Places in the padded sequence of positions counted in each text's own tokens; negative ones count from its end.

    Raises PropagationError for a position outside a text.
    """
    mask = trace.target_mask
    lengths = mask.sum(1)
    wanted = torch.as_tensor(positions, device=mask.device).expand(len(mask))
    counted = torch.where(wanted < 0, lengths + wanted, wanted)
    if bool(((counted < 0) | (counted >= lengths)).any()):
        raise PropagationError(
            "explain a position", f"positions {wanted.tolist()} in texts of {lengths.tolist()} tokens", "give one inside"
        )
    order = torch.argsort((~mask.bool()).to(torch.int8), dim=1, stable=True)
    found: Tensor = order.gather(1, counted[:, None])[:, 0]
    return found
