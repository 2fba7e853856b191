"""One examination of a model: value, ledgers, operations, tokenizer, cost, and whether anything is left behind."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from workbench.errors import PropagationError
from workbench.models.encode import TokenizerLoss, tokenizer_losses
from workbench.models.model import Model
from workbench.pipeline.checkup.anatomy import Anatomy, anatomy
from workbench.pipeline.checkup.cases import SAID, Case, case
from workbench.pipeline.checkup.conservation import BARS, Row, row
from workbench.pipeline.checkup.cost import LENGTH, Pass, passes
from workbench.pipeline.checkup.interference import equal, gradients, neighbour, state
from workbench.pipeline.checkup.samples import TEXTS
from workbench.rules.census import Census, census

COMPOSITES = ("attnlrp.v1", "cplrp.v1", "palrp.v1", "lrp0.v1", "gradient_x_input.v1")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the tokenizer reads one text: tokens, the share it sees, and what it loses."""

    text: str
    tokens: int
    coverage: float
    losses: tuple[TokenizerLoss, ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """All that one look found. `casts`: places where a float64 model computes in a narrower type; `untouched`: nothing was left behind."""

    anatomy: Anatomy
    target: str
    rows: tuple[Row, ...]
    operations: dict[str, int]
    casts: int
    readings: tuple[Reading, ...]
    passes: tuple[Pass, ...]
    length: int
    untouched: bool

    @property
    def exit_code(self) -> int:
        """0 all bars are met, 1 one is not, 2 something cannot be explained."""
        if any(one.refusal for one in self.rows):
            return 2
        return 0 if self.untouched and all(one.met for one in self.rows) else 1

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values, for other programs."""
        rows = [asdict(one) | {"met": one.met} for one in self.rows]
        return asdict(self) | {"rows": rows, "exit_code": self.exit_code}


def examine(model: Model, texts: Sequence[str] = TEXTS, composites: Sequence[str] = COMPOSITES) -> Examination:
    """Looks at a model through some texts under some composites.

    Raises InputError for a text without a token. An operation without a rule does not end the look: its row says so.
    """
    cases = [case(model, text) for text in texts]
    other = neighbour()
    before = other(), gradients(model.module, cases[0].inputs, cases[0].target), state(model.module)
    met, bar = counted(model, cases[0])
    rows = tuple(row(model, cases, name, bar) for name in composites)
    possible = [one.composite for one in rows if one.refusal is None]
    explained = COMPOSITES[0] if COMPOSITES[0] in possible else next(iter(possible), None)
    long = case(model, " ".join(texts) * LENGTH, LENGTH)
    costs = passes(model, long, explained) if explained else []
    after = other(), gradients(model.module, cases[0].inputs, cases[0].target), state(model.module)
    return Examination(
        anatomy=anatomy(model, met),
        target=SAID[model.task],
        rows=rows,
        operations=dict(met.calls.most_common()),
        casts=met.casts,
        readings=tuple(read(model, one) for one in cases),
        passes=tuple(costs),
        length=len(long.encoding),
        untouched=equal(before[0], after[0]) and equal(before[1], after[1]) and before[2] == after[2],
    )


def counted(model: Model, first: Case) -> tuple[Census, float]:
    """What the model's operations are, and the bar of the type that it computes in."""
    met = Census()
    with suppress(PropagationError):  # told by the rows, with its remedy; what was met before it is kept
        census(model.module, first.inputs, met)
    return met, BARS["float32" if met.casts else model.precision]


def read(model: Model, one: Case) -> Reading:
    """How the tokenizer reads a text."""
    losses = tokenizer_losses(model.tokenizer, one.text, one.encoding)
    return Reading(one.text, len(one.encoding), one.encoding.coverage, tuple(losses))
