"""NaN never enters a store: a document with a number that is not finite leaves its batch and becomes a failure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from workbench.batch import SCHEMAS, Batch
from workbench.errors import InputError
from workbench.pipeline.frames import Rows
from workbench.pipeline.worker import Job

STAGE = "not finite"


def sound(batch: Batch, job: Job) -> Batch:
    """The batch without its documents that have a number which is not finite; each of them is a failure that names the number."""
    found = unsound(batch)
    if not found:
        return batch
    rows = Rows()
    names = batch["document"].filter(pl.col("document").is_in(list(found)))
    for document, corpus, identifier in names.select("document", "corpus", "identifier").iter_rows():
        error = InputError("explain a text", f"{found[document]} that is not finite", "explain it in float64")
        for item in job:
            if (item.document.corpus, item.document.identifier) == (corpus, identifier):
                rows.failure(item.document, item.fingerprint, STAGE, error)
    left = without(batch, list(found))
    failures = pl.concat([left["failure"], rows.batch()["failure"]])
    return Batch({**left.frames, "failure": failures}, batch.effort)


def unsound(batch: Batch) -> dict[int, str]:
    """Documents with a number that is not finite: local number → table and column of the first such number."""
    owners = batch["explanation"].select("explanation", "document")
    found: dict[int, str] = {}
    for table, name, rows in harmed(batch):
        owned = rows if "document" in rows.columns else rows.join(owners, on="explanation", how="left")
        for document in owned["document"].unique(maintain_order=True).to_list():
            found.setdefault(document, f"{table}.{name}")
    return found


def harmed(batch: Batch) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Table, column and rows of every kind of number that is not finite."""
    for table in SCHEMAS:
        frame = batch[table]
        for name, kind in frame.schema.items():
            if kind.is_float() and not frame[name].is_finite().all():
                yield table, name, frame.filter(~pl.col(name).is_finite())
    for (precision,), frame in batch["factor"].group_by("precision", maintain_order=True):
        if np.isfinite(np.frombuffer(b"".join(frame["vector"]), str(precision))).all():
            continue
        wrong = [not np.isfinite(np.frombuffer(vector, str(precision))).all() for vector in frame["vector"]]
        yield "factor", "vector", frame.filter(pl.Series(wrong))


def without(batch: Batch, documents: list[int]) -> Batch:
    """The batch without these documents and all that hangs on them."""
    gone = batch["explanation"].filter(pl.col("document").is_in(documents))["explanation"].to_list()
    frames = {}
    for table, schema in SCHEMAS.items():
        frame = batch[table]
        if "document" in schema:
            frame = frame.filter(~pl.col("document").is_in(documents))
        elif "explanation" in schema:
            frame = frame.filter(~pl.col("explanation").is_in(gone))
        frames[table] = frame
    return Batch(frames, batch.effort)
