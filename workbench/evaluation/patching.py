"""What a component does at a position: put its clean activation into the corrupted run, or estimate what that would do.

For every component (residual stream, attention output, MLP output of a layer) at every position the effect is that of the clean activation
in the corrupted run, on the logit difference m of the two answers, normalised: (m - m_corrupted) / (m_clean - m_corrupted), so that the
corrupted run is 0 and the clean run is 1.

1. Activation patching (causal tracing) does it: one forward pass for each component and position.
2. Attribution patching (Nanda 2023, "Attribution patching: activation patching at industrial scale"; Syed et al. 2023, "Attribution
   patching outperforms automated circuit discovery") estimates it to first order: (a_clean - a_corrupted) . dm/da, the true gradient at
   the corrupted run.
3. Relevance patching (RelP; Jafari et al. 2025, arXiv 2508.21258) takes the propagation coefficients of LRP instead: the modified gradient
   under `relp.v1` (norm scales constant, activations f(x)/x, attention at its plain derivative).

The two estimates cost two forward passes and one backward pass for all components and positions together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Literal, TypeAlias, get_args

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.attribution.trace import Trace, record
from workbench.errors import InputError
from workbench.evaluation.interventions import KINDS, Place, activations, exchanged, logits_of
from workbench.evaluation.pairs import Pair, Prompts, prompts

Method: TypeAlias = Literal["activation_patching", "attribution_patching", "relevance_patching"]
METHODS: tuple[Method, ...] = get_args(Method)

#: The clean and the corrupted run must differ by this much in the logit difference: an effect is a share of that.
LEAST_DIFFERENCE = 1e-6

EFFECTS = {
    "pair": pl.Int32(), "kind": pl.String(), "layer": pl.Int32(), "position": pl.Int32(), "differs": pl.Boolean(),
    "method": pl.String(), "effect": pl.Float64(),
}  # fmt: skip

Effects: TypeAlias = dict[Place, Float[Tensor, "pair token"]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a method used for all pairs: prompts run forward, prompts run backward, CPU seconds."""

    forward: int
    backward: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Patching:
    """Effects by pair, kind, layer, position and method (columns `EFFECTS`), and what each method cost.

    `differs` is false where the prompts are still the same, so that the effect is 0 in a causal model whatever the method.
    """

    effects: pl.DataFrame
    costs: dict[Method, Cost]


def activation_patching(module: nn.Module, pairs: Sequence[Pair]) -> Patching:
    """Effects by running the corrupted prompt with one clean activation at a time, every component at every position.

    Raises InputError for pairs that cannot be compared, PropagationError for a model without such components.
    """
    return measured("activation_patching", module, pairs, exchange_all)


def attribution_patching(module: nn.Module, pairs: Sequence[Pair]) -> Patching:
    """First-order estimates of the effects, with the true gradient at the corrupted run. Raises as `activation_patching` does."""
    return measured("attribution_patching", module, pairs, lambda model, group: estimate_all(model, group, "gradient_x_input.v1"))


def relevance_patching(module: nn.Module, pairs: Sequence[Pair], rules: str = "relp.v1") -> Patching:
    """Estimates of the effects with the modified gradient of a composite. Raises as `activation_patching` does."""
    return measured("relevance_patching", module, pairs, lambda model, group: estimate_all(model, group, rules))


def patching(module: nn.Module, pairs: Sequence[Pair]) -> Patching:
    """All three methods on the same pairs."""
    parts = [method(module, pairs) for method in (activation_patching, attribution_patching, relevance_patching)]
    return Patching(pl.concat([part.effects for part in parts]), {name: cost for part in parts for name, cost in part.costs.items()})


def measured(method: Method, module: nn.Module, pairs: Sequence[Pair], effects_of: Callable[[nn.Module, Prompts], Effects]) -> Patching:
    """The effects of one method on pairs of any lengths, and its cost."""
    before, frames, forward, backward = process_time(), [], 0, 0
    for group in prompts(pairs, next(module.parameters()).device):
        effects = effects_of(module, group)
        frames.append(frame(method, group, effects))
        singly = sum(effect.shape[1] for effect in effects.values()) if method == "activation_patching" else 0
        forward += len(group.pairs) * (2 + singly)
        backward += len(group.pairs) * (method != "activation_patching")
    return Patching(pl.concat(frames), {method: Cost(forward, backward, process_time() - before)})


def exchange_all(module: nn.Module, group: Prompts) -> Effects:
    """The effect of every clean activation in the corrupted run, one forward pass for each component and position."""
    clean, logits = activations(module, group.clean)
    corrupted = group.difference(logits_of(module, group.corrupted))
    whole = whole_effect(group, group.difference(logits), corrupted)
    return {
        place: torch.stack([
            (group.difference(exchanged(module, group.corrupted, place, position, values[:, position])) - corrupted) / whole
            for position in range(values.shape[1])
        ], dim=1)
        for place, values in clean.items()
    }  # fmt: skip


def estimate_all(module: nn.Module, group: Prompts, rules: str) -> Effects:
    """(a_clean - a_corrupted) . gradient under the rules at the corrupted run, by two forward passes and one backward pass."""
    clean, logits = activations(module, group.clean)
    traced: Trace = record(module, {"input_ids": group.corrupted, "attention_mask": torch.ones_like(group.corrupted)}, rules, watch=KINDS)
    corrupted = group.difference(traced.logits.detach())
    traced.explain(lambda trace: group.difference(trace.logits))
    whole = whole_effect(group, group.difference(logits), corrupted)
    found = traced.components
    return {
        place: ((values - found[place].activation) * found[place].gradient).sum(-1) / whole[:, None]
        if place in found  # a component that the target does not depend on has no gradient
        else torch.zeros_like(values[..., 0])
        for place, values in clean.items()
    }


def whole_effect(group: Prompts, clean: Float[Tensor, "pair"], corrupted: Float[Tensor, "pair"]) -> Float[Tensor, "pair"]:
    """The logit difference of the clean run minus that of the corrupted run; InputError where the model sees no difference."""
    whole = clean - corrupted
    for number, size in zip(group.numbers, whole.abs().tolist(), strict=True):
        if not size >= LEAST_DIFFERENCE:
            raise InputError(
                f"patch between the prompts of pair {number}",
                "a model that answers both alike",
                "leave the pair out, or train the model longer",
            )
    return whole


def frame(method: Method, group: Prompts, effects: Effects) -> pl.DataFrame:
    """The effects of a group of pairs, one row for each pair, component and position."""
    frames = []
    for (kind, layer), values in effects.items():
        pairs, positions = np.indices(values.shape)
        firsts = np.array([pair.first_difference for pair in group.pairs])
        columns = {
            "pair": np.array(group.numbers)[pairs.ravel()], "kind": [kind] * pairs.size, "layer": [layer] * pairs.size,
            "position": positions.ravel(), "differs": positions.ravel() >= firsts[pairs.ravel()],
            "method": [method] * pairs.size, "effect": values.detach().double().cpu().numpy().ravel(),
        }  # fmt: skip
        frames.append(pl.DataFrame(columns, schema=EFFECTS))
    return pl.concat(frames)
