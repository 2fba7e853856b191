"""From what was recorded to explanations: cut to each text's own tokens, components to their largest units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from workbench.relevance import ACCOUNTS, ComponentRelevance, Explanation, Ledger, PositionRelevance
from workbench.rules.recorder import Recorder, total, wide

#: Kinds whose units are summed: the whole stream or block at a token.
WHOLE = ("residual", "attention", "mlp")


@dataclass(frozen=True, slots=True)
class Component:
    """Activation and modified gradient of one kind of component in one layer: `(batch token unit)`, heads `(batch head token unit)`."""

    activation: Float[Tensor, "batch ..."]
    gradient: Float[Tensor, "batch ..."]

    @property
    def relevance(self) -> Float[Tensor, "batch ..."]:
        """Activation times modified gradient."""
        return wide(self.activation) * wide(self.gradient)


def read(
    recorder: Recorder,
    explained: Float[Tensor, "batch"],
    masks: tuple[Int[Tensor, "batch token"], Int[Tensor, "batch target"] | None],
    components: Mapping[tuple[str, int], Component],
    top: int,
) -> list[Explanation]:
    """One explanation for each text of the batch."""
    inputs = masks[0].bool().cpu().numpy()
    targets = np.zeros((recorder.rows, 0), dtype=bool) if masks[1] is None else masks[1].bool().cpu().numpy()
    arrays = {kind: values.to("cpu", torch.float32).numpy() for kind, values in recorder.readings.by_token.items()}
    layers = {key: values.to("cpu", torch.float32).numpy() for key, values in recorder.readings.by_layer.items()}
    accounts, softmax = total(recorder.accounts), total(recorder.softmax_layers)
    values = explained.to("cpu", torch.float64).tolist()
    reduced = {place: summed(place[0], component).to("cpu", torch.float32).numpy() for place, component in components.items()}
    if "features" in recorder.kinds:
        reduced |= {("features", layer): component.relevance.to("cpu", torch.float32).numpy()
                    for (kind, layer), component in components.items() if kind == "residual"}  # fmt: skip
    answers = []
    for row, value in enumerate(values):
        own, decoded = inputs[row], targets[row]
        ledger = Ledger(
            value,
            {account: accounts[account][row] if account in accounts else 0.0 for account in ACCOUNTS},
            {layer: sums[row] for layer, sums in sorted(softmax.items())},
        )
        answers.append(
            Explanation(
                tokens=cut(arrays.get("tokens"), row, own),
                positions=cut(arrays.get("positions"), row, own),
                sensitivity=cut(arrays.get("sensitivity"), row, own),
                ledger=ledger,
                decoder_inputs=cut(arrays.get("decoder_inputs"), row, decoded),
                decoder_positions=cut(arrays.get("decoder_positions"), row, decoded),
                position_layers=tuple(
                    by_position(kind, layer, values[row], decoded if decoder else own, decoder)
                    for (kind, layer, decoder), values in sorted(layers.items())
                ),
                components=tuple(
                    largest(kind, layer, relevance[row], own if relevance.shape[-2] == len(own) else decoded, top)
                    for (kind, layer), relevance in sorted(reduced.items())
                    if kind in recorder.kinds
                ),
            )
        )
    return answers


def cut(values: NDArray[np.float32] | None, row: int, real: Bool[np.ndarray, "token"]) -> NDArray[np.float32]:
    """A text's own tokens of a padded reading; zeros where nothing was read."""
    if values is None:
        return np.zeros(int(real.sum()), dtype=np.float32)
    own: NDArray[np.float32] = np.broadcast_to(values[row], real.shape)[real]
    return own.copy()


def by_position(kind: str, layer: int, values: NDArray[np.float32], real: Bool[np.ndarray, "token"], decoder: bool) -> PositionRelevance:
    """A reading by position, or by distance, whose first one is known from its length."""
    named = f"decoder_{kind}" if decoder else kind
    if kind == "relative":
        return PositionRelevance(named, layer, 1 - len(real) if len(values) == 2 * len(real) - 1 else 0, values.copy())
    return PositionRelevance(named, layer, 0, values[real].copy())


def summed(kind: str, component: Component) -> Float[Tensor, "batch token unit"]:
    """Relevance by token and unit: whole streams summed over the hidden axis, heads over theirs."""
    relevance = component.relevance
    if kind == "heads":
        return relevance.sum(-1).transpose(1, 2)
    return relevance.sum(-1, keepdim=True) if kind in WHOLE else relevance


def largest(kind: str, layer: int, relevance: NDArray[np.float32], real: Bool[np.ndarray, "token"], top: int) -> ComponentRelevance:
    """The `top` units of largest size among a text's own tokens, in order of token and unit, and the sum of all others.

    Whole streams are kept at every token.
    """
    own = relevance[real]
    flat = own.reshape(-1)
    count = flat.size if kind in WHOLE else min(top, flat.size)
    chosen = np.sort(np.argpartition(-np.abs(flat), count - 1)[:count])
    token, unit = np.divmod(chosen, own.shape[1])
    rest = float(flat.sum(dtype=np.float64) - flat[chosen].sum(dtype=np.float64))
    return ComponentRelevance(kind, layer, token.astype(np.int32), unit.astype(np.int32), flat[chosen], rest)
