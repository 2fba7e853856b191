"""`workbench demo`: the main job on the embedded posts and models, with everything a newcomer wants to see."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from workbench.pipeline.declaration import Pipeline
    from workbench.store import Store

METRICS = ("comprehensiveness", "sufficiency", "morf_lerf_area")


def demo(
    pipeline: Annotated[str, typer.Argument(help="A pipeline on embedded data; see `pipelines/`.")] = "bengali-hate",
    folder: Annotated[Path, typer.Option(help="Folder for the store and the report.")] = Path("demo"),
    workers: Annotated[int, typer.Option(min=1, help="Processes that explain.")] = 1,
) -> None:
    """Explain embedded texts (by default the Bengali posts): figures, store and report, in under two minutes."""
    from workbench.pipeline.declaration import find

    declared = find(pipeline)
    if declared.similarity:
        from workbench.cli.demo_similarity import demo_similarity

        demo_similarity(declared, folder, workers)
    elif declared.translation:
        from workbench.cli.demo_translation import demo_translation

        demo_translation(declared, folder, workers)
    else:
        demo_labels(declared, folder, workers)


def demo_labels(pipeline: Pipeline, folder: Path, workers: int) -> None:
    """Explains posts: words that speak for and against each class, faithfulness, conservation, a control, and the report."""
    from workbench.cli.progress import progress
    from workbench.cli.report import write_report
    from workbench.cli.run import print_summary
    from workbench.cli.terminal import console, visible
    from workbench.cli.validate import verdict
    from workbench.evaluation.planted import planted
    from workbench.pipeline.executors import local
    from workbench.pipeline.reporting import planted_path, planted_result
    from workbench.pipeline.run import run
    from workbench.store import Store

    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "relevance.duckdb"
    out = console()
    out.print(visible(f"{pipeline.title}\n{' '.join(pipeline.notes)}\n", "bold"))
    with progress() as show:
        summary = run(pipeline, store, executor=local(workers), progress=show)
        if planted_result(store) is None:
            result = planted(1, tasks=("single_token", "random_labels"), progress=lambda done, total, _: show("control", done, total))
            planted_path(store).write_text(result.to_json(), "utf-8")
    print_summary(summary)
    with Store.open(store, "read") as opened:
        print_terms(opened)
        print_trust(opened)
        example = str(opened.sql("SELECT min(identifier) AS first FROM documents WHERE split = 'test'")["first"][0])
    if control := planted_result(store):
        out.print(visible(verdict(control)))
    page = write_report(store, folder / "report.html")
    out.print(visible(f"\nstore   {store}  (a DuckDB file: open it with any DuckDB, or ask as below)\nreport  {page}\n", "bold"))
    out.print(visible("next:"))
    for command in (
        f"show {example} --store {store}",
        f"query top_terms --store {store} --set label=Political",
        f"query concordance --store {store} --set term=চোর",
        f"verify {store}",
        f"validate --store {store}",
        "run bengali-hate-corpus   # the real corpus, found through WORKBENCH_MIRROR",
    ):
        out.print(visible(f"  {program()} {command}"))


def program() -> str:
    """How this program is to be called from here: by its name where the shell finds it, else by its path."""
    called = Path(sys.argv[0])
    if called.name != "workbench" or shutil.which("workbench") == str(called.absolute()):
        return "workbench"
    return os.path.relpath(called)


def print_terms(store: Store) -> None:
    """The strongest words for and against each class."""
    from workbench.cli.terminal import console
    from workbench.queries import query
    from workbench.viz.terminal import terms_table

    terms = query(store, "top_terms", limit=5, minimum_documents=2, form="form")
    out = console()
    for label in sorted(set(terms["label"])):
        for side in ("for", "against"):
            out.print(terms_table(terms, label, side=side, rows=5))
            out.print()


def print_trust(store: Store) -> None:
    """Faithfulness beside random order, and how far the ledgers close."""
    import polars as pl

    from workbench.cli.terminal import console, visible
    from workbench.queries import query
    from workbench.viz.terminal import table

    out = console()
    faithfulness = query(store, "faithfulness")
    out.print(table(by_method(faithfulness), title="faithfulness, words in signed order: mean [95 % interval]", last="method"))
    ledger = query(store, "conservation").select("model", "explanations", "largest", "closed", "tokens", "positions", "biases", "softmax")
    out.print()
    out.print(table(ledger.rename({"largest": "largest gap"}), title="conservation: share of each account in the ledgers", last="model"))
    documents = max(faithfulness["documents"].to_list(), default=0)
    open_ledgers = [str(name) for name in ledger.filter(pl.col("closed") < 1)["model"]]
    found = f"ledgers of {', '.join(open_ledgers)} do not all close to 1e-4" if open_ledgers else "all ledgers close to 1e-4"
    out.print(visible(f"{found}; faithfulness on {documents} posts. Association, not cause."))


def by_method(faithfulness: pl.DataFrame) -> pl.DataFrame:
    """One row a method, one column a metric with its interval."""
    import polars as pl

    signed = faithfulness.filter(pl.col("ordering") == "signed")
    best = signed.filter(pl.col("metric") == METRICS[0]).sort("mean", descending=True)
    rows = []
    for method in best["method"]:
        row: dict[str, str] = {}
        for metric in METRICS:
            mean, low, high = (
                signed.filter((pl.col("method") == method) & (pl.col("metric") == metric)).select("mean", "low", "high").row(0)
            )
            row[metric] = f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"
        rows.append(row | {"method": method})
    return pl.DataFrame(rows)
