"""Rules of one's own: for a torch function, or for every module of a class.

`identity`: elementwise with f(0) = 0, relevance passes unchanged (AttnLRP, Achtibat et al. 2024, eq. 9); `linear`: its own derivative is
the rule; `constant`: nothing flows through it. Registered rules hold for the process, for every composite but the plain gradient, until
they are forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

from workbench.errors import PropagationError
from workbench.rules import activations
from workbench.rules.activation import Ratio, quotient

Rule = Literal["identity", "linear", "constant"]

FUNCTIONS: dict[Callable[..., Any], tuple[Rule, Ratio]] = {}
CONSTANT_CLASSES: set[str] = set()


def register_function(function: Callable[..., Any], rule: Rule, ratio: Ratio = quotient) -> None:
    """Gives a torch function a rule; `ratio(x, f(x))` gives f(x)/x for the identity rule, in closed form where one is known.

    Raises PropagationError for an unknown rule.
    """
    refuse_unknown(rule, get_args(Rule))
    FUNCTIONS[function] = (rule, ratio)


def register_module(class_name: str, rule: Rule, ratio: Ratio = quotient) -> None:
    """Gives modules of a class a rule, `identity` (their parts are not seen) or `constant` (their inputs are constants).

    Raises PropagationError for another rule: a linear module's functions are met one by one.
    """
    refuse_unknown(rule, ("identity", "constant"))
    forget(class_name)
    if rule == "constant":
        CONSTANT_CLASSES.add(class_name)
    else:
        activations.RATIOS[class_name] = ratio


def forget(registered: Callable[..., Any] | str) -> None:
    """Takes back the rule registered for a function or a class name; without one nothing happens."""
    if isinstance(registered, str):
        CONSTANT_CLASSES.discard(registered)
        if registered not in activations.BUILT_IN:
            activations.RATIOS.pop(registered, None)
    else:
        FUNCTIONS.pop(registered, None)


def refuse_unknown(rule: str, known: tuple[str, ...]) -> None:
    """Raises PropagationError for a rule that is none of the known ones."""
    if rule not in known:
        raise PropagationError(f"register the rule {rule!r}", f"rules {', '.join(known)}", "choose one of these")
