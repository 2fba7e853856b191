"""`workbench demo translation-contributions`: sentences translated, and how much of every word came from the source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from workbench.pipeline.declaration import Pipeline
    from workbench.store import Store

#: The store and the report of a pipeline stand side by side in the folder.
ENDING = ".duckdb"


def demo_translation(pipeline: Pipeline, folder: Path, workers: int) -> None:
    """Translates and explains: source shares by system and part of speech, quality, a translation of each system, and the report."""
    from workbench.cli.demo import program
    from workbench.cli.progress import progress
    from workbench.cli.report import write_report
    from workbench.cli.run import print_summary
    from workbench.cli.terminal import console, visible
    from workbench.pipeline.executors import local
    from workbench.pipeline.run import run
    from workbench.store import Store

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pipeline.name}{ENDING}"
    out = console()
    out.print(visible(f"{pipeline.title}\n{' '.join(pipeline.notes)}\n", "bold"))
    with progress() as show:
        summary = run(pipeline, path, executor=local(workers), progress=show)
    print_summary(summary)
    with Store.open(path, "read") as store:
        example = print_translations(store, pipeline)
    page = write_report(path, path.with_suffix(".html"))
    out.print(visible(f"\nstore   {path}  (a DuckDB file: open it with any DuckDB, or ask as below)\nreport  {page}\n", "bold"))
    out.print(visible("next:"))
    for command in (
        f"show {example} --store {path}",
        f"query contributions_by_group --store {path} --set by=upos",
        f"query hallucination_signals --store {path}",
        f"query alignments --store {path} --set identifier={example}",
        f"verify {path}",
        "evaluate alignment   # beside alignments of people, found through WORKBENCH_MIRROR",
    ):
        out.print(visible(f"  {program()} {command}"))


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
