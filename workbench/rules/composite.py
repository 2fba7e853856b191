"""Composites: which rule is applied where. A stored name never changes its meaning; other numbers get another version."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from workbench import fingerprint
from workbench.errors import PropagationError


@dataclass(frozen=True, slots=True)
class Composite:
    """One choice of rules for a whole model.

    `attention`: `half` = AttnLRP's matrix product and softmax rules, `constant` = attention weights are constants, `gradient` =
    plain derivative. `normalization`: `constant` = the scale 1/std is a constant. `activation`: `identity` = f(x)/x. `product`:
    `half` = each factor gets half. `linear`: `zero` = LRP-0 (plain derivative), `epsilon` = LRP-epsilon with `epsilon` times the
    sign of the output as stabiliser.
    """

    name: str
    source: str
    attention: Literal["half", "constant", "gradient"]
    normalization: Literal["constant", "gradient"]
    activation: Literal["identity", "gradient"]
    product: Literal["half", "gradient"]
    linear: Literal["zero", "epsilon"] = "zero"
    epsilon: float = 0.0

    @property
    def fingerprint(self) -> str:
        """Identity of the numbers: name and rules, not the words that cite their source."""
        return fingerprint.of_json({name: value for name, value in asdict(self).items() if name != "source"})


COMPOSITES = {
    composite.name: composite
    for composite in (
        Composite(
            "gradient_x_input.v1",
            "Denil et al. 2014, 'Extraction of salient sentences from labelled documents'; Shrikumar et al. 2016 (gradient times input)",
            "gradient",
            "gradient",
            "gradient",
            "gradient",
        ),
        Composite(
            "cplrp.v1",
            "Ali et al. 2022, 'XAI for transformers', AH-rule (attention) and LN-rule (norms)",
            "constant",
            "constant",
            "identity",
            "half",
        ),
        Composite(
            "attnlrp.v1",
            "Achtibat et al. 2024, 'AttnLRP', eq. 8 (linear), 9 (identity), propositions 3.1 (softmax), 3.2-3.3 (products), 3.4 (norms)",
            "half",
            "constant",
            "identity",
            "half",
        ),
        Composite(
            "epsilon.v1",
            "Bach et al. 2015, 'On pixel-wise explanations', the epsilon rule (1e-6), with AttnLRP's rules outside linear layers",
            "half",
            "constant",
            "identity",
            "half",
            "epsilon",
            1e-6,
        ),
    )
}


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
