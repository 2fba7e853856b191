"""Suspects: features whose relevance is concentrated in one class beyond what the labels explain, each with examples and a test."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.queries.answer import Answer
from workbench.queries.evidence import Evidence, Lead, cql, value_as_sql
from workbench.queries.keyness.groups import Values
from workbench.queries.opening import opened
from workbench.queries.shortcuts.commands import tested_by
from workbench.queries.shortcuts.features import ASKED, TEXTUAL, Features, features
from workbench.queries.shortcuts.reliance import judge, of_answers, permuted, pull_intervals, pulls, strata
from workbench.queries.trust import trust
from workbench.store import Store
from workbench.viz.figures import interval

LEVEL = 0.05
#: A suspect passes from this pull on (its lower end), and a word from this share of the relevance where it stands.
LEAST_PULL, LEAST_SHARE = 0.4, 0.1
PERMUTATIONS, RESAMPLES, SHUFFLES = 999, 1_000, 20
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Shortcuts(Answer):
    """Shortcuts, the first ones most suspicious; `passing` counts those that pass, `null` those that pass with shuffled answers.

    `frame` has kind, item, class (that it carries), passes, pull with its 95 % interval (rate of the answer with and without the feature,
    among documents of one label), p_adjusted (over all features and classes), share (of the relevance for the class, where it stands),
    concentration (share of its relevance in documents answered so) beside labelled (share of its documents that are labelled so),
    documents, examples (identifiers, wrong answers first), edit (mask, move, length; none for what the model never reads), test (what is
    done, in words) and command, which does it; where no edit of the text is a test, command leads to words that stand for the suspect.
    """

    passing: int = 0
    tested: int = 0
    null: tuple[int, ...] = ()

    @property
    def control(self) -> str:
        """What passes, and what passes where there is nothing to be found."""
        alarms = sum(number > 0 for number in self.null)
        said = f"{self.passing:,} of {self.tested:,} pass"
        return f"{said}; with answers shuffled within labels, any in {alarms} of {len(self.null)} shuffles" if self.null else said

    @property
    def brief(self) -> Answer:
        """The same with the columns that a terminal has room for."""
        frame = self.frame
        ends = [interval(low, high, 2) for low, high in frame.select("pull_low", "pull_high").iter_rows()]
        short = pl.col("item").str.replace(r"^(strongest in|strongest|metadata\.)\s*", "")
        columns = {
            "passes": ["yes" if passes else "no" for passes in frame["passes"]], "class": frame["class"], "pull": frame["pull"],
            "95 %": pl.Series(ends, dtype=pl.String), "p": frame["p_adjusted"], "share": frame["share"], "docs": frame["documents"],
            "test": frame["edit"], "item": frame.select(pl.format("{}: {}", "kind", short)).to_series(),
        }  # fmt: skip
        return replace(self, frame=pl.DataFrame(columns))


def shortcuts(
    store: Store | str | os.PathLike[str],
    *,
    model: str | None = None,
    composite: str | None = None,
    role: str | None = None,
    where: Mapping[str, Values] | None = None,
    minimum_documents: int = 10,
    least_pull: float = LEAST_PULL,
    limit: int | None = 20,
    permutations: int = PERMUTATIONS,
    shuffles: int = SHUFFLES,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Shortcuts:
    """Words, tags, punctuation, places, lengths and metadata that carry a class beyond what the labels explain, most suspicious first.

    A suspect passes where its adjusted p is at most 0.05, its pull at least `least_pull` at the lower end of its interval, and, for what
    stands in the text, its share of the relevance at least 0.1. It says what a model relies on, not whether that is wrong: look at the
    examples, and test it by its command. Documents should be held out from training. Raises StoreError where no class is explained.
    """
    if not 0 <= least_pull <= 1 or permutations < 99 or (limit is not None and limit < 0):
        given = f"least_pull {least_pull:g}, {permutations} permutations, the limit {limit}"
        raise InputError(ASKED, given, "give a pull from 0 to 1, 99 permutations at least, and a limit of 0 (all) or more")
    with opened(store) as reader:
        found = features(
            reader, model=model, composite=composite, role=role, where=where or {}, minimum_documents=minimum_documents, seed=seed
        )
        trusted = trust(reader, model=found.model, composite=found.composite)
        path = str(reader.path)
    classes, codes = np.unique(found.predicted, return_inverse=True)
    labels, codes = strata(found.gold), codes.astype(np.int64)
    textual = found.names["kind"].is_in(TEXTUAL).to_numpy()
    values = found.present.copy()
    values.data = np.where(np.repeat(textual, np.diff(values.indptr)), found.share.data, 1.0)
    z, adjusted, nulls = judge(values, codes, labels, len(classes), permutations=permutations, seed=seed)
    best = z.argmax(1) if len(z) else np.zeros(0, np.int64)
    rows = np.arange(len(best))
    order = np.lexsort((-z[rows, best], adjusted[rows, best]))
    shown = order[: max(limit, 100)] if limit else order
    frame = framed(found, classes, codes, labels, shown, best[shown], adjusted[shown, best[shown]], least_pull, resamples, seed, path)
    threshold = float(np.quantile(nulls, 1 - LEVEL)) if len(nulls) else np.inf
    null = shuffled_passes(found, values, codes, labels, len(classes), threshold, least_pull, shuffles, seed)
    answer = Shortcuts(
        title="shortcuts: what carries a class beyond what the labels explain",
        frame=frame.head(limit) if limit else frame,
        trust=trusted,
        sql=found.explained,
        method=f"{permutations:,} permutations within labels, {resamples:,} bootstrap resamples, in Python (workbench.queries.shortcuts)",
        evidence=ShortcutEvidence("word_relevance", "true", explained=found.explained),
        total=len(order),
        parameters={"model": found.model, "composite": found.composite, "role": role},
        passing=int(frame["passes"].sum()),
        tested=len(order),
        null=null,
    )
    notices = [answer.control, "what a model relies on, not whether that is wrong: read the examples, and test a suspect by its command"]
    if not any(found.gold):
        notices.append("no document has a label: nothing is known of what labels explain")
    if found.all_documents > len(codes):
        notices.append(f"{len(codes):,} of {found.all_documents:,} documents, drawn at random")
    return replace(answer, notices=tuple(notices))


def framed(
    found: Features, classes: NDArray[np.str_], codes: NDArray[np.int64], labels: NDArray[np.int64], shown: NDArray[np.int64],
    best: NDArray[np.int64], adjusted: NDArray[np.float64], least_pull: float, resamples: int, seed: int, path: str,
) -> pl.DataFrame:  # fmt: skip
    """The rows of some features, those that pass first."""
    pull, low, high = pull_intervals(found.present, codes, labels, shown, best, resamples=resamples, seed=seed)
    rows: list[dict[str, Any]] = []
    for place, (feature, answered) in enumerate(zip(shown.tolist(), best.tolist(), strict=True)):
        kind, item = found.names.select("kind", "item").row(feature)
        here = np.zeros(len(codes), dtype=np.bool_)
        mass = np.zeros(len(codes))
        span = slice(found.present.indptr[feature], found.present.indptr[feature + 1])
        here[found.present.indices[span]] = True
        span = slice(found.share.indptr[feature], found.share.indptr[feature + 1])
        mass[found.share.indices[span]] = found.share.data[span]
        chosen, textual = here & (codes == answered), kind in TEXTUAL
        share = float(mass[chosen].mean()) if textual and chosen.any() else None
        passes = adjusted[place] <= LEVEL and low[place] >= least_pull and (share is None or share >= LEAST_SHARE)
        wrong = (found.gold != classes[answered]) & (found.gold != "")
        first = np.lexsort((-mass[chosen], ~wrong[chosen]))[:EXAMPLES]
        examples = np.flatnonzero(chosen)[first].tolist()
        rows.append({
            "kind": kind, "item": item, "class": str(classes[answered]), "passes": bool(passes), "pull": pull[place],
            "pull_low": low[place], "pull_high": high[place], "p_adjusted": adjusted[place], "share": share,
            "concentration": float(mass[chosen].sum() / mass.sum()) if textual and mass.sum() > 0 else float(chosen.sum() / here.sum()),
            "labelled": float((found.gold[here] == classes[answered]).mean()) if any(found.gold) else None,
            "documents": int(here.sum()), "examples": [found.documents["identifier"][document] for document in examples],
            **tested_by(kind, item, str(classes[answered]), path, found.words[here], found.words[~here]),
        })  # fmt: skip
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "kind": pl.String, "item": pl.String, "class": pl.String, "passes": pl.Boolean, "pull": pl.Float64, "pull_low": pl.Float64,
        "pull_high": pl.Float64, "p_adjusted": pl.Float64, "share": pl.Float64, "concentration": pl.Float64, "labelled": pl.Float64,
        "documents": pl.Int64, "examples": pl.List(pl.String), "edit": pl.String, "test": pl.String, "command": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("pull_low", "pull_high").fill_nan(None))
    return frame.sort(~pl.col("passes"), pl.col("p_adjusted") > LEVEL, -pl.col("pull_low"), -pl.col("share"), "item", nulls_last=True)


def shuffled_passes(
    found: Features, values: Any, codes: NDArray[np.int64], labels: NDArray[np.int64], classes: int, threshold: float, least_pull: float,
    shuffles: int, seed: int,
) -> tuple[int, ...]:  # fmt: skip
    """How many features would pass where answers are shuffled within labels, one number for each shuffle."""
    if not shuffles or not values.shape[0]:
        return (0,) * shuffles
    drawn = permuted(codes, labels, shuffles, np.random.default_rng([seed, 6]))
    numbers = []
    for answers in drawn.T:
        z = of_answers(values, answers, labels, classes)
        best = z.argmax(1)
        kept = np.flatnonzero(z.max(1) > threshold)
        pull = pulls(found.present, answers, labels, kept, best[kept], np.ones((1, len(answers))))[0]
        numbers.append(int((pull >= least_pull).sum()))
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class ShortcutEvidence(Evidence):
    """The occurrences of a suspect in the documents that the model answers with its class; of what is no word the examples."""

    explained: str = ""

    def lead(self, row: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> Lead:
        """What stands behind one row."""
        if row["kind"] not in TEXTUAL:
            names = value_as_sql(list(row.get("examples") or []))
            return Evidence("documents", f"list_contains({names}, identifier)").lead({"document": None, **row}, parameters)
        answered = f"SELECT explanation FROM ({self.explained}) x WHERE x.predicted = {value_as_sql(row['class'])}"
        condition = f"w.kind = 'word' AND lower(nfc_normalize(w.form)) = {value_as_sql(row['item'])} AND w.explanation IN ({answered})"
        found = Evidence(f"(SELECT w.* FROM word_relevance w WHERE {condition})", "true", value="relevance").lead(row, parameters)
        return replace(found, pattern=f"[form={cql(str(row['item']), 'c')} & explained={cql(str(row['class']))}]")
