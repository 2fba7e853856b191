"""From a store to the report on similarity of its last run: the queries that the page is made of, gathered once."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from workbench.models.places import known_as
from workbench.pipeline.provenance import losses, provenance
from workbench.pipeline.report_index import Asked, behind, following, tables
from workbench.queries import Answer, answer, query
from workbench.queries.pairs import of_row
from workbench.store import Store
from workbench.viz.figures import figure
from workbench.viz.index import Index
from workbench.viz.pair import Pair
from workbench.viz.retrieval import Retrieval, from_pairs
from workbench.viz.similarity_data import ASSOCIATION, SimilarityReport

#: Pairs shown of each label, queries shown with their passages, and pairs of words that are named.
EXAMPLES, QUERIES, NAMED = 2, 6, 20
#: Pairs of words: from how many pairs of texts on, and how many stand in the long table.
STRONGEST = {"minimum_pairs": 2, "limit": 300}
CLOSED = 1e-4
QUESTIONS = (
    (
        "Which parts of speech carry the similarity?",
        """SELECT left_upos, right_upos, sum(relevance) AS relevance, count(*) AS interactions
  FROM interactions
 WHERE model = '{model}' AND left_kind = 'word' AND right_kind = 'word'
 GROUP BY ALL ORDER BY relevance DESC LIMIT 20""",
    ),
    (
        "Which different words meet?",
        """SELECT left_lemma, right_lemma, avg(relevance) AS mean, count(*) AS n
  FROM interactions
 WHERE model = '{model}' AND matched = 'other' GROUP BY ALL HAVING n >= 3 ORDER BY mean DESC LIMIT 20""",
    ),
    ("Does every ledger close?", "SELECT model, max(relative_gap) FROM explanations GROUP BY model"),
)


def similarity_data(store: Store, path: Path, run: Mapping[str, Any]) -> SimilarityReport:
    """The report's frames for one run of a pipeline that explains similarities."""
    declared = json.loads(run["parameters"])
    shown = {
        "corpus": declared["corpus"]["name"],
        "model": known_as(declared["model"]["name"]),
        "composite": declared["similarity"]["composite"],
    }
    rows = store.sql(
        "FROM pairs WHERE corpus = $corpus AND model = $model AND composite = $composite ORDER BY label, similarity DESC, identifier", shown
    )
    flips = None if declared["retrieval"] else contrasted(store, shown)
    closed = closure(store, shown)
    chosen = [of_row(store, row) for row in examples(rows).iter_rows(named=True)]
    rest = {"rest": "report"} if declared["similarity"]["strongest"] else {}
    words = {**shown, **STRONGEST, **rest}
    strongest = answer(store, "strongest_interactions", **words)
    data = SimilarityReport(
        title=declared["title"] or run["pipeline"],
        pairs=len(rows),
        overview=overview(store, shown),
        accounts=query(store, "special_share", **shown),
        pos_pairs=query(store, "pos_pairs", **shown, **rest),
        noun_verb=query(store, "noun_noun_verb_verb", **shown, **rest),
        matched_by=query(store, "matched_by", **shown, **rest),
        insensitivity=query(store, "insensitivity", **flips) if flips else None,
        insensitivity_points=query(store, "insensitivity_points", **flips) if flips else None,
        insensitivity_languages=(flips or {}).get("languages", ""),
        parts=query(store, "insensitivity_parts", **flips, **rest) if flips else None,
        strongest=strongest.frame.head(NAMED),
        index=words_index(store, path, strongest, words),
        closure=closed,
        trust=trust(closed),
        examples=() if declared["retrieval"] else tuple(chosen),
        retrievals=retrievals(store, rows) if declared["retrieval"] else (),
        losses=losses(store),
        failures=query(store, "failures", corpus=shown["corpus"]),
        provenance=provenance(store, run),
        queries=tuple((question, statement.format(model=shown["model"])) for question, statement in QUESTIONS),
        commands=commands(path, chosen),
        notices=(*declared["notes"], ASSOCIATION),
        selection=f"the {EXAMPLES} most similar and the {EXAMPLES} least similar pairs of each label",
        unit=declared["similarity"]["measure"],
        **shown,
    )
    return replace(data, follow=tables(data, path, asked_by_page(shown, flips or shown, rest, words)))


def asked_by_page(
    shown: Mapping[str, str], flips: Mapping[str, str], rest: Mapping[str, str], words: Mapping[str, object]
) -> tuple[Asked, ...]:
    """The tables and figures of the page, and the question that each of them asks."""
    return (
        ("accounts", "accounts", "special_share", shown),
        ("parts of speech", "pos_pairs", "pos_pairs", {**shown, **rest}),
        ("nouns and verbs", "noun_verb", "noun_noun_verb_verb", {**shown, **rest}),
        ("pairs of words", "strongest", "strongest_interactions", words),
        ("matches", "matched_by", "matched_by", {**shown, **rest}),
        ("contrasts", "insensitivity", "insensitivity", flips),
        ("what keeps the similarity up", "parts", "insensitivity_parts", {**flips, **rest}),
    )


def words_index(store: Store, path: Path, strongest: Answer, asked: Mapping[str, object]) -> Index:
    """Pairs of words as a long table, each with the pairs of texts that hold most of it."""
    columns = ("left_term", "right_term", "languages", "match", "share", "mean", "low", "high", "pairs", "interactions")
    return Index(
        strongest.frame.select(columns),
        f"Of each pair of languages the {STRONGEST['limit']} pairs of words that carry most, in at least {STRONGEST['minimum_pairs']} "
        "pairs of texts; the mean of an interaction with its 95 % interval over pairs of texts.",
        f"workbench query strongest_interactions --store {shlex.quote(str(path))} --set limit=100000 --limit 0",
        title="Pairs of words",
        behind=behind(store, path, strongest),
        follow=following(path, "strongest_interactions", asked),
    )


def contrasted(store: Store, shown: Mapping[str, str]) -> dict[str, str] | None:
    """What to ask the questions of contrasts for: the languages in which most pairs flip their meaning; None where none does."""
    found = query(store, "insensitivity_points", **shown).filter(pl.col("meaning").cast(pl.String) == "flipped")
    counted = found.group_by("languages").len().sort(-pl.col("len").cast(pl.Int64), pl.col("languages") != "en", "languages")
    if not len(counted):
        return None
    languages = counted["languages"][0]
    return {**shown, "languages": languages} if languages else dict(shown)


def overview(store: Store, shown: Mapping[str, str]) -> dict[str, str]:
    """A line for each pair of languages: number, mean similarity, correlation with people."""
    every = query(store, "similarities", **shown).filter(pl.col("label") == "all")
    found = {}
    for row in every.iter_rows(named=True):
        people = f", Spearman with people {row['spearman']:.3f} (on {row['judged']:,})" if row["spearman"] is not None else ""
        found[f"{row['languages']}"] = f"{row['pairs']:,} pairs, mean similarity {figure(row['mean'])}{people}"
    return found


def examples(rows: pl.DataFrame) -> pl.DataFrame:
    """The most and the least similar pairs of each label; `rows` are sorted by label and falling similarity."""
    place = pl.int_range(pl.len()).over("label")
    return rows.filter((place < EXAMPLES) | (place >= pl.len().over("label") - EXAMPLES))


def retrievals(store: Store, rows: pl.DataFrame) -> tuple[Retrieval, ...]:
    """The first queries, each with its passages by rank and what people judged."""
    ranks = store.sql(
        """SELECT identifier, (metadata ->> 'rank')::INTEGER AS rank, metadata ->> 'query' AS query,
                  CASE label WHEN 'relevant' THEN true WHEN 'not judged relevant' THEN false END AS relevant
           FROM documents WHERE identifier IN (SELECT unnest($1))""",
        [rows["identifier"].to_list()],
    )
    found = []
    for name in ranks["query"].unique().sort().head(QUERIES):
        about = ranks.filter(pl.col("query") == name)
        its = rows.join(about.select("identifier"), on="identifier", how="semi")
        found.append(from_pairs([of_row(store, row) for row in its.iter_rows(named=True)], about))
    return tuple(found)


def closure(store: Store, shown: Mapping[str, str]) -> pl.DataFrame:
    """How far the numbers close: factors against the model's own embeddings, cells against its own similarities."""
    return store.sql(
        f"""
        SELECT 'factors of a text against its embedding' AS what, count(*) AS number, max(s.value) AS largest,
               avg((s.value < {CLOSED})::INTEGER) AS closed
        FROM kept.score s JOIN documents d USING (document)
        WHERE s.method = 'factors' AND s.model = $model AND d.corpus = $corpus
        UNION ALL
        SELECT 'cells of a pair against its similarity', count(*), max(abs(gap)), avg((abs(gap) < {CLOSED})::INTEGER)
        FROM pairs WHERE model = $model AND corpus = $corpus AND composite = $composite""",
        shown,
    )


def trust(closed: pl.DataFrame) -> str:
    """One sentence on whether everything adds up."""
    worst = closed["closed"].min()
    largest = closed["largest"].max()
    if not isinstance(worst, float) or not isinstance(largest, float):
        return "nothing is explained yet"
    said = f"all sums close to {CLOSED:g}" if worst >= 1 else f"{worst:.1%} of the sums close to {CLOSED:g}: do not use the others"
    return f"{said} (largest difference {largest:.1e}); association, not cause"


def commands(path: Path, chosen: list[Pair]) -> tuple[tuple[str, str], ...]:
    """What to type next."""
    example = chosen[0].identifier if chosen else "IDENTIFIER"
    return (
        (f"workbench show {example} --store {path}", "one pair, its words and what they share"),
        (f"workbench query pos_pairs --store {path}", "parts of speech that carry the similarity, with intervals"),
        (f"workbench query all_pairs --store {path}", "the same over all pairs of texts, from stored factors"),
        (f"workbench query strongest_interactions --store {path} --set match=other", "different words that meet"),
        (f"workbench verify {path}", "read everything back and compare it with the ledger"),
        ("workbench evaluate similarity", "does the method say what an encoder relies on?"),
    )
