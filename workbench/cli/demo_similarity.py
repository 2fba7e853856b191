"""`workbench demo similarity-…`: pairs of texts, what their similarity is made of, and where it misses that the meaning flips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.demo_task import demo_task

if TYPE_CHECKING:
    from workbench.pipeline.declaration import Pipeline
    from workbench.store import Store


def demo_similarity(pipeline: Pipeline, folder: Path, workers: int) -> None:
    """Explains pairs: shares, parts of speech, matches, contrasts, one pair, and the report."""
    demo_task(pipeline, folder, workers, print_similarities, commands)


def commands(path: Path, example: str) -> tuple[str, ...]:
    """What to try next on the store at `path`."""
    return (
        f"show {example} --store {path}",
        f"query pos_pairs --store {path}",
        f"query insensitivity_parts --store {path}",
        f"query all_pairs --store {path}",
        f"verify {path}",
        "evaluate similarity",
    )


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
