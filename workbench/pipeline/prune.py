"""What of a store nothing current refers to: told first, removed on request.

Current is what pipelines want as they are declared now, of their corpora as they are now. Nothing is removed whose successor is not stored
yet: of a text that was edited, or of weights that have changed, the old results stay until a run has made the new ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from workbench.errors import PipelineError
from workbench.pipeline.declaration import Pipeline, find
from workbench.pipeline.lazy import LazyWorker
from workbench.pipeline.worker import Progress, silent
from workbench.store import Store

WANTED = {"corpus": pl.String, "identifier": pl.String, "fingerprint": pl.String}


@dataclass(frozen=True, slots=True)
class Outdated:
    """What can go: numbers of documents and explanations, failures, and of superseded results how many are still known.

    `declared` are the pipelines that count as current, `unknown` those that filled the store and are not declared any more: their results
    stay. `named` are models, composites and corpora that stay although nothing of them is stored.
    """

    documents: pl.DataFrame
    explanations: pl.DataFrame
    failures: pl.DataFrame
    earlier: int
    declared: tuple[str, ...]
    unknown: tuple[str, ...]
    named: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to remove."""
        return not (len(self.documents) or len(self.explanations) or len(self.failures) or self.earlier)


def current(store: Store, given: Sequence[str]) -> tuple[list[Pipeline], tuple[str, ...]]:
    """The pipelines that are given, or those that filled the store and are still declared; and the names of those that are not."""
    if given:
        return [find(name) for name in given], ()
    found, unknown = [], []
    for name in store.sql("SELECT DISTINCT pipeline FROM kept.run WHERE pipeline NOT IN ('prune') ORDER BY 1")["pipeline"]:
        try:
            found.append(find(name))
        except PipelineError:
            unknown.append(name)
    return found, tuple(unknown)


def outdated(store: Store, given: Sequence[str] = (), *, progress: Progress = silent) -> Outdated:
    """What nothing current refers to. With `given` these pipelines alone are current, and the results of all others can go."""
    pipelines, unknown = current(store, given)
    if not pipelines:
        found = f"results of {', '.join(unknown) or 'no pipeline'}, none of which is declared"
        raise PipelineError(f"prune {store.path}", found, "name the pipelines whose results are to stay, by name or TOML file")
    wanted, there, refused, named = [], [], [], []
    for pipeline in pipelines:
        worker = LazyWorker(pipeline, progress)
        declaration, documents, report = worker.read(progress)
        wanted += [(item.document.corpus, item.document.identifier, item.fingerprint) for item in worker.wanted(documents)]
        there += [(document.corpus, document.identifier) for document in documents]
        refused += [(declaration.name, item.identifier) for item in report.rejected]
        named += [declaration.name, pipeline.composite, *(model.name for model in worker.models())]
    frames = {
        "src_wanted": pl.DataFrame(wanted, schema=WANTED, orient="row"),
        "src_there": pl.DataFrame(there, schema=dict(list(WANTED.items())[:2]), orient="row"),
        "src_refused": pl.DataFrame(refused, schema=dict(list(WANTED.items())[:2]), orient="row"),
        "src_pipeline": pl.DataFrame(
            [(one.name, one.corpus.name) for one in pipelines], schema={"pipeline": pl.String, "corpus": pl.String}, orient="row"
        ),
    }
    return asked(store, frames, bool(given), tuple(pipeline.name for pipeline in pipelines), unknown, tuple(dict.fromkeys(named)))


def asked(
    store: Store,
    frames: Mapping[str, pl.DataFrame],
    only: bool,
    declared: tuple[str, ...],
    unknown: tuple[str, ...],
    named: tuple[str, ...],
) -> Outdated:
    """The same, from what is wanted."""
    for name, frame in frames.items():
        store.connection.register(name, frame)
    ours = "true" if only else "l.run IN (SELECT run FROM kept.run WHERE pipeline IN (SELECT pipeline FROM src_pipeline))"
    try:
        state = store.sql(f"""
        SELECT e.explanation, e.document, e.role, d.corpus, d.identifier,
               (d.corpus, d.identifier) IN (SELECT (corpus, identifier) FROM src_there) AS there,
               (d.corpus, d.identifier, split_part(e.fingerprint, '/', 1))
                   IN (SELECT (corpus, identifier, fingerprint) FROM src_wanted) AS wanted,
               {ours} AS ours
        FROM kept.explanation e JOIN kept.document d ON d.document = e.document JOIN kept.ledger l ON l.batch = e.batch""")
        lone = store.sql("""
        SELECT document FROM kept.document d WHERE NOT EXISTS (SELECT 1 FROM kept.explanation e WHERE e.document = d.document)
          AND d.corpus IN (SELECT corpus FROM src_pipeline)
          AND (d.corpus, d.identifier) NOT IN (SELECT (corpus, identifier) FROM src_there)""")
        failures = store.sql("""
        SELECT DISTINCT corpus, identifier, stage FROM kept.failure WHERE corpus IN (SELECT corpus FROM src_pipeline)
          AND (corpus, identifier) NOT IN (SELECT (corpus, identifier) FROM src_there)
          AND (corpus, identifier) NOT IN (SELECT (corpus, identifier) FROM src_refused)""")
        earlier = int(store.sql("SELECT count(*) AS n FROM kept.earlier_explanation")["n"][0])
    finally:
        for name in frames:
            store.connection.unregister(name)
    succeeded = pl.col("wanted").any().over("document")
    gone = state.filter(pl.col("ours") & ~pl.col("wanted") & (~pl.col("there") | succeeded))
    left = state.join(gone, on="explanation", how="anti")
    whole = gone.filter(~pl.col("there")).join(left, on="document", how="anti")["document"].unique()
    documents = pl.concat([whole.to_frame(), lone.select(pl.col("document").cast(whole.dtype))]).unique().sort("document")
    explanations = gone.join(documents, on="document", how="anti").select("explanation").sort("explanation")
    return Outdated(documents, explanations, failures, earlier, declared, unknown, named)


def prune(path: Path, given: Sequence[str] = (), *, earlier: bool = True, progress: Progress = silent) -> Outdated:
    """Removes what nothing current refers to, with `earlier` also what superseded results said; returns what was removed."""
    with Store.open(path, "write") as store:
        found = outdated(store, given, progress=progress)
        number = store.begin_run("prune", {"pipelines": list(found.declared), "earlier": earlier}, {})
        status = "interrupted"
        try:
            named = pl.DataFrame({"name": list(found.named)}, schema={"name": pl.String})
            gone = {"document": found.documents, "explanation": found.explanations, "failure": found.failures, "named": named}
            store.prune(gone, number, earlier=earlier)
            status = "finished"
        finally:
            store.end_run(number, status, {"documents": len(found.documents), "explanations": len(found.explanations)})
    return found
