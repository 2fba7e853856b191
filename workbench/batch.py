"""The frames that carry finished work to the store: one schema for whoever computes and whoever keeps.

Identifiers `document` and `explanation` are local to a batch (0, 1, 2 …): the store renumbers them. A job is a pure function from
documents to one batch; it can run anywhere, and storing its batch twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from workbench.errors import StoreError

#: Kinds of word rows: a linguistic word; all special tokens together; all tokens that touch no word together. Their sum is the token sum.
WORD_KINDS = ("word", "special", "uncovered")

#: Columns that number documents and explanations within a batch, and whose rows they count.
NUMBERS: Mapping[str, str] = {"document": "document", "explanation": "explanation", "member_of": "explanation"}

#: What names a document.
NAMES = ("corpus", "identifier")

#: Token and unit of the row of component relevance that holds the sum of all that was left out.
LEFT_OUT = -1

SCHEMAS: Mapping[str, Mapping[str, pl.DataType]] = {
    "document": {
        "document": pl.Int32(),
        "corpus": pl.String(),
        "identifier": pl.String(),
        "fingerprint": pl.String(),
        "label": pl.String(),
        "split": pl.String(),
        "language": pl.String(),
        "metadata": pl.String(),
    },
    "segment": {"document": pl.Int32(), "role": pl.String(), "text": pl.String()},
    "word": {
        "document": pl.Int32(),
        "role": pl.String(),
        "annotator": pl.String(),
        "word": pl.Int32(),
        "char_start": pl.Int32(),
        "char_end": pl.Int32(),
        "form": pl.String(),
        "lemma": pl.String(),
        "upos": pl.String(),
        "xpos": pl.String(),
        "features": pl.String(),
        "head": pl.Int32(),
        "relation": pl.String(),
        "entity": pl.String(),
        "sentence": pl.Int32(),
    },
    "annotation": {"document": pl.Int32(), "role": pl.String(), "annotator": pl.String(), "fingerprint": pl.String()},
    "token": {
        "document": pl.Int32(),
        "role": pl.String(),
        "tokenizer": pl.String(),
        "token": pl.Int32(),
        "char_start": pl.Int32(),
        "char_end": pl.Int32(),
        "piece": pl.String(),
        "special": pl.Boolean(),
    },
    "prediction": {
        "document": pl.Int32(),
        "role": pl.String(),
        "model": pl.String(),
        "label": pl.String(),
        "logit": pl.Float64(),
        "probability": pl.Float64(),
        "votes": pl.Int32(),
    },
    "explanation": {
        "explanation": pl.Int32(),
        "fingerprint": pl.String(),
        "document": pl.Int32(),
        "role": pl.String(),
        "model": pl.String(),
        "member_of": pl.Int32(),
        "composite": pl.String(),
        "target": pl.String(),
        "label": pl.String(),
        "target_value": pl.Float64(),
        "tokens": pl.Float64(),
        "token_types": pl.Float64(),
        "positions": pl.Float64(),
        "decoder_inputs": pl.Float64(),
        "biases": pl.Float64(),
        "softmax": pl.Float64(),
        "nonlinear": pl.Float64(),
        "epsilon": pl.Float64(),
        "gap": pl.Float64(),
        "precision": pl.String(),
        "coverage": pl.Float64(),
    },
    "token_relevance": {
        "explanation": pl.Int32(),
        "token": pl.Int32(),
        "relevance": pl.Float32(),
        "position": pl.Float32(),
        "sensitivity": pl.Float32(),
    },
    "layer_relevance": {"explanation": pl.Int32(), "account": pl.String(), "layer": pl.Int16(), "relevance": pl.Float64()},
    "position_relevance": {
        "explanation": pl.Int32(),
        "kind": pl.String(),
        "layer": pl.Int16(),
        "position": pl.Int32(),
        "relevance": pl.Float32(),
    },
    "component_relevance": {
        "explanation": pl.Int32(),
        "kind": pl.String(),
        "layer": pl.Int16(),
        "token": pl.Int32(),
        "unit": pl.Int32(),
        "relevance": pl.Float32(),
    },
    "interaction": {
        "explanation": pl.Int32(),
        "left_kind": pl.String(),
        "left_word": pl.Int32(),
        "right_kind": pl.String(),
        "right_word": pl.Int32(),
        "relevance": pl.Float32(),
        "matched": pl.String(),
        "left_form": pl.String(),
        "left_lemma": pl.String(),
        "left_upos": pl.String(),
        "left_relation": pl.String(),
        "right_form": pl.String(),
        "right_lemma": pl.String(),
        "right_upos": pl.String(),
        "right_relation": pl.String(),
    },
    "factor": {
        "explanation": pl.Int32(),
        "kind": pl.String(),
        "word": pl.Int32(),
        "precision": pl.String(),
        "vector": pl.Binary(),
    },
    "step": {
        "explanation": pl.Int32(),
        "step": pl.Int32(),
        "likeliest": pl.String(),
        "target_value": pl.Float32(),
        "log_probability": pl.Float32(),
        "source": pl.Float32(),
        "prefix": pl.Float32(),
        "beginning": pl.Float32(),
        "positions": pl.Float32(),
        "biases": pl.Float32(),
        "softmax": pl.Float32(),
        "nonlinear": pl.Float32(),
        "gap": pl.Float32(),
        "source_size": pl.Float32(),
        "prefix_size": pl.Float32(),
        "source_entropy": pl.Float32(),
        "prefix_entropy": pl.Float32(),
    },
    "contribution": {
        "explanation": pl.Int32(),
        "step": pl.Int32(),
        "side": pl.String(),
        "token": pl.Int32(),
        "relevance": pl.Float32(),
    },
    "score": {
        "document": pl.Int32(),
        "role": pl.String(),
        "model": pl.String(),
        "method": pl.String(),
        "ordering": pl.String(),
        "metric": pl.String(),
        "value": pl.Float64(),
    },
    "failure": {
        "corpus": pl.String(),
        "identifier": pl.String(),
        "fingerprint": pl.String(),
        "stage": pl.String(),
        "error": pl.String(),
        "retryable": pl.Boolean(),
        "content": pl.String(),
    },
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Finished work of one job: a frame for each table of `SCHEMAS`, empty where there is nothing to say.

    `effort` counts what it took beyond the ordinary (batches halved, tries after a pause); it is told, not stored.
    """

    frames: Mapping[str, pl.DataFrame]
    effort: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := set(self.frames) - set(SCHEMAS):
            raise StoreError("store a batch", f"frames for unknown tables: {', '.join(sorted(unknown))}", f"use {', '.join(SCHEMAS)}")
        for table, frame in self.frames.items():
            if dict(frame.schema) != dict(SCHEMAS[table]):
                raise StoreError(f"store a batch of {table}", f"columns {dict(frame.schema)}", f"give exactly {dict(SCHEMAS[table])}")

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self.frames[table] if table in self.frames else pl.DataFrame(schema=dict(SCHEMAS[table]))


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch of several: numbers of documents and explanations go on where those of the batch before end, efforts add up.

    A document that stands in several is one.
    """
    if len(batches) == 1:
        return batches[0]
    frames: dict[str, list[pl.DataFrame]] = {table: [] for table in SCHEMAS}
    first = dict.fromkeys(NUMBERS.values(), 0)
    for batch in batches:
        for table, collected in frames.items():
            frame = batch[table]
            collected.append(frame.with_columns(pl.col(name) + first[owner] for name, owner in NUMBERS.items() if name in frame.columns))
        for owner in first:
            last = batch[owner][owner].max()
            first[owner] += 1 + last if isinstance(last, int) else 0
    effort: Counter[str] = Counter()
    for batch in batches:
        effort.update(batch.effort)
    whole = {table: pl.concat(collected) for table, collected in frames.items() if collected}
    return Batch(once(whole) if whole and whole["document"].select(NAMES).is_duplicated().any() else whole, dict(effort))


def of_documents(batch: Batch, identifiers: Collection[str]) -> Batch:
    """The rows of some documents, their numbers without gaps, and their failures; the effort is that of the whole batch."""
    chosen = batch["document"].filter(pl.col("identifier").is_in(list(identifiers)))["document"]
    numbers = {"document": chosen, "explanation": batch["explanation"].filter(pl.col("document").is_in(chosen.implode()))["explanation"]}
    frames = {}
    for table in batch.frames:
        frame = batch[table]
        if "identifier" in frame.columns:
            frame = frame.filter(pl.col("identifier").is_in(list(identifiers)))
        for name, owner in NUMBERS.items():
            if name in frame.columns:
                anew = pl.col(name).replace_strict(numbers[owner], range(len(numbers[owner])), default=None, return_dtype=pl.Int32)
                frame = frame.with_columns(anew) if name == "member_of" else frame.with_columns(anew).drop_nulls(name)
        frames[table] = frame
    return Batch(frames, batch.effort)


def once(frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Frames in which every document has one number, the first, and every row stands once."""
    numbers = frames["document"].select("document", pl.col("document").first().over(NAMES).alias("first"))
    found = {}
    for table, frame in frames.items():
        if "document" in frame.columns:
            first = frame.join(numbers, on="document", how="left", maintain_order="left")["first"]
            frame = frame.with_columns(first.alias("document")).unique(maintain_order=True)
        found[table] = frame
    return found
