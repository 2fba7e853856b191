"""`workbench demo translation-contributions`: sentences translated, and how much of every word came from the source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.demo_task import demo_task

if TYPE_CHECKING:
    import polars as pl

    from workbench.pipeline.declaration import Pipeline
    from workbench.store import Store


def demo_translation(pipeline: Pipeline, folder: Path, workers: int) -> None:
    """Translates and explains: source shares by system and part of speech, quality, a translation of each system, and the report."""
    demo_task(pipeline, folder, workers, print_translations, commands)


def commands(path: Path, example: str) -> tuple[str, ...]:
    """What to try next on the store at `path`."""
    return (
        f"show {example} --store {path}",
        f"query contributions_by_group --store {path} --set by=upos",
        f"query hallucination_signals --store {path}",
        f"query alignments --store {path} --set identifier={example}",
        f"verify {path}",
        "evaluate alignment   # beside alignments of people, found through WORKBENCH_MIRROR",
    )


def print_translations(store: Store, pipeline: Pipeline) -> str:
    """What systems take from the source, and a translation of each; returns the identifier of one."""
    from workbench.cli.terminal import console, visible
    from workbench.pipeline.declaration import TranslationChoice
    from workbench.pipeline.translation.reporting import asked_of
    from workbench.queries import query
    from workbench.queries.translations import of_row
    from workbench.viz.pair_terminal import translation_strip
    from workbench.viz.terminal import table

    out = console()
    asked = asked_of(pipeline.corpus.name, pipeline.translation or TranslationChoice())
    systems = query(store, "contributions_by_group", by="system", measures=["source_share", "normalized_source_entropy"], **asked)
    quality = query(store, "translation_quality", **asked)
    out.print()
    out.print(visible("what comes from the source, how widely it is spread (entropy / ln length), and quality", "bold"))
    out.print(table(overview(systems, quality), title="", last="system"))
    out.print(visible("means over tokens and sentences, 95 % intervals over sentences. Association, not cause.\n"))
    rows = store.sql("FROM translations WHERE corpus = $corpus AND composite = $composite AND target = $target ORDER BY model, identifier",
                     {name: value for name, value in asked.items() if name != "role"})  # fmt: skip
    firsts = rows.group_by("model", maintain_order=True).first()
    for row in firsts.iter_rows(named=True):
        out.print(translation_strip(of_row(store, row)))
        out.print()
    return str(firsts["identifier"][0])


def overview(systems: pl.DataFrame, quality: pl.DataFrame) -> pl.DataFrame:
    """One row a system: source share and spread, BLEU and chrF."""
    import polars as pl

    from workbench.viz.figures import interval, share

    rows = []
    for (model,), part in systems.group_by("model", maintain_order=True):
        found = {row["measure"]: row for row in part.iter_rows(named=True)}
        good = {row["metric"]: row["mean"] for row in quality.filter(pl.col("model") == model).iter_rows(named=True)}
        row = found["source_share"]
        spread = found["normalized_source_entropy"]
        ends = "–" if row["low"] is None else f"{share(row['low'])} to {share(row['high'])}"
        scores = {
            name: None if good.get(metric) is None else f"{good[metric]:.1f}"
            for metric, name in (("corpus_bleu", "BLEU"), ("chrf", "chrF"))
        }
        found_spread = {"spread": f"{spread['mean']:.2f}", "95 % of it": interval(spread["low"], spread["high"], 2)}
        rows.append({"source": share(row["mean"]), "95 %": ends, **found_spread, **scores, "sentences": row["sentences"], "system": model})
    return pl.DataFrame(rows, infer_schema_length=None)
