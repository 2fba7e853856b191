"""From a store to the report on translations of its last run: the queries that the page is made of, gathered once."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from workbench.pipeline.declaration import TranslationChoice
from workbench.pipeline.provenance import losses, provenance
from workbench.pipeline.report_index import Asked, tables
from workbench.queries import query
from workbench.queries.translations import of_row
from workbench.store import Store
from workbench.viz.contribution_charts import by_system
from workbench.viz.contribution_map import ContributionData
from workbench.viz.figures import figure
from workbench.viz.index import Index, behind_row
from workbench.viz.translation_data import ASSOCIATION, TranslationReport

#: Translations shown of each system, and those named that took least from their source.
EXAMPLES, SIGNALS = 4, 12
#: Pairs of systems compared at most.
PAIRS = 6
#: Translations in the long table at most.
MOST = 4_000
CLOSED = 1e-4
MEASURES = ("source_share", "normalized_source_entropy", "normalized_prefix_entropy", "beginning_share")
COMPARED = ("source_share", "normalized_source_entropy", "normalized_prefix_entropy", "log_probability", "chrf", "similarity_to_source")
QUESTIONS = (
    (
        "How much of each part of speech comes from the source?",
        """SELECT upos, avg(source_share) AS source_share, count(*) AS tokens
  FROM steps
 WHERE step > 0 AND composite = '{composite}' GROUP BY upos ORDER BY source_share DESC""",
    ),
    (
        "Which source words give most to which generated words?",
        """SELECT form, other_form, avg(relevance) AS mean, count(*) AS n
  FROM word_contributions
 WHERE side = 'source' AND kind = 'word' AND generated = 'word' AND composite = '{composite}'
 GROUP BY ALL HAVING n >= 2 ORDER BY mean DESC LIMIT 20""",
    ),
    ("Does every ledger close?", "SELECT model, max(relative_gap) FROM explanations GROUP BY model"),
)

#: The tables and figures of the page, and the question that each of them asks.
TABLES: tuple[Asked, ...] = (
    ("systems", "systems", "contributions_by_group", {"by": "system", "measures": list(MEASURES)}),
    ("quality", "quality", "translation_quality", {}),
    ("along the translation", "source_share", "contributions_by_position", {}),
    ("source positions", "source_positions", "contributions_by_source_position", {}),
    ("parts of speech", "parts_of_speech", "contributions_by_group", {"by": "upos"}),
    ("word order", "word_order", "word_order", {}),
    ("signs of hallucination", "signals", "hallucination_signals", {}),
)


def translation_data(store: Store, path: Path, run: Mapping[str, Any]) -> TranslationReport:
    """The report's frames for one run of a pipeline that explains translations."""
    declared = json.loads(run["parameters"])
    asked = asked_of(declared["corpus"]["name"], TranslationChoice.model_validate(declared["translation"]))
    shown = {name: value for name, value in asked.items() if name != "role"}
    rows = store.sql(
        """FROM translations WHERE corpus = $corpus AND composite = $composite AND target = $target
           AND CASE $role WHEN 'hypothesis' THEN role = 'hypothesis:' || model ELSE role = $role END
           ORDER BY model, source_share, identifier""",
        asked,
    )
    closed = closure(store, shown)
    every = signals(store, asked, rows["model"].unique(maintain_order=True).to_list())

    def told(name: str, **more: object) -> pl.DataFrame:
        return by_system(query(store, name, **asked, **more))

    data = TranslationReport(
        title=declared["title"] or run["pipeline"],
        corpus=shown["corpus"],
        method=shown["composite"],
        target=shown["target"],
        translations=len(rows),
        sentences=rows["document"].n_unique(),
        systems=told("contributions_by_group", by="system", measures=list(MEASURES)),
        source_share=told("contributions_by_position"),
        source_entropy=told("contributions_by_position", measures="normalized_source_entropy"),
        prefix_entropy=told("contributions_by_position", measures="normalized_prefix_entropy"),
        source_positions=told("contributions_by_source_position"),
        parts_of_speech=told("contributions_by_group", by="upos"),
        quality=told("translation_quality"),
        word_order=told("word_order"),
        signals=None if every is None else least(every),
        index=None if every is None else translations_index(path, every),
        differences=differences(store, asked, rows),
        closure=closed,
        trust=trust(closed),
        examples=tuple(examples(store, rows)),
        losses=losses(store),
        failures=query(store, "failures", corpus=shown["corpus"]),
        provenance=provenance(store, run),
        queries=tuple((question, statement.format(composite=shown["composite"])) for question, statement in QUESTIONS),
        commands=commands(path, rows),
        notices=(*declared["notes"], ASSOCIATION),
        selection=f"of each system the {EXAMPLES // 2} that took most from their source, and the {EXAMPLES // 2} that took least",
    )
    return replace(data, follow=tables(data, path, [(table, frame, name, {**asked, **more}) for table, frame, name, more in TABLES]))


def asked_of(corpus: str, choice: TranslationChoice) -> dict[str, str]:
    """What to ask questions for, to be told of what a pipeline explained: systems' own translations where there are any."""
    role = "hypothesis" if "output" in choice.prefix else choice.prefix[0]
    return {"corpus": corpus, "composite": choice.composite, "target": choice.target, "role": role}


def signals(store: Store, asked: Mapping[str, str], models: Sequence[str]) -> pl.DataFrame | None:
    """The translations of each system, those that took least from their source first; None without any."""
    found = [query(store, "hallucination_signals", model=model, limit=MOST // len(models), **asked) for model in models]
    return by_system(pl.concat(found)) if found else None


def least(every: pl.DataFrame) -> pl.DataFrame:
    """The first of each system: those that took least from their source."""
    return every.group_by("system", maintain_order=True).head(max(3, SIGNALS // every["system"].n_unique()))


def translations_index(path: Path, every: pl.DataFrame) -> Index:
    """Translations with what tells whether they left their source, as a long table."""
    columns = ("system", "identifier", "text", "mean_share", "min_share", "omitted", "log_probability", "similarity", "chrf")
    return Index(
        every.select(columns),
        "Mean and least share of the source, how much of it was left out, mean log-probability of a token, similarity to the source, chrF. "
        "Every row leads on: unfold its last cell.",
        f"workbench query hallucination_signals --store {shlex.quote(str(path))} --set limit=100000 --limit 0",
        title="All translations",
        behind=[
            behind_row([identifier], f"workbench show {shlex.quote(identifier)} --store {shlex.quote(str(path))}")
            for identifier in every["identifier"]
        ],
    )


def examples(store: Store, rows: pl.DataFrame) -> list[ContributionData]:
    """Of each system the translations that took most from their source and those that took least; `rows` are sorted by model and share."""
    place = pl.int_range(pl.len()).over("model")
    chosen = rows.filter((place < EXAMPLES // 2) | (place >= pl.len().over("model") - EXAMPLES // 2))
    return [of_row(store, row) for row in chosen.sort("model", "source_share", descending=[False, True]).iter_rows(named=True)]


def differences(store: Store, asked: Mapping[str, str], rows: pl.DataFrame) -> pl.DataFrame | None:
    """Pairs of systems that translate the same sentences; None where there is none."""
    sentences = {str(model): set(part["document"]) for (model,), part in rows.group_by("model", maintain_order=True)}
    pairs = [(one, other) for one, other in combinations(sentences, 2) if sentences[one] & sentences[other]][:PAIRS]
    found = [
        query(store, "translation_difference", model=one, other=other, **asked)
        .filter(pl.col("measure").is_in(COMPARED))
        .with_columns(pl.lit(f"{one} − {other}").alias("pair"))
        for one, other in pairs
    ]
    return pl.concat(found) if found else None


def closure(store: Store, shown: Mapping[str, str]) -> pl.DataFrame:
    """How far the numbers close: each translation's ledger, each token's accounts, the logits under the rules beside the plain ones."""
    chosen = "corpus = $corpus AND composite = $composite AND target = $target"
    return store.sql(
        f"""
        WITH translated AS (SELECT explanation, document, role, model, gap, target_value FROM translations WHERE {chosen})
        SELECT 'ledgers of translations (relative)' AS what, count(*) AS number, max(abs(gap) / greatest(abs(target_value), 1)) AS largest,
               avg((abs(gap) / greatest(abs(target_value), 1) < {CLOSED})::INTEGER) AS closed FROM translated
        UNION ALL
        SELECT 'accounts of every token (relative)', count(*), max(abs(s.gap) / greatest(abs(s.target_value), 1)),
               avg((abs(s.gap) / greatest(abs(s.target_value), 1) < {CLOSED})::INTEGER)
        FROM steps s SEMI JOIN translated t ON t.explanation = s.explanation
        UNION ALL
        SELECT 'logits under the rules against plain logits', count(*), max(q.value), avg((q.value < {CLOSED})::INTEGER)
        FROM qualities q SEMI JOIN translated t ON t.document = q.document AND t.role = q.role AND t.model = q.model
        WHERE q.metric = 'logit_difference'""",
        dict(shown),
    )


def trust(closed: pl.DataFrame) -> str:
    """One sentence on whether everything adds up."""
    worst, largest = closed["closed"].min(), closed["largest"].max()
    if not isinstance(worst, float) or not isinstance(largest, float):
        return "nothing is explained yet"
    said = f"all sums close to {CLOSED:g}" if worst >= 1 else f"{worst:.1%} of the sums close to {CLOSED:g}: do not use the others"
    return f"{said} (largest difference {figure(largest, 2)}); association, not cause"


def commands(path: Path, rows: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    """What to type next."""
    example = str(rows["identifier"][0]) if len(rows) else "IDENTIFIER"
    return (
        (f"workbench show {example} --store {path}", "one translation, word by word"),
        (f"workbench query contributions_by_position --store {path} --set position=absolute", "the source's share, token by token"),
        (f"workbench query hallucination_signals --store {path}", "translations that may have left their source"),
        (f"workbench query alignments --store {path} --set identifier={example}", "which source word each word took most from"),
        (f"workbench verify {path}", "read everything back and compare it with the ledger"),
        ("workbench evaluate alignment", "do contributions agree with people's alignments?"),
    )
