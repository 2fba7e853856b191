"""Parts with synthetic content, as runs leave them."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.batch import Batch
from workbench.store import synthetic
from workbench.store.parts import part
from workbench.store.parts.part import Numbers, Part
from workbench.store.parts.parts import Parts
from workbench.store.prepared import Preparation

NAMES = [f"document-{number}" for number in range(6)]
NOTHING: dict[str, list[object]] = {"corpora": [], "models": [], "composites": []}


def batches() -> list[Batch]:
    """New documents, more of them, one edited, and some edited with other words."""
    return [
        synthetic.batch(NAMES[:2]),
        synthetic.batch(NAMES[2:5]),
        synthetic.batch(NAMES[1:2], version=1),
        synthetic.batch(NAMES[3:], version=1, annotator="second"),
    ]


def begun(parts: Parts, documents: int = 10) -> Numbers:
    """A run that has begun."""
    return parts.begin_run("test", {}, {}, NOTHING, documents=documents, explanations=20 * documents)


def written(parts: Parts, preparation: Preparation, batch: Batch, work: str = "ab" * 32) -> Part:
    """A part of a run of its own, written and not committed."""
    return part.write(parts.place, preparation.prepare(batch), begun(parts), work, {"explained": len(batch["document"])})


def filled(parts: Parts, preparation: Preparation, content: Sequence[Batch]) -> None:
    """A run for each batch."""
    for batch in content:
        one = written(parts, preparation, batch)
        parts.commit([one])
        parts.end_run(one.run, "finished", {"explained": one.documents})
