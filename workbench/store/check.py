"""A batch is checked before the transaction begins: what is refused names the document it stands in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from workbench.batch import LEFT_OUT, SCHEMAS, Batch
from workbench.errors import StoreError
from workbench.relevance import ACCOUNTS
from workbench.store.digest import PARTS

ASKED = "store a batch"
#: Number formats of factors.
PRECISIONS = ("float16", "float32")
OPTIONAL = {
    "document": {"label", "split", "language", "metadata"},
    "word": {"lemma", "upos", "xpos", "features", "head", "relation", "entity", "sentence"},
    "annotation": {"fingerprint"},
    "prediction": {"logit", "probability", "votes"},
    "token_relevance": {"position", "sensitivity"},
    "interaction": {
        "left_word", "right_word", "matched", "left_form", "left_lemma", "left_upos", "left_relation", "right_form", "right_lemma",
        "right_upos", "right_relation",
    },
    "factor": {"word"},
    "step": {"likeliest", "source_entropy", "prefix_entropy"},
    "explanation": {
        "member_of", "label", "target_value", "tokens", "token_types", "positions", "decoder_inputs", "biases", "softmax",
        "nonlinear", "epsilon", "gap", "precision", "coverage",
    },
}  # fmt: skip
KEYS: dict[str, Sequence[Sequence[str]]] = {
    "document": (("document",), ("corpus", "identifier")),
    "segment": (("document", "role"),),
    "word": (("document", "role", "word"),),
    "annotation": (("document", "role"),),
    "token": (("document", "role", "tokenizer", "token"),),
    "prediction": (("document", "role", "model", "label"),),
    "explanation": (("explanation",), ("document", "fingerprint")),
    **{table: (("explanation", *columns[:keys]),) for table, (columns, keys) in PARTS.items()},
    "score": (("document", "role", "model", "method", "ordering", "metric"),),
    "failure": (("corpus", "identifier", "fingerprint", "stage"),),
}


def check(batch: Batch) -> None:
    """StoreError for rows that cannot be kept: missing or non-finite values, duplicates, dangling numbers, spans outside the text."""
    for table in SCHEMAS:
        frame = batch[table]
        if frame.is_empty():
            continue
        required_values(batch, table, frame)
        finite_values(batch, table, frame)
        known(batch, table, frame, "document")
        known(batch, table, frame, "explanation")
        for key in KEYS[table]:
            if frame.select(key).is_duplicated().any():
                row = frame.filter(frame.select(key).is_duplicated()).head(1)
                refuse(batch, row, f"two rows of {table} with the same {', '.join(key)} {row.select(key).row(0)}", "give each once")
    ensembles(batch)
    parts(batch)
    factors(batch)
    spans(batch)


def required_values(batch: Batch, table: str, frame: pl.DataFrame) -> None:
    """Refuse NULL where a value is needed."""
    for column in frame.columns:
        if column not in OPTIONAL.get(table, set()) and frame[column].null_count():
            row = frame.filter(pl.col(column).is_null()).head(1)
            refuse(batch, row, f"no value for {table}.{column}", "give one")


def finite_values(batch: Batch, table: str, frame: pl.DataFrame) -> None:
    """Refuse NaN and infinity: one of them would poison every aggregate."""
    for column, kind in frame.schema.items():
        if kind.is_float() and not frame[column].is_finite().all():
            row = frame.filter(~pl.col(column).is_finite()).head(1)
            refuse(batch, row, f"{table}.{column} is {row[column][0]}", "store the document as a failure, or compute it in float32")


def known(batch: Batch, table: str, frame: pl.DataFrame, target: str) -> None:
    """Refuse numbers of documents or explanations that no row of the batch carries."""
    if table == target or target not in frame.columns:
        return
    stray = frame.join(batch[target].select(target), on=target, how="anti")
    if len(stray):
        found = f"{len(stray)} rows of {table} for a {target} {stray[target][0]} that is not in the batch"
        raise StoreError(ASKED, found, f"add its row to the frame of {target}")


def ensembles(batch: Batch) -> None:
    """Refuse members of an ensemble that is not in the batch, and ensembles with tokens of their own."""
    frame = batch["explanation"]
    owners = frame.select(pl.col("member_of").drop_nulls().unique())
    stray = owners.join(frame, left_on="member_of", right_on="explanation", how="anti")
    if len(stray):
        raise StoreError(
            ASKED,
            f"a member of explanation {stray['member_of'][0]}, which is not in the batch",
            "give the ensemble's explanation with its members",
        )
    for table in PARTS:
        direct = batch[table].join(owners, left_on="explanation", right_on="member_of", how="semi").head(1)
        if len(direct):
            found = f"an ensemble's explanation with {table.replace('_', ' ')} of its own"
            refuse(batch, direct, found, "give it to its members only")


def parts(batch: Batch) -> None:
    """Refuse layers of what is no account of the ledger, and components of which token or unit is no number from 0."""
    layers = batch["layer_relevance"].filter(~pl.col("account").is_in(ACCOUNTS)).head(1)
    if len(layers):
        refuse(batch, layers, f"layers of {layers['account'][0]}, which is no account of the ledger", f"use one of {', '.join(ACCOUNTS)}")
    one, other = pl.col("token"), pl.col("unit")
    wrong = batch["component_relevance"].filter((pl.min_horizontal(one, other) < 0) & ((one != LEFT_OUT) | (other != LEFT_OUT))).head(1)
    if len(wrong):
        found = f"a component with token {wrong['token'][0]} and unit {wrong['unit'][0]}"
        refuse(batch, wrong, found, f"count from 0; {LEFT_OUT} stands for both in the one row of what was left out")


def factors(batch: Batch) -> None:
    """Refuse factors in a precision that is not known, or with a number that is not finite."""
    for row in batch["factor"].with_row_index("place").iter_rows(named=True):
        kept = np.frombuffer(row["vector"], row["precision"]) if row["precision"] in PRECISIONS else None
        if kept is None or not np.isfinite(kept).all():
            found = f"factors in {row['precision']!r}" if kept is None else f"factors of {row['kind']} {row['word']} that are not finite"
            remedy = f"use {' or '.join(PRECISIONS)}" if kept is None else "store the document as a failure, or keep factors in float32"
            refuse(batch, batch["factor"][row["place"]], found, remedy)


def spans(batch: Batch) -> None:
    """Refuse words and tokens that reach outside their text."""
    lengths = batch["segment"].select("document", "role", pl.col("text").str.len_chars().cast(pl.Int64).alias("length"))
    for table in ("word", "token"):
        wrong = (
            batch[table]
            .join(lengths, on=["document", "role"], how="left")
            .filter((pl.col("char_start") < 0) | (pl.col("char_end") < pl.col("char_start")) | (pl.col("char_end") > pl.col("length")))
        )
        if len(wrong):
            found = f"a {table} with the span {wrong['char_start'][0]}–{wrong['char_end'][0]} in a text of {wrong['length'][0]} characters"
            refuse(batch, wrong.head(1), found, "count code points of the untouched text, end exclusive")


def refuse(batch: Batch, row: pl.DataFrame, found: str, remedy: str) -> None:
    """StoreError that names the document of a row."""
    if "explanation" in row.columns and "document" not in row.columns:
        row = row.join(batch["explanation"].select("explanation", "document"), on="explanation", how="left")
    name = ""
    if "identifier" in row.columns:
        name = f" (document {row['identifier'][0]} of {row['corpus'][0]})"
    elif "document" in row.columns:
        owner = batch["document"].filter(pl.col("document") == row["document"][0])
        name = f" (document {owner['identifier'][0]} of {owner['corpus'][0]})" if len(owner) else f" (document {row['document'][0]})"
    raise StoreError(ASKED, found + name, remedy)
