"""What SQL alone does not answer: the statistics of a question over pairs of texts or over translations, by its name.

A question's own libraries are imported when it is asked, so that the others start in a blink.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

import polars as pl

from workbench.queries.question import Value
from workbench.queries.statistics import with_intervals
from workbench.store import Store

#: From the rows of a question's SQL and the values of its parameters to the answer.
Finish = Callable[[Store, pl.DataFrame, Mapping[str, Value]], pl.DataFrame]


def later(module: str, name: str) -> Finish:
    """A function of another module of this room, imported when it is called."""

    def finish(store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
        function: Finish = getattr(import_module(f"workbench.queries.{module}"), name)
        return function(store, frame, values)

    finish.__module__ = f"workbench.queries.{module}"  # an answer says where it is made
    return finish


def shares(*classes: str, group: tuple[str, ...] = ()) -> Finish:
    """Shares of classes of interactions."""

    def finish(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
        from workbench.queries.shares import of_interactions

        return of_interactions(frame, values, classes, group)

    return finish


def of_class(name: str, *, ordered: bool = False) -> Finish:
    """Shares, lifts and means of classes of words, in their own order where they have one."""

    def finish(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
        from workbench.queries.grammar import of_class as answer

        return answer(frame, values, name, ordered=ordered)

    finish.__module__ = "workbench.queries.grammar"
    return finish


def by_sentences(*classes: str, counted: str = "") -> Finish:
    """Means over steps, source tokens or sentences by class, with intervals over sentences."""

    def finish(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
        from workbench.queries.sentences import means

        return means(frame, values, classes, counted=counted)

    return finish


def similarities(_store: Store, frame: pl.DataFrame, _values: Mapping[str, Value]) -> pl.DataFrame:
    """Pairs by label, and all of them, with the rank correlation to people's judgement."""
    from workbench.queries.shares import EXPLAINED

    group = ["corpus", "languages", *EXPLAINED]
    both = pl.concat(
        [frame.with_columns(pl.lit("all").alias("label"), pl.lit(0).alias("place")), frame.with_columns(pl.lit(1).alias("place"))]
    )
    judged = pl.col("judged").is_not_null()
    whole = pl.col("similarity").sum()
    accounts = [pl.when(whole > 0).then(pl.col(name).sum() / whole).alias(name) for name in ("tokens", "positions", "biases", "softmax")]
    found = both.group_by(*group, "place", "label").agg(
        pl.len().alias("pairs"),
        pl.col("similarity").mean().alias("mean"),
        pl.corr(pl.col("similarity").filter(judged), pl.col("judged").filter(judged), method="spearman").fill_nan(None).alias("spearman"),
        judged.sum().alias("judged"),
        pl.col("similarity").min().alias("lowest"),
        pl.col("similarity").max().alias("highest"),
        *accounts,
        pl.col("gap").max().alias("largest_gap"),
        pl.col("coverage").min(),
        pl.col("cut").sum(),
    )
    only = pl.col("place").max().over(group) == 1
    named = found.filter(pl.col("label").is_not_null() & only)
    return named.sort(*group, "place", "label").drop("place").select(*group, "label", pl.exclude(*group, "label"))


def insensitivity_parts(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """Shares of the summed similarity by what the two words of a cell are to each other; means by pair of texts."""
    from workbench.queries.contrasts import GROUP
    from workbench.queries.shares import by_class, complete

    complete(frame, ["kind"], values)
    named = [*GROUP, "contrast", "meaning"]
    found = by_class(frame, named, ["kind"], values, per_pair=True).rename({"kind": "part"})
    first = [*named, "part", "share", "low", "high", "mean", "mean_low", "mean_high"]
    return found.select(*first, pl.exclude(first))


def strongest_interactions(store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """Pairs of words with intervals; refused where weak cells were not kept."""
    from workbench.queries.shares import complete

    if frame.is_empty():  # nothing may be left because weak cells are not there
        cut, pairs = store.sql("SELECT count(*) FILTER (left_kind = 'rest'), count(DISTINCT explanation) FROM interactions").row(0)
    else:
        cut, pairs = int(frame["cut"].to_numpy().max()), int(frame["all_pairs"].to_numpy().max())
    if pairs:
        complete(pl.DataFrame({"kind": ["rest"] * cut + ["word"] * (pairs - cut), "pair": range(pairs)}), ["kind"], values)
    answer = with_intervals(frame.drop("all_pairs"), resamples=int(str(values["resamples"])), seed=int(str(values["seed"])))
    return answer if values["rest"] == "report" else answer.drop("cut")


def special_share(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """Shares of accounts."""
    from workbench.queries.shares import EXPLAINED, by_class

    return by_class(frame, EXPLAINED, ["account"], values)


def insensitivity(_store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """Where the meaning flips and the similarity stays."""
    from workbench.queries.contrasts import insensitivity as of_contrasts

    return of_contrasts(frame, values)


def all_pairs(store: Store, _texts: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """Interactions summed over all pairs of stored texts."""
    from workbench.queries.all_pairs import of_values

    return of_values(store, dict(values)).frame


def top_interactions(store: Store, _texts: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """The strongest pairs of words over all pairs of stored texts."""
    from workbench.queries.top_interactions import of_values

    return of_values(store, dict(values))


def with_lexicon(values: Mapping[str, Value]) -> dict[str, Value]:
    """What categories of a lexicon need."""
    from workbench.queries.semantics.categories import with_lexicon as of_lexicon

    return of_lexicon(values)


FINISH: Mapping[str, Finish] = {
    "pos_pairs": shares("left_upos", "right_upos"),
    "relation_pairs": shares("left_relation", "right_relation"),
    "noun_noun_verb_verb": shares("classes", group=("group",)),
    "matched_by": shares("match", group=("languages",)),
    "special_share": special_share,
    "similarities": similarities,
    "insensitivity": insensitivity,
    "insensitivity_parts": insensitivity_parts,
    "model_difference": later("differences", "model_difference"),
    "strongest_interactions": strongest_interactions,
    "pair_interactions": later("any_pair", "of_found"),
    "relevance_by_upos": later("grammar", "by_upos"),
    "relevance_by_relation": of_class("relation"),
    "relevance_by_feature": of_class("feature"),
    "relevance_by_sentence_position": of_class("position", ordered=True),
    "relevance_by_document_position": of_class("position", ordered=True),
    "relevance_by_head_distance": of_class("distance", ordered=True),
    "relevance_by_negation": of_class("negation"),
    "relevance_by_modality": of_class("modality"),
    "phrases": later("semantics.phrases", "phrases"),
    "categories": later("semantics.categories", "categories"),
    "entities": later("semantics.categories", "entities"),
    "all_pairs": all_pairs,
    "top_interactions": top_interactions,
    "contributions_by_position": by_sentences("measure", "position", counted="steps"),
    "contributions_by_source_position": by_sentences("measure", "position", counted="tokens"),
    "contributions_by_group": by_sentences("measure", "group", counted="steps"),
    "word_order": by_sentences("identifier", "against", "measure"),
    "translation_quality": later("sentences", "qualities"),
    "translation_difference": later("sentences", "difference"),
}

#: What a question's SQL needs beside its parameters, made from them.
PREPARE: Mapping[str, Callable[[Mapping[str, Value]], dict[str, Value]]] = {"categories": with_lexicon}
