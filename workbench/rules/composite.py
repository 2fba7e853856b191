"""Composites: which rule is applied where. A stored name never changes its meaning; other numbers get another version."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Literal

from workbench import fingerprint
from workbench.errors import PropagationError

#: Fields that came after the first stored composites: they take part in the identity only where they differ from their default.
LATER = frozenset({"softmax", "scan", "position", "gamma", "alpha", "beta"})


@dataclass(frozen=True, slots=True)
class Composite:
    """One choice of rules for a whole model.

    `attention`: `half` = AttnLRP's matrix product and softmax rules, `constant` = attention weights are constants, `gradient` =
    plain derivative. `normalization`: `constant` = the scale 1/std is a constant. `activation`: `identity` = f(x)/x. `product`:
    `half` = each factor gets half, `signal` = a gate (the result of an activation) is a constant. `linear`: `zero` = LRP-0 (plain
    derivative), `epsilon` with `epsilon` times the sign of the output as stabiliser, `gamma` = positive contributions of a positive
    output (negative ones of a negative output) count 1 + `gamma` times, `alpha_beta` = positive and negative contributions share by
    `alpha` and `beta`. `softmax`: what happens to the bias of its expansion. `position`: `half` = rotary factors take half.
    `scan`: `constant` = the discretised parameters of a state space model are constants.
    """

    name: str
    source: str
    attention: Literal["half", "constant", "gradient"]
    normalization: Literal["constant", "gradient"]
    activation: Literal["identity", "gradient"]
    product: Literal["half", "signal", "gradient"]
    linear: Literal["zero", "epsilon", "gamma", "alpha_beta"] = "zero"
    epsilon: float = 0.0
    softmax: Literal["absorb", "omit", "distribute"] = "absorb"
    position: Literal["constant", "half"] = "constant"
    scan: Literal["constant", "gradient"] = "constant"
    gamma: float = 0.0
    alpha: float = 0.0
    beta: float = 0.0

    @property
    def fingerprint(self) -> str:
        """Identity of the numbers: name and rules, not the words that cite their source."""
        defaults = {part.name: part.default for part in fields(self) if part.name in LATER}
        chosen = {
            name: value for name, value in asdict(self).items() if name != "source" and (name not in defaults or value != defaults[name])
        }
        return fingerprint.of_json(chosen)

    @property
    def attention_account(self) -> str:
        """Where attention books what it does not conserve: what a rule of softmax absorbs, or the plain derivative leaves."""
        return "softmax" if self.attention == "half" else "nonlinear"

    @property
    def frozen(self) -> bool:
        """Whether the network is affine under these rules: attention, scales and ratios constant, linear layers plain."""
        kept = (self.attention, self.normalization, self.activation, self.linear, self.softmax)
        return kept == ("constant", "constant", "identity", "zero", "absorb") and self.position == "constant"


ATTNLRP = "Achtibat et al. 2024, 'AttnLRP', eq. 8 (linear), 9 (identity), propositions 3.1 (softmax), 3.2-3.3 (products), 3.4 (norms)"
BACH = "Bach et al. 2015, 'On pixel-wise explanations'"

COMPOSITES = {
    composite.name: composite
    for composite in (
        Composite(
            "gradient_x_input.v1",
            "Denil et al. 2014, 'Extraction of salient sentences from labelled documents'; Shrikumar et al. 2016 (gradient times input)",
            "gradient", "gradient", "gradient", "gradient", scan="gradient",
        ),
        Composite("cplrp.v1", "Ali et al. 2022, 'XAI for transformers', AH-rule (attention) and LN-rule (norms)",
                  "constant", "constant", "identity", "half"),
        Composite("bilrp.v1", "Eberle et al. 2020, 'BiLRP'; Vasileiou and Eberle 2024: attention, norm scale, activation ratios constant",
                  "constant", "constant", "identity", "half"),
        Composite("attnlrp.v1", ATTNLRP, "half", "constant", "identity", "half"),
        Composite("attnlrp_omit.v1", f"{ATTNLRP}; appendix on softmax: the bias is left out of the denominator",
                  "half", "constant", "identity", "half", softmax="omit"),
        Composite("attnlrp_distribute.v1", f"{ATTNLRP}; appendix on softmax: the bias is spread evenly over the inputs",
                  "half", "constant", "identity", "half", softmax="distribute"),
        Composite("palrp.v1", f"Bakish et al. 2025, 'PA-LRP' (rotary factors take half), with {ATTNLRP}",
                  "half", "constant", "identity", "half", position="half"),
        Composite("lrp0.v1", f"{BACH}, LRP-0; gates and attention weights take nothing (signal-takes-it-all, Arras et al. 2017)",
                  "constant", "constant", "identity", "signal"),
        Composite("epsilon.v1", f"{BACH}, the epsilon rule (1e-6), with AttnLRP's rules outside linear layers",
                  "half", "constant", "identity", "half", "epsilon", 1e-6),
        Composite("gamma.v1", "Montavon et al. 2019, 'Layer-wise relevance propagation: an overview', LRP-gamma (0.25) in linear layers, "
                  "generalised to negative outputs; AttnLRP's rules outside", "half", "constant", "identity", "half", "gamma", gamma=0.25),
        Composite("alpha_beta.v1", f"{BACH}, alpha-beta rule with alpha = beta = 1/2 of both signs, as Voita et al. 2021 for source and "
                  "target contributions; attention weights and norm scales constant", "constant", "constant", "identity", "half",
                  "alpha_beta", alpha=0.5, beta=0.5),
        Composite("mambalrp.v1", "Jafari et al. 2024, 'MambaLRP': discretised parameters, norm scale and SiLU ratio constant, gates half",
                  "constant", "constant", "identity", "half"),
        Composite("relp.v1", "Jafari et al. 2025, 'RelP': LN-rule, identity rule and half rule, attention at its plain derivative",
                  "gradient", "constant", "identity", "half"),
    )
}  # fmt: skip


def composite(name: str | Composite) -> Composite:
    """The composite of this name; without a version (`attnlrp`) the newest one.

    Raises PropagationError for a name that is not registered.
    """
    if isinstance(name, Composite):
        return name
    if name in COMPOSITES:
        return COMPOSITES[name]
    versions = sorted(known for known in COMPOSITES if known.rpartition(".v")[0] == name)
    if not versions:
        raise PropagationError(f"use the composite {name!r}", f"composites {', '.join(sorted(COMPOSITES))}", "choose one of these")
    return COMPOSITES[versions[-1]]
