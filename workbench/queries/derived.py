"""What SQL alone does not answer: the statistics of a question over pairs of texts or over translations, by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from workbench.queries.all_pairs import of_values as of_all_pairs
from workbench.queries.any_pair import of_found
from workbench.queries.contrasts import GROUP, insensitivity
from workbench.queries.differences import model_difference
from workbench.queries.question import Value
from workbench.queries.semantics.categories import categories, entities, with_lexicon
from workbench.queries.semantics.phrases import phrases
from workbench.queries.sentences import difference, means, qualities
from workbench.queries.shares import EXPLAINED, by_class, complete, of_interactions
from workbench.queries.statistics import with_intervals
from workbench.queries.top_interactions import of_values as of_top
from workbench.store import Store

#: From the rows of a question's SQL and the values of its parameters to the answer.
Finish = Callable[[Store, pl.DataFrame, Mapping[str, Value]], pl.DataFrame]


def shares(*classes: str, group: tuple[str, ...] = ()) -> Finish:
    """Shares of classes of interactions."""
    return lambda _store, frame, values: of_interactions(frame, values, classes, group)


def by_sentences(*classes: str, counted: str = "") -> Finish:
    """Means over steps, source tokens or sentences by class, with intervals over sentences."""
    return lambda _store, frame, values: means(frame, values, classes, counted=counted)


def similarities(_store: Store, frame: pl.DataFrame, _values: Mapping[str, Value]) -> pl.DataFrame:
    """Pairs by label, and all of them, with the rank correlation to people's judgement."""
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
    complete(frame, ["kind"], values)
    named = [*GROUP, "contrast", "meaning"]
    found = by_class(frame, named, ["kind"], values, per_pair=True).rename({"kind": "part"})
    first = [*named, "part", "share", "low", "high", "mean", "mean_low", "mean_high"]
    return found.select(*first, pl.exclude(first))


def strongest_interactions(store: Store, frame: pl.DataFrame, values: Mapping[str, Value]) -> pl.DataFrame:
    """Pairs of words with intervals; refused where weak cells were not kept."""
    if frame.is_empty():  # nothing may be left because weak cells are not there
        cut, pairs = store.sql("SELECT count(*) FILTER (left_kind = 'rest'), count(DISTINCT explanation) FROM interactions").row(0)
    else:
        cut, pairs = int(frame["cut"].to_numpy().max()), int(frame["all_pairs"].to_numpy().max())
    if pairs:
        complete(pl.DataFrame({"kind": ["rest"] * cut + ["word"] * (pairs - cut), "pair": range(pairs)}), ["kind"], values)
    answer = with_intervals(frame.drop("all_pairs"), resamples=int(str(values["resamples"])), seed=int(str(values["seed"])))
    return answer if values["rest"] == "report" else answer.drop("cut")


FINISH: Mapping[str, Finish] = {
    "pos_pairs": shares("left_upos", "right_upos"),
    "relation_pairs": shares("left_relation", "right_relation"),
    "noun_noun_verb_verb": shares("classes", group=("group",)),
    "matched_by": shares("match", group=("languages",)),
    "special_share": lambda _store, frame, values: by_class(frame, EXPLAINED, ["account"], values),
    "similarities": similarities,
    "insensitivity": lambda _store, frame, values: insensitivity(frame, values),
    "insensitivity_parts": insensitivity_parts,
    "model_difference": model_difference,
    "strongest_interactions": strongest_interactions,
    "pair_interactions": of_found,
    "phrases": phrases,
    "categories": categories,
    "entities": entities,
    "all_pairs": lambda store, _texts, values: of_all_pairs(store, dict(values)).frame,
    "top_interactions": lambda store, _texts, values: of_top(store, dict(values)),
    "contributions_by_position": by_sentences("measure", "position", counted="steps"),
    "contributions_by_source_position": by_sentences("measure", "position", counted="tokens"),
    "contributions_by_group": by_sentences("measure", "group", counted="steps"),
    "word_order": by_sentences("identifier", "against", "measure"),
    "translation_quality": qualities,
    "translation_difference": difference,
}

#: What a question's SQL needs beside its parameters, made from them.
PREPARE: Mapping[str, Callable[[Mapping[str, Value]], dict[str, Value]]] = {"categories": with_lexicon}
