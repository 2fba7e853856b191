"""One trace: the pass that predicts is the pass that is explained.

1. Texts of one length run through the model once, under the rules of a composite: `trace` gives the logits, equal to the plain model's.
2. The caller chooses a label for each text (the model's own, the ensemble's, the gold one).
3. One backward pass for the whole batch, `explanations`, gives relevance by token, by position and the ledger of each text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.attribution.targets import target as target_named
from workbench.encoding import Encoding, by_length
from workbench.errors import PropagationError
from workbench.relevance import Explanation, Ledger
from workbench.rules.composite import Composite, composite
from workbench.rules.propagation import propagation, refuse_custom_kernels
from workbench.rules.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Trace:
    """Logits of a batch and the graph under rules that they came from; it can be explained for several labels."""

    logits: Float[Tensor, "batch label"]
    recorder: Recorder

    def explanations(self, labels: Int[Tensor, "batch"], target: str = "logit", *, keep: bool = False) -> list[Explanation]:
        """Explains one label for each text with one backward pass; `keep` leaves the graph for another one.

        Raises PropagationError when no source reaches the target.
        """
        explained = target_named(target)(self.logits, labels.to(self.logits.device))
        if not explained.requires_grad:
            raise PropagationError(
                "explain a target", "it depends on no embedding", "check that the model's embeddings are looked up in the pass"
            )
        refuse_custom_kernels(explained)
        self.recorder.clear()
        torch.autograd.grad(explained.sum(), self.recorder.leaves, retain_graph=keep, allow_unused=True)
        return list(read(self.recorder, explained.detach()))


def read(recorder: Recorder, explained: Float[Tensor, "batch"]) -> list[Explanation]:
    """The recorder's readings and accounts as one explanation for each text."""
    shape = recorder.readings["tokens"].shape
    none = torch.zeros(shape)
    tokens, positions, sensitivity = (
        recorder.readings.get(kind, none).to("cpu", torch.float32).expand(shape).numpy() for kind in ("tokens", "positions", "sensitivity")
    )
    values = explained.to("cpu", torch.float64).tolist()
    accounts = {account: totals.tolist() for account, totals in recorder.accounts.items()}
    return [
        Explanation(
            tokens[row], positions[row], sensitivity[row], Ledger(value, {account: totals[row] for account, totals in accounts.items()})
        )
        for row, value in enumerate(values)
    ]


def trace(module: nn.Module, encodings: Sequence[Encoding], rules: Composite | str = "attnlrp.v1") -> Trace:
    """Runs texts of one length through the model under a composite.

    Raises PropagationError for lengths that differ, an operation without a rule, or a model in training mode.
    """
    lengths = {len(encoding) for encoding in encodings}
    if len(lengths) != 1:
        raise PropagationError("trace a batch", f"texts of {sorted(lengths)} tokens", "group the texts by length first")
    if getattr(getattr(module, "config", None), "is_encoder_decoder", False):
        found = "an encoder-decoder model, whose decoder inputs have no account yet"
        raise PropagationError(f"explain {type(module).__name__}", found, "use an encoder or a decoder with a classification head")
    device = next(module.parameters()).device
    ids = torch.tensor([encoding.ids for encoding in encodings], device=device)
    frozen = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(False)
    try:
        with torch.enable_grad(), propagation(module, composite(rules), len(encodings)) as recorder:
            logits = module(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)
    return Trace(logits, recorder)


def explain(
    module: nn.Module,
    encodings: Sequence[Encoding],
    rules: Composite | str = "attnlrp.v1",
    *,
    labels: Sequence[int] | None = None,
    target: str = "logit",
) -> list[Explanation]:
    """Explanations of texts of any lengths, batched by equal length, for the given labels or the ones that the model predicts.

    Raises PropagationError as `trace` does.
    """
    answers: dict[int, Explanation] = {}
    for indexes in by_length(encodings):
        traced = trace(module, [encodings[index] for index in indexes], rules)
        chosen = traced.logits.argmax(1) if labels is None else torch.tensor([labels[index] for index in indexes])
        answers.update(zip(indexes, traced.explanations(chosen, target), strict=True))
    return [answers[index] for index in range(len(encodings))]


def finite(explanation: Explanation) -> bool:
    """Whether every number of an explanation is finite: only such are stored."""
    arrays = explanation.tokens, explanation.positions, explanation.sensitivity
    return all(bool(np.isfinite(array).all()) for array in arrays) and np.isfinite(explanation.ledger.gap).item()
