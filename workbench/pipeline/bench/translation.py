"""What contributions of translations cost: beside teacher-forced passes of the model, and beside inseq, in turns of one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import nn

from workbench.attribution.contributions import METHODS, contributions
from workbench.attribution.translations import Translation, step_inputs
from workbench.corpora import find, read
from workbench.errors import InputError
from workbench.models.translation import Translator, load_translator, source_of, target_of
from workbench.pipeline.bench import neighbour
from workbench.pipeline.bench.clock import Work, clock, ratio
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.passes import backward, forward

Seconds: TypeAlias = Callable[[], float]
FORWARD, BOTH = "forward pass", "forward and backward pass"
GRADIENT, INTEGRATED = "inseq, input × gradient", "inseq, integrated gradients (20)"
TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Sample:
    """Sentences with their translations: as text, and as the model's tokens."""

    sources: Sequence[str]
    targets: Sequence[str]
    translations: Sequence[Translation]


def translation(
    model: str = "translation-fr-en", interpreter: str | None = None, *, corpus: str = "multi30k", length: int = 20, sentences: int = 16,
    repetitions: int = 2,
) -> Iterator[Finding]:  # fmt: skip
    """Costs for references of about `length` tokens, one at a time and in batches; with `interpreter`, inseq's beside them.

    Raises ModelError for an unknown model, CorpusError for absent data, InputError where inseq cannot be run.
    """
    torch.set_num_threads(1)
    translator = load_translator(model)
    chosen = sample(translator, corpus, length, sentences)
    place = str(getattr(translator.module, "name_or_path", model))
    with neighbour.running(interpreter, place) if interpreter else nullcontext() as other:
        yield from singly(translator, chosen, other, repetitions)
        yield from together(translator, chosen, other, repetitions)


def sample(translator: Translator, corpus: str, length: int, count: int) -> Sample:
    """The `count` pairs, none of a training part, whose reference has the number of tokens nearest to `length`."""
    found = []
    for document in read(find(corpus)):
        if document.split == "train":
            continue
        source, target = document.segments["source"], document.segments["reference"]
        try:
            ids = Translation(source_of(translator, source).ids, target_of(translator, target).ids, translator.forced)
        except InputError:
            continue
        found.append((abs(len(ids.target) - length), document.identifier, source, target, ids))
    if not found:
        raise InputError(f"measure translations of {corpus}", "no sentence that the model can take", "name another corpus")
    best = sorted(found, key=lambda one: one[:2])[:count]
    return Sample([one[2] for one in best], [one[3] for one in best], [one[4] for one in best])


def singly(translator: Translator, chosen: Sample, other: neighbour.Inseq | None, repetitions: int) -> Iterator[Finding]:
    """Costs of one sentence after the other: every method, the model's own passes, and inseq."""
    ones = [[one] for one in chosen.translations]
    things = own(translator, ones, METHODS)
    if other is not None:
        things[GRADIENT] = lambda: other.seconds("input_x_gradient", chosen.sources, chosen.targets)
        things[INTEGRATED] = lambda: integrated(other, chosen)
    yield from findings(translator, chosen, "one at a time", turns(things, repetitions), GRADIENT, 1.0)


def integrated(other: neighbour.Inseq, chosen: Sample, measured: int = 2) -> float:
    """Integrated gradients with 20 steps by inseq, measured on few sentences: as many seconds as all would take."""
    sources, targets = chosen.sources[:measured], chosen.targets[:measured]
    return other.seconds("integrated_gradients", sources, targets, n_steps=20) * len(chosen.sources) / len(sources)


def together(translator: Translator, chosen: Sample, other: neighbour.Inseq | None, repetitions: int) -> Iterator[Finding]:
    """Costs of the same sentences as a corpus: batches here, inseq one at a time and in its own batches."""
    batches = [chosen.translations[start : start + TOGETHER] for start in range(0, len(chosen.translations), TOGETHER)]
    things = own(translator, batches, METHODS)
    if other is not None:
        things[GRADIENT] = lambda: other.seconds("input_x_gradient", chosen.sources, chosen.targets)
        name = f"inseq, input × gradient, batches of {TOGETHER}"
        things[name] = lambda: other.seconds("input_x_gradient", chosen.sources, chosen.targets, TOGETHER)
    yield from findings(translator, chosen, f"in batches of {TOGETHER}", turns(things, repetitions), GRADIENT, 5.0)


def own(translator: Translator, batches: Sequence[Sequence[Translation]], methods: Sequence[str]) -> dict[str, Seconds]:
    """The model's passes over batches and the contributions of each method."""
    module = translator.module
    things: dict[str, Work] = {FORWARD: partial(every, translator, batches, forward), BOTH: partial(every, translator, batches, backward)}
    for method in methods:
        things[method] = partial(contributed, module, batches, method)
    return {name: partial(timed, work) for name, work in things.items()}


def contributed(module: nn.Module, batches: Sequence[Sequence[Translation]], method: str) -> None:
    """Contributions of each batch by a method."""
    for batch in batches:
        contributions(module, batch, method, together=TOGETHER)


def timed(work: Work) -> float:
    """CPU seconds of a piece of work."""
    started = clock()
    work()
    return clock() - started


def turns(things: Mapping[str, Seconds], repetitions: int) -> dict[str, list[float]]:
    """Seconds of each by round, in turns, after a first round that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in things}
    for repetition in range(repetitions + 1):
        for name, thing in things.items():
            seconds = thing()
            if repetition:
                taken[name].append(seconds)
    return taken


def findings(
    translator: Translator, chosen: Sample, how: str, taken: Mapping[str, list[float]], rival: str, bar: float
) -> Iterator[Finding]:
    """A row for each thing: milliseconds a sentence, ratios to the model's passes, and how many times faster than the rival."""
    count = len(chosen.translations)
    tokens = statistics.mean(len(one.target) for one in chosen.translations)
    part = f"contributions {how}: {translator.name}, {count} sentences, one thread"
    for name, seconds in taken.items():
        beside = {"ms/sentence": 1000 * statistics.median(seconds) / count, "/(f+b)": ratio(seconds, taken[BOTH])}
        if rival in taken:
            beside["inseq/this"] = ratio(taken[rival], seconds)
        yield Finding(part, f"{tokens:.1f} tokens", name, "/forward", ratio(seconds, taken[FORWARD]), beside=beside)
    if rival in taken:
        faster = ratio(taken[rival], taken[METHODS[0]])
        yield Finding(f"{METHODS[0]} {how}, beside {rival}", f"{tokens:.1f} tokens", METHODS[0], "times faster", faster, bar, least=True)


def every(translator: Translator, batches: Sequence[Sequence[Translation]], run: Callable[[nn.Module, Mapping[str, Any]], Any]) -> None:
    """A plain teacher-forced pass of each batch; backward, one derivative to all looked-up embeddings."""
    for batch in batches:
        run(translator.module, step_inputs(translator.module, batch).inputs)
