"""The work of one job of translations, a pure function from documents to a batch.

1. Each system encodes its sources; where its own output is explained it translates them, by beam search over many together.
2. Each system explains its targets (own output, reference, another text) by teacher-forced passes in batches.
3. Every different text is annotated once; outputs are judged beside their references.

What fails (no system for its languages, a text without tokens or longer than the window, a token outside the vocabulary) is recorded with
its reason, and the job goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.attribution.contributions import BUDGET, Contributions
from workbench.batch import Batch
from workbench.errors import InputError, WorkbenchError
from workbench.models.encoder import Encoder
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.declaration import Pipeline, TranslationChoice
from workbench.pipeline.frames import Rows
from workbench.pipeline.plan import Wanted
from workbench.pipeline.translation.choice import Systems, Unfit
from workbench.pipeline.translation.hypothesis import as_generated, text_of
from workbench.pipeline.translation.keep import Ready, keep
from workbench.pipeline.translation.systems import Source, System
from workbench.pipeline.worker import Told, no_one

#: The role of a text that a system made, before its name.
HYPOTHESIS = "hypothesis:"
#: Translations whose contributions are computed between two reports of progress.
TOGETHER = 32


class Job:
    """What of a job is still to do, and what has failed."""

    def __init__(self, items: Sequence[Wanted], systems: Systems) -> None:
        self.failures: list[tuple[Wanted, str, WorkbenchError]] = []
        self.by_system: dict[str, tuple[System, list[Wanted]]] = {}
        for item in items:
            found = next(one for one in systems.of(item.document) if one.name == item.model)
            if isinstance(found, Unfit):
                self.failures.append((item, "translate", found.error))
            else:
                self.by_system.setdefault(found.name, (found, []))[1].append(item)

    def fail(self, item: Wanted, stage: str, error: WorkbenchError) -> None:
        """Records a translation that cannot be explained."""
        self.failures.append((item, stage, error))


def work(
    items: Sequence[Wanted], systems: Systems, annotators: Annotators, encoder: Encoder | None, pipeline: Pipeline,
    told: Told = no_one, budget: int = BUDGET,
) -> Batch:  # fmt: skip
    """Translates and explains one job; what failed is in its failures. `budget` bounds the numbers of one gradient."""
    choice = pipeline.translation or TranslationChoice()
    job = Job(items, systems)
    explained: list[tuple[Ready, Contributions]] = []
    for system, wanted in job.by_system.values():
        ready = [*given(job, system, wanted), *translated(job, system, wanted, choice, told)]
        explained += contributions_of(job, system, ready, choice, told, budget)
    rows = Rows()
    keep(rows, explained, annotators, encoder, pipeline)
    for item, stage, error in job.failures:
        rows.failure(item.document, item.fingerprint, stage, error)
    return rows.batch()


def given(job: Job, system: System, wanted: Sequence[Wanted]) -> list[Ready]:
    """Targets that stand in the corpus."""
    ready = []
    for item in wanted:
        if item.role.startswith(HYPOTHESIS):
            continue
        try:
            text, source = segment(item), system.source(item.document.segments["source"])
            ready.append(Ready(item, system, source, system.target(source, text), text, None))
        except InputError as error:
            job.fail(item, "encode", error)
    return ready


def segment(item: Wanted) -> str:
    """The text of a role; InputError where the document has none."""
    if item.role not in item.document.segments:
        found = f"{item.document.identifier} with {', '.join(item.document.segments)}"
        raise InputError(f"explain the text {item.role}", found, "name another role as prefix under [translation]")
    return item.document.segments[item.role]


def translated(job: Job, system: System, wanted: Sequence[Wanted], choice: TranslationChoice, told: Told) -> list[Ready]:
    """The system's own outputs."""
    sources: list[tuple[Wanted, Source]] = []
    for item in wanted:
        if item.role.startswith(HYPOTHESIS):
            try:
                sources.append((item, system.source(item.document.segments["source"])))
            except InputError as error:
                job.fail(item, "encode", error)
    generated = system.translate([source for _, source in sources], choice.beams, told)
    ready = []
    for (item, source), ids in zip(sources, generated, strict=True):
        text = text_of(system.tokenizer, ids)
        target, other = as_generated(system.tokenizer, ids, text, system.read(source, text))
        ready.append(Ready(item, system, source, target, text, other))
    return ready


def contributions_of(
    job: Job, system: System, ready: Sequence[Ready], choice: TranslationChoice, told: Told, budget: int
) -> list[tuple[Ready, Contributions]]:
    """What every token of each translation took from where; some at a time, so that progress can be told."""
    fit = []
    for one in ready:
        problem = system.problem(one.source, one.target.ids)
        if problem is None:
            fit.append(one)
        else:
            job.fail(one.item, "explain", problem)
    explained: list[tuple[Ready, Contributions]] = []
    for part in (fit[start : start + TOGETHER] for start in range(0, len(fit), TOGETHER)):
        found = system.explain([(one.source, one.target.ids) for one in part], choice.method, choice.target, budget)
        explained += zip(part, found, strict=True)
        told(sum(0.5 if one.item.role.startswith(HYPOTHESIS) else 1.0 for one in part))
    return explained
