"""Source and prefix contributions to every generated token of a translation.

For a source and a target (the model's own output, the reference, any other text) one teacher-forced pass and one batched backward pass
tell how much each step took from each source token and from each token of the target prefix (Voita, Sennrich and Titov 2021), beside
what the beginning, positions and biases took and what softmax absorbed. Relevance is read at the embedding lookups that the model makes
itself, never through `inputs_embeds`, which some models scale in one half only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import nn

from workbench.attribution import alti, norm_shares, positive_shares, stepwise, targets
from workbench.attribution.stepwise import StepInputs, Steps
from workbench.attribution.translations import Translation, batches, refuse, step_inputs
from workbench.errors import PropagationError
from workbench.rules.composite import COMPOSITES, composite

#: Methods by name; a registered composite may be named as well.
METHODS = ("attnlrp", "cplrp", "gradient_x_input", "gradient_x_input_l2", "alpha_beta", "alti_plus")
#: Methods whose contributions are not negative and sum to one: their target is the whole, 1.
SHARES = ("gradient_x_input_l2", "alpha_beta", "alti_plus")
#: The scalar that is explained, and whether it belongs to the model's likeliest token or to the given one.
TARGETS = {
    "argmax": (targets.logit, "argmax"),
    "token": (targets.logit, "given"),
    "log_probability": (targets.log_probability, "given"),
    "contrast": (targets.margin, "given"),
}
#: Numbers of one gradient (steps x texts x tokens x widest layer): 16 million are 64 MB in float32.
BUDGET = 16_000_000


@dataclass(frozen=True, slots=True)
class Contributions:
    """What every step of one translation took from where, in units of its target.

    target_value = sum of source + sum of prefix + beginning + positions + biases + softmax + nonlinear + gap, each summed from its own
    terms. `prefix[t, j]` is what step t took from target token j < t; `beginning` holds the decoder's start token and forced tokens (of
    a prompt: all outside the source span); `nonlinear` what the target or a plain derivative does not conserve. `difference` is the
    largest |logit under rules - plain logit|. `likeliest` are the model's own tokens under the given prefix.
    """

    source_ids: Int[np.ndarray, "source"]
    target_ids: Int[np.ndarray, "step"]
    likeliest: Int[np.ndarray, "step"]
    source: Float[np.ndarray, "step source"]
    prefix: Float[np.ndarray, "step step"]
    beginning: Float[np.ndarray, "step"]
    positions: Float[np.ndarray, "step"]
    biases: Float[np.ndarray, "step"]
    softmax: Float[np.ndarray, "step"]
    nonlinear: Float[np.ndarray, "step"]
    gap: Float[np.ndarray, "step"]
    target_value: Float[np.ndarray, "step"]
    log_probability: Float[np.ndarray, "step"]
    difference: float
    method: str
    target: str

    @property
    def relative_gap(self) -> float:
        """Largest |gap| / max(|target|, 1) of all steps."""
        return float(np.max(np.abs(self.gap) / np.maximum(np.abs(self.target_value), 1.0)))

    @property
    def source_share(self) -> Float[np.ndarray, "step"]:
        """By step: size of all source contributions in that of source and prefix together; without the beginning, 1 at the first step.

        Sizes are absolute values of token contributions. Source: Voita et al. 2021, section 3, who drop the beginning as well.
        """
        source, prefix = np.abs(self.source).sum(1), np.abs(self.prefix).sum(1)
        shares: NDArray[np.float64] = np.divide(source, source + prefix, out=np.zeros_like(source), where=source + prefix > 0)
        return shares


def contributions(
    module: nn.Module,
    translations: Sequence[Translation],
    method: str = "attnlrp",
    target: str = "argmax",
    *,
    together: int = 16,
    budget: int = BUDGET,
    progress: Callable[[int, int], None] | None = None,
) -> list[Contributions]:
    """Contributions of sequence-to-sequence translations of any lengths, `together` of about one length in a batch.

    `method` is one of METHODS or a registered composite, `target` one of TARGETS; alpha-beta and ALTI+ explain `argmax` or
    `token`. `budget` bounds the numbers of one gradient, `progress` is told how many are done, of how many, after every batch.
    Raises PropagationError for a translation that the model cannot have made.
    """
    solve = solver(method, target)
    refuse(module, translations)
    answers: dict[int, Contributions] = {}
    for places in batches(translations, together, budget, held(module, method)):
        chosen = [translations[place] for place in places]
        batch = step_inputs(module, chosen)
        found = solve(module, batch, budget)
        answers.update({place: cut(found, row, translation, method, target)
                        for row, (place, translation) in enumerate(zip(places, chosen, strict=True))})  # fmt: skip
        if progress is not None:
            progress(len(answers), len(translations))
    return [answers[place] for place in range(len(translations))]


def held(module: nn.Module, method: str) -> Callable[[int], int]:
    """How many numbers a text of a length holds at the widest place of a pass: in a gradient of one step, in alpha-beta's attention."""
    width = stepwise.widest(module)
    return (lambda length: length * length * width) if method == "alpha_beta" else (lambda length: length * width)


def solver(method: str, target: str) -> Callable[[nn.Module, StepInputs, int], Steps]:
    """What gives the steps of a batch. Raises PropagationError for an unknown method or target, or two that do not go together."""
    if target not in TARGETS:
        raise PropagationError(f"explain the target {target!r}", f"targets {', '.join(TARGETS)}", "choose one of these")
    of, explained = TARGETS[target]
    if method == "gradient_x_input_l2":
        return lambda module, batch, budget: norm_shares.steps(module, batch, of, explained, budget)
    if method in SHARES and of is not targets.logit:
        raise PropagationError(
            f"explain {target} by {method}", "it gives shares of a token, not parts of a number", "choose the target argmax or token"
        )
    if method == "alpha_beta":
        return lambda module, batch, budget: positive_shares.steps(module, batch, explained, budget)
    if method == "alti_plus":
        return lambda module, batch, _: alti.steps(module, batch)
    if method not in {*METHODS, *COMPOSITES, *(name.rpartition(".v")[0] for name in COMPOSITES)}:
        raise PropagationError(f"explain by {method!r}", f"methods {', '.join(METHODS)} and composites", "choose one of these")
    rules = composite(method)
    return lambda module, batch, budget: stepwise.steps(module, batch, rules, of, explained, budget)


def cut(found: Steps, row: int, translation: Translation, method: str, target: str) -> Contributions:
    """One translation of a batch, without padding."""
    count, begun = len(translation.target), 1 + len(translation.forced)
    source = readings(found, ("tokens",), row, count)[:, : len(translation.source)]
    decoder = readings(found, ("decoder_inputs",), row, count)
    return assembled(
        found, row, source, np.tril(decoder[:, begun : begun + count - 1], -1), decoder[:, :begun].sum(1),
        translation.source, translation.target, method, target,
    )  # fmt: skip


def assembled(
    found: Steps, row: int, source: NDArray[np.float64], earlier: NDArray[np.float64], beginning: NDArray[np.float64],
    source_ids: Sequence[int], target_ids: Sequence[int], method: str, target: str,
) -> Contributions:  # fmt: skip
    """Contributions of a text from its parts; `earlier (step, step - 1)` lacks the last token, which no step has in front of it."""
    count = len(target_ids)
    accounts = {name: value[row, :count].numpy() for name, value in found.accounts.items()}

    def account(*names: str) -> NDArray[np.float64]:
        return sum((accounts[name] for name in names if name in accounts), np.zeros(count))

    prefix = np.zeros((count, count))
    prefix[:, :-1] = earlier
    value = found.target[row, :count].numpy()
    parts = {
        "positions": account("positions", "token_types"), "biases": account("biases"), "softmax": account("softmax"),
        "nonlinear": account("nonlinear", "epsilon"),
    }  # fmt: skip
    return Contributions(
        source_ids=np.array(source_ids, np.int64), target_ids=np.array(target_ids, np.int64),
        likeliest=found.likeliest[row, :count].numpy(), source=source, prefix=prefix, beginning=beginning, **parts,
        gap=value - source.sum(1) - prefix.sum(1) - beginning - sum(parts.values()), target_value=value,
        log_probability=found.log_probability[row, :count].numpy(), difference=float(found.difference[row]), method=method, target=target,
    )  # fmt: skip


def readings(found: Steps, kinds: Sequence[str], row: int, count: int) -> NDArray[np.float64]:
    """A text's readings of these kinds together `(step token)`."""
    return sum((found.by_token[kind][:count, row].numpy() for kind in kinds), np.zeros(1))
