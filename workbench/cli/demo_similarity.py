"""`workbench demo similarity-…`: pairs of texts, what their similarity is made of, and where it misses that the meaning flips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.pipeline.declaration import Pipeline
    from workbench.store import Store

#: The store and the report of a pipeline stand side by side in the folder.
ENDING = ".duckdb"


def demo_similarity(pipeline: Pipeline, folder: Path, workers: int) -> None:
    """Explains pairs: shares, parts of speech, matches, contrasts, one pair, and the report."""
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
        example = print_similarities(store, pipeline)
    page = write_report(path, path.with_suffix(".html"))
    out.print(visible(f"\nstore   {path}  (a DuckDB file: open it with any DuckDB, or ask as below)\nreport  {page}\n", "bold"))
    out.print(visible("next:"))
    for command in (
        f"show {example} --store {path}",
        f"query pos_pairs --store {path}",
        f"query insensitivity_parts --store {path}",
        f"query all_pairs --store {path}",
        f"verify {path}",
        "evaluate similarity",
    ):
        out.print(visible(f"  {program()} {command}"))


def print_similarities(store: Store, pipeline: Pipeline) -> str:
    """What the similarity of the corpus is made of, and one pair; returns the pair's identifier."""
    from workbench.cli.terminal import console, visible
    from workbench.pipeline.similarity.reporting import contrasted
    from workbench.queries import query
    from workbench.queries.pairs import pairs
    from workbench.viz.pair_terminal import corpus_summary, pair_summary

    shown = {"corpus": pipeline.corpus.name}
    out = console()
    found = store.sql("SELECT count(*), avg(similarity), max(abs(gap)) FROM pairs WHERE corpus = $corpus", shown).row(0)
    flips = contrasted(store, shown)
    out.print(
        corpus_summary(
            pairs=found[0],
            similarity=found[1],
            accounts=query(store, "special_share", **shown),
            pos_pairs=query(store, "pos_pairs", **shown),
            matched_by=query(store, "matched_by", **shown),
            insensitivity=query(store, "insensitivity", **flips) if flips else None,
        )
    )
    out.print(visible(f"cells sum to the model's own similarity within {found[2]:.1e}. Association, not cause.\n"))
    first = str(store.sql("SELECT min(identifier) AS first FROM pairs WHERE corpus = $corpus", shown)["first"][0])
    for pair in pairs(store, first):
        out.print(pair_summary(pair, strongest=5))
    return first
