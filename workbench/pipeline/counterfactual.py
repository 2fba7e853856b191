"""A counterfactual test from a store: the texts that a pattern finds, the model that explained them, edits, and the model's new answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from workbench.document import Word
from workbench.errors import InputError, PipelineError, StoreError
from workbench.evaluation.counterfactual import DRAWS, Case, Counterfactual, Edit
from workbench.evaluation.counterfactual import counterfactual as compare
from workbench.evaluation.removal import Text
from workbench.evaluation.subject import subject_of, texts_of
from workbench.models.ensemble import Ensemble, load_ensemble
from workbench.patterns import as_pattern, find
from workbench.patterns.attributes import KNOWN
from workbench.pipeline.declaration import Pipeline
from workbench.queries import Answer, trust
from workbench.store import Store
from workbench.store.connection import registered
from workbench.viz.figures import figure, interval, share

DOCUMENTS = 200
DONE: dict[Edit, str] = {"mask": "masked", "delete": "deleted", "swap": "swapped", "move": "moved", "length": "length changed"}

WORDS = """
SELECT w.document, w.role, w.word, w.char_start, w.char_end, w.form FROM words w
SEMI JOIN src_edited s ON s.document = w.document AND s.role = w.role ORDER BY w.document, w.role, w.word"""


@dataclass(frozen=True, slots=True)
class Tested:
    """The test of a pattern: what the edits do, of how many documents that hold it, the class that was asked for; as an answer."""

    found: Counterfactual
    pattern: str
    label: str | None
    documents: int
    matching: int
    answer: Answer


def counterfactual(
    store: Store,
    pattern: str,
    *,
    label: str | None = None,
    edit: Edit = "mask",
    swap: str | None = None,
    words: int | None = None,
    model: str | None = None,
    composite: str | None = None,
    role: str | None = None,
    documents: int = DOCUMENTS,
    draws: int = DRAWS,
    seed: int = 0,
    ensemble: Ensemble | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Tested:
    """Edits what `pattern` finds (a word, or CQL of one text) in at most `documents` documents and asks the model again.

    For the edit `length` the pattern finds the words that may be cut or repeated until a text has nearly so many `words`.
    `label` is the class whose probability is followed, in documents explained for it; without one each document's own answer.
    The model is loaded as the store's run declared it (or given) and must be the one that is stored. Raises StoreError and PipelineError.
    """
    asked = f"test {pattern}"
    refuse_what_is_not_read(asked, pattern)
    searched = as_pattern(pattern)
    hits = find(store, searched, model=model, composite=composite, role=role, limit=0, order="document")
    if hits.is_pair or hits.model is None:
        raise StoreError(asked, "no word of a text that a model explained", "give a pattern of one text in an explained corpus")
    loaded = ensemble or load(store, hits.model)
    if label is not None and label not in loaded.labels:
        raise StoreError(asked, f"no class {label}", f"choose one of {', '.join(loaded.labels)}")
    frame = hits.frame.filter(pl.col("explained") == label) if label is not None else hits.frame
    if frame.is_empty():
        raise StoreError(asked, "no document explained for that class holds it", f"look where it stands: workbench find {searched!r}")
    texts = frame.select("document", "role").unique(maintain_order=True)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(texts))[:documents])
    made = cases(store, frame.join(texts[chosen], on=["document", "role"]), loaded, label)
    subject = subject_of(loaded, replace=edit == "mask", seed=seed)

    def rewrite(written: str, spans: Sequence[tuple[int, int, str]]) -> Text:
        for start, end, other in reversed(spans):
            written = written[:start] + other + written[end:]
        return texts_of(loaded, [written], [[]])[0]

    found = compare(subject.remainders, made, edit, swap=swap, words=words, rewrite=rewrite, draws=draws, seed=seed, progress=progress)
    answer = Answer(
        title=f"counterfactual test: probability of {label or 'the own answer'}, before and after",
        frame=found.frame.sort("effect", "identifier", descending=[True, False]),
        trust=trust(store, model=hits.model, composite=hits.composite),
        sql=hits.sql,
        method=f"up to {documents:,} texts edited, {draws} random edits each, model asked again (workbench.pipeline.counterfactual)",
        notices=said(found, searched, label, len(texts)),
        parameters={"model": hits.model, "composite": hits.composite, "role": role},
    )
    return Tested(found, searched, label, len(found.frame), len(texts), answer)


def refuse_what_is_not_read(asked: str, pattern: str) -> None:
    """InputError for what stands beside the text: no edit of the text tests it."""
    named = pattern.partition("=")[0].strip()
    if named.startswith("metadata.") or (named in KNOWN and KNOWN[named].home == "document"):
        found = f"{named} is no part of the text: the model never reads it, so that no edit of the text can test it"
        raise InputError(asked, found, f"see which words stand for it, and test those: workbench keyness VALUE --by {named} --what form")


def said(found: Counterfactual, pattern: str, label: str | None, matching: int) -> tuple[str, ...]:
    """The finding in sentences."""
    whose = f"the probability of {label}" if label is not None else "the probability of the model's own answer"
    ends = f"effect {figure(found.effect, signed=True)} {interval(found.low, found.high)} (95 % over documents)"
    flips = f"answers that change: {share(found.flipped)}; with random edits {share(found.random_flipped)}"
    done, texts = DONE[found.edit], f"in {len(found.frame):,} of {matching:,} documents that hold it"
    if found.edit == "length":
        before, after = (float(found.frame[name].to_numpy().mean()) for name in ("words_before", "words_after"))
        verdict = "the model relies on length" if found.relied_on else "no more than the same words lost at one length"
        if found.high < 0:
            verdict = "the other length speaks for it more"
        return (
            f"from {before:.1f} to {after:.1f} words a text on average {texts}, by cutting or repeating words of {pattern}",
            f"{whose} falls by {figure(found.fall)}; by {figure(found.random_fall)} where repeats fill the gaps, at the same length",
            f"{ends}: {verdict}", flips,
        )  # fmt: skip
    moved = found.edit == "move"
    relied = "the model relies on where they stand, or beside what" if moved else "the model relies on it"
    verdict = relied if found.relied_on else "no more than random words of the same texts"
    away = " (each run to another place of its text, a fifth of it away at least)" if moved else ""
    return (
        f"{pattern} {done} {texts}{away}",
        f"{whose} falls by {figure(found.fall)}; by {figure(found.random_fall)} where as many random words are {done}",
        f"{ends}: {verdict}", flips,
    )  # fmt: skip


def cases(store: Store, frame: pl.DataFrame, ensemble: Ensemble, label: str | None) -> list[Case]:
    """Every text with the words that were found in it, asked for a class or for its own answer."""
    wanted = frame.select("document", "role").unique(maintain_order=True)
    with registered(store.connection, "src_edited", wanted):
        words = store.sql(WORDS)
        texts = store.sql("SELECT document, role, text FROM segments SEMI JOIN src_edited USING (document, role)")
    written = {(document, role): text for document, role, text in texts.iter_rows()}
    of_text: dict[tuple[int, str], list[Word]] = {}
    for document, role, word, start, end, form in words.iter_rows():
        of_text.setdefault((document, role), []).append(Word(word, start, end, form))
    found = []
    asked = None if label is None else ensemble.labels.index(label)
    for (document, role, identifier), part in frame.group_by("document", "role", "identifier", maintain_order=True):
        key: Any = document, role
        (text,) = texts_of(ensemble, [written[key]], [of_text.get(key, [])])
        edited = {word for start, end in part.select("match_start", "match_end").iter_rows() for word in range(start, end + 1)}
        places = tuple(place for place, word in enumerate(text.words) if word.index in edited)
        found.append(Case(str(identifier), written[key], text, places, asked))
    return found


def load(store: Store, model: str) -> Ensemble:
    """The ensemble or classifier that a run of the store declared under this name; PipelineError where it is another one now."""
    asked = f"load the model {model}"
    kept = dict(store.sql("SELECT name, fingerprint FROM models").iter_rows())
    for (parameters,) in store.sql("SELECT parameters FROM runs ORDER BY run DESC").iter_rows():
        declared = Pipeline.model_validate(json.loads(parameters))
        if declared.similarity is not None or declared.translation is not None:
            continue
        choice = declared.model
        found = load_ensemble(choice.name, revision=choice.revision, precision=choice.precision)
        if found.name != model:
            continue
        if found.fingerprint != kept.get(model):
            raise PipelineError(asked, "other weights than those that the store explains", "run the pipeline again, or restore the weights")
        return found
    raise PipelineError(asked, "no run of this store that loads it", "name the ensemble that a run explained, not one of its members")
