"""One trace: the pass that predicts is the pass that is explained.

1. Texts run through the model once, under the rules of a composite: `trace` gives the output, equal to the plain model's.
2. The caller chooses what to explain for each text (the model's own label, the gold one, a token, a neuron ...).
3. One backward pass for the whole batch gives relevance by token and position, the ledger of each text, and watched components.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from workbench.attribution.inputs import aggregation_of, batches, encoded, refuse_unknown
from workbench.attribution.reading import Component, read
from workbench.attribution.targets import Target
from workbench.attribution.targets import label as label_target
from workbench.encoding import Encoding, by_length
from workbench.errors import PropagationError
from workbench.relevance import Explanation
from workbench.rules.audit import refuse_custom_kernels
from workbench.rules.composite import Composite, composite
from workbench.rules.frozen import frozen
from workbench.rules.propagation import propagation
from workbench.rules.recorder import Recorder

KINDS = ("residual", "attention", "mlp", "heads", "neurons", "features")


@dataclass
class Trace:
    """The output of a batch and the graph under rules that it came from; it can be explained for several targets.

    `masks` tells real tokens from padding, for the input and (in an encoder-decoder model) the decoder's; `top` is how many units of
    each component and layer an explanation keeps.
    """

    output: Any
    recorder: Recorder
    masks: tuple[Int[Tensor, "batch token"], Int[Tensor, "batch target"] | None]
    top: int = 32
    components: dict[tuple[str, int], Component] = field(default_factory=dict)

    @property
    def logits(self) -> Tensor:
        """The logits of the output."""
        logits: Tensor = self.output.logits
        return logits

    @property
    def target_mask(self) -> Int[Tensor, "batch token"]:
        """Real tokens among those that the model predicts at: the decoder's, where it has one of its own."""
        return self.masks[0] if self.masks[1] is None else self.masks[1]

    def activation(self, kind: str, layer: int) -> Tensor:
        """The activation of a watched kind of component in a layer, for targets inside the model.

        Raises PropagationError for one that was not watched or does not exist.
        """
        if (kind, layer) not in self.recorder.activations:
            known = sorted(
                {f"{name} 0-{max(n for other, n in self.recorder.activations if other == name)}" for name, _ in self.recorder.activations}
            )
            raise PropagationError(f"read {kind} of layer {layer}", f"watched: {', '.join(known) or 'nothing'}", "name it in `watch`")
        return self.recorder.tap(self.recorder.activations[kind, layer], "nonlinear", -1.0)

    def explain(self, target: Target, *, keep: bool = False) -> list[Explanation]:
        """Explains one scalar for each text with one backward pass; `keep` leaves the graph for another one.

        Raises PropagationError when no source reaches the target, or for a target of another shape than one number for each text.
        """
        with torch.enable_grad():
            explained = target(self)
        if explained.shape != (self.recorder.rows,):
            raise PropagationError(
                "explain a target",
                f"a tensor of shape {tuple(explained.shape)}",
                f"give one number for each of the {self.recorder.rows} texts",
            )
        if not explained.requires_grad:
            raise PropagationError(
                "explain a target", "it depends on no embedding", "check that the model's embeddings are looked up in the pass"
            )
        refuse_custom_kernels(explained)
        self.recorder.clear()
        self.recorder.add("nonlinear", explained)
        try:
            torch.autograd.grad(explained.sum(), self.recorder.leaves, retain_graph=keep, allow_unused=True)
        except RuntimeError as error:
            if "inplace" not in str(error):
                raise
            found = "the model changed a relevant value in place after it had been used"
            raise PropagationError(
                "explain a target", found, "replace the in-place operation, or register a rule for its module"
            ) from error
        self.components = {
            place: Component(self.recorder.activations[place].detach(), gradient) for place, gradient in self.recorder.gradients.items()
        }
        return read(self.recorder, explained.detach(), self.masks, self.components, self.top)

    def explanations(self, labels: Int[Tensor, "batch"], target: str = "logit", *, keep: bool = False) -> list[Explanation]:
        """Explains one label of a classifier for each text; see `explain`."""
        return self.explain(label_target(labels, target), keep=keep)


def record(
    module: nn.Module,
    inputs: Mapping[str, Any],
    rules: Composite | str = "attnlrp.v1",
    *,
    watch: Collection[str] = (),
    top: int = 32,
    position_layers: bool = False,
    aggregation: str = "signed",
    checkpoint: bool = False,
) -> Trace:
    """Runs a model on its own keyword arguments under a composite; padding (zeros of `attention_mask`) takes no part.

    `watch` names kinds of components to keep (residual, attention, mlp, heads, neurons, features); `checkpoint` computes layers
    again in the backward pass instead of keeping their activations; `aggregation` tells how units make up a position's relevance
    (`signed`, `positive`, `absolute`; the ledger is always signed). Raises PropagationError for an operation without a rule.
    """
    if unknown := set(watch) - set(KINDS):
        raise PropagationError(f"watch {', '.join(sorted(unknown))}", f"components {', '.join(KINDS)}", "choose among these")
    refuse_unknown(module, inputs)
    ids: Tensor = inputs["input_ids"]
    given = dict(inputs)
    if "use_cache" in inspect.signature(module.forward).parameters:
        given.setdefault("use_cache", False)  # a cache would only be copied
    mask = given.get("attention_mask")
    mask = torch.ones_like(ids) if mask is None else mask
    decoder = given.get("decoder_input_ids")
    decoder_mask = given.get("decoder_attention_mask")
    if decoder is not None and decoder_mask is None:
        decoder_mask = torch.ones_like(decoder)
    kinds = frozenset(watch) | ({"residual"} if "features" in watch else set())
    parts = list(module.named_modules())  # once: every walk over a model takes its time
    context = propagation(
        module,
        composite(rules),
        len(ids),
        parts=parts,
        watch=kinds,
        position_layers=position_layers,
        aggregation=aggregation_of(aggregation),
        checkpoint=checkpoint,
    )
    with frozen(module, parts), torch.enable_grad(), context as recorder:
        output = module(**given)
    recorder.kinds = frozenset(watch)
    return Trace(ended(output, recorder), recorder, (mask, decoder_mask), top)


def ended(output: Any, recorder: Recorder) -> Any:
    """The output, whose floating tensors are the end of the ledger: value times derivative of a target there is what was propagated."""
    if isinstance(output, Tensor):
        return recorder.tap(output, "nonlinear", -1.0)
    if isinstance(output, tuple):
        return tuple(ended(value, recorder) for value in output)
    for name, value in list(output.items()) if hasattr(output, "items") else ():
        if isinstance(value, Tensor) and value.requires_grad and value.shape[:1] == (recorder.rows,):
            output[name] = recorder.tap(value, "nonlinear", -1.0)
    return output


def trace(
    module: nn.Module,
    encodings: Sequence[Encoding],
    rules: Composite | str = "attnlrp.v1",
    *,
    padding: str = "right",
    watch: Collection[str] = (),
    top: int = 32,
    position_layers: bool = False,
    aggregation: str = "signed",
    checkpoint: bool = False,
) -> Trace:
    """Runs texts through a model under a composite, those of other lengths padded on the right (or the left); see `record`."""
    inputs = encoded(module, encodings, padding)
    return record(
        module, inputs, rules, watch=watch, top=top, position_layers=position_layers, aggregation=aggregation, checkpoint=checkpoint
    )


def explain(
    module: nn.Module,
    encodings: Sequence[Encoding],
    rules: Composite | str = "attnlrp.v1",
    *,
    labels: Sequence[int] | None = None,
    target: str = "logit",
    padded: int | None = None,
    **options: Any,
) -> list[Explanation]:
    """Explanations of texts of any lengths for the given labels or the ones that the model predicts; options as for `trace`.

    Batches hold texts of one length (the same numbers whatever the batch), or with `padded` that many texts of about one length.
    Raises PropagationError as `trace` does.
    """
    answers: dict[int, Explanation] = {}
    for indexes in by_length(encodings) if padded is None else batches(encodings, padded):
        traced = trace(module, [encodings[index] for index in indexes], rules, **options)
        chosen = traced.logits.argmax(1) if labels is None else torch.tensor([labels[index] for index in indexes])
        answers.update(zip(indexes, traced.explanations(chosen, target), strict=True))
    return [answers[index] for index in range(len(encodings))]


def finite(explanation: Explanation) -> bool:
    """Whether every number of an explanation is finite: only such are stored."""
    arrays = [
        explanation.tokens, explanation.positions, explanation.sensitivity, explanation.decoder_inputs, explanation.decoder_positions,
        *(part.values for part in explanation.position_layers),
        *(np.append(part.relevance, part.rest) for part in explanation.components),
    ]  # fmt: skip
    return all(bool(np.isfinite(array).all()) for array in arrays) and np.isfinite(explanation.ledger.gap).item()
