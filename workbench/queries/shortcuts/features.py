"""What a document has that a model could use instead of reading it: words, tags, signs, place of its strongest word, length, metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from workbench.errors import StoreError
from workbench.queries.keyness.groups import Values, kept_rows, whose
from workbench.store import Store

ASKED = "find shortcuts"
#: Documents that are looked at; of more, so many are drawn at random.
MOST = 20_000
#: Different values up to which a field of the metadata tells groups of documents apart.
VALUES = 50
#: Kinds that stand in the text, whose relevance is known.
TEXTUAL = ("word", "tag", "punctuation")
TAG = r"^([@#].+|https?://.*|www\..*|\[.+\]|<.+>|&\w+;)$"

WORDS = """
SELECT c.document, CASE WHEN regexp_matches(w.form, $tag) THEN 'tag' WHEN NOT regexp_matches(w.form, '[\\p{L}\\p{N}]') THEN 'punctuation'
                        ELSE 'word' END AS kind,
       lower(nfc_normalize(w.form)) AS item, sum(greatest(w.relevance::DOUBLE, 0)) AS mass
FROM word_relevance w JOIN suspect_document c ON c.explanation = w.explanation
WHERE w.kind = 'word' AND coalesce(w.upos, '') <> 'SPACE' GROUP BY ALL"""
TEXTS = """
SELECT c.document, sum(greatest(w.relevance::DOUBLE, 0)) AS total, count(*) AS words, arg_max(w.upos, (w.relevance, -w.word)) AS upos,
       (arg_max(w.word, (w.relevance, -w.word)) - min(w.word)) / (max(w.word) - min(w.word) + 1) AS place
FROM word_relevance w JOIN suspect_document c ON c.explanation = w.explanation WHERE w.kind = 'word'
GROUP BY c.document ORDER BY c.document"""
ABOUT = """
SELECT c.document, d.identifier, d.corpus, d.split, d.language, d.metadata
FROM suspect_document c JOIN documents d ON d.document = c.document ORDER BY c.document"""


@dataclass(frozen=True, slots=True)
class Features:
    """Documents with their true label (`gold`, "" where there is none) and the class `predicted`, and what they have.

    `words` counts those of each document that the model has seen. `names` has kind and item of each feature; `present`
    `(feature document)` is 1 where a document has it, `share`, with the same entries, the share of its relevance for the predicted class
    that the feature holds there (0 for what is no word).
    """

    documents: pl.DataFrame
    words: NDArray[np.int64]
    gold: NDArray[np.str_]
    predicted: NDArray[np.str_]
    names: pl.DataFrame
    present: sparse.csr_array
    share: sparse.csr_array
    all_documents: int
    model: str | None
    composite: str | None
    explained: str


def features(
    store: Store,
    *,
    model: str | None,
    composite: str | None,
    role: str | None,
    where: Mapping[str, Values],
    minimum_documents: int,
    seed: int,
) -> Features:
    """The features of all documents whose predicted class is explained; StoreError where there are none, or all of one class."""
    found_model, found_composite = whose(store, "", [], where, model=model, composite=composite, role=role, asked=ASKED)
    named = {"model": found_model, "composite": found_composite, "role": role}
    kept: dict[str, Values] = {**where, **{name: value for name, value in named.items() if value is not None}}
    source, conditions = kept_rows(ASKED, kept, "b.label")
    predicted = "coalesce(b.label, e.label)"
    explained = f"""SELECT e.explanation, e.document, coalesce(d.label, '') AS gold, {predicted} AS predicted
FROM {source} WHERE {" AND ".join(conditions)} AND e.label = {predicted}
QUALIFY row_number() OVER (PARTITION BY e.document ORDER BY e.explanation) = 1"""
    drawn = f"SELECT * FROM ({explained}) ORDER BY hash(document, {seed:d}), document LIMIT {MOST}"
    store.connection.execute(f"CREATE OR REPLACE TEMP TABLE suspect_document AS {drawn}")
    try:
        whole = int(store.sql(f"SELECT count(*) FROM ({explained})").item())
        chosen = store.sql("SELECT document, gold, predicted FROM suspect_document ORDER BY document")
        if chosen["predicted"].n_unique() < 2:
            said = ", ".join(chosen["predicted"].unique()) or "no document whose predicted class is explained"
            raise StoreError(ASKED, f"answers of a single class: {said}", "explain a corpus on which the model gives several answers")
        about, texts = store.sql(ABOUT), store.sql(TEXTS)
        words = store.sql(WORDS, {"tag": TAG})
    finally:
        store.connection.execute("DROP TABLE IF EXISTS suspect_document")
    rows = pl.concat([words, of_texts(texts), of_metadata(about)], how="diagonal_relaxed")
    frequent = rows.group_by("kind", "item").agg(pl.len().alias("documents"))
    frequent = frequent.filter((pl.col("documents") >= minimum_documents) & (pl.col("documents") <= len(chosen) - minimum_documents))
    names = frequent.sort("kind", "item").with_row_index("row")
    numbers = chosen.select("document").with_row_index("column")
    coded = rows.join(names.select("row", "kind", "item"), on=["kind", "item"]).join(numbers, on="document")
    coded = coded.join(texts.select("document", "total"), on="document", how="left").with_columns(
        pl.when(pl.col("total") > 0).then(pl.col("mass") / pl.col("total")).otherwise(0.0).fill_null(0.0).alias("share")
    )
    places, shape = (coded["row"].to_numpy().astype(np.int64), coded["column"].to_numpy().astype(np.int64)), (len(names), len(chosen))
    return Features(
        documents=about.select("document", "identifier"),
        words=chosen.join(texts, on="document", how="left", maintain_order="left")["words"].fill_null(0).to_numpy().astype(np.int64),
        gold=chosen["gold"].to_numpy().astype(str),
        predicted=chosen["predicted"].to_numpy().astype(str),
        names=names,
        present=sparse.csr_array((np.ones(len(coded)), places), shape=shape),
        share=sparse.csr_array((coded["share"].to_numpy(), places), shape=shape),
        all_documents=whole,
        model=found_model,
        composite=found_composite,
        explained=explained,
    )


def of_texts(texts: pl.DataFrame) -> pl.DataFrame:
    """Where the strongest word of a text stands, its part of speech, and how long the text is (quarters of all texts)."""
    place = (pl.col("place") * 5).floor().clip(0, 4).cast(pl.Int64)
    places = texts.select("document", kind=pl.lit("place"), item=pl.format("strongest in fifth {} of 5", place + 1))
    kinds = texts.drop_nulls("upos").select("document", kind=pl.lit("part of speech"), item=pl.format("strongest {}", "upos"))
    words = texts["words"].to_numpy()
    cuts = np.unique(np.quantile(words, [0.25, 0.5, 0.75])) if len(words) else np.zeros(0)
    quarter = np.searchsorted(cuts, words, side="right")
    ends = [f"{words[quarter == number].min():,} to {words[quarter == number].max():,} words" for number in range(len(cuts) + 1)
            if (quarter == number).any()]  # fmt: skip
    numbers = dict(zip(np.unique(quarter).tolist(), ends, strict=True))
    lengths = texts.select("document").with_columns(
        kind=pl.lit("length"), item=pl.Series([numbers[number] for number in quarter.tolist()], dtype=pl.String)
    )
    return pl.concat([places, kinds, lengths])


def of_metadata(about: pl.DataFrame) -> pl.DataFrame:
    """Corpus, split, language and every field of the metadata with at most 50 values."""
    fields = {name: about[name] for name in ("corpus", "split", "language")}
    parsed = [parsed_object(text) for text in about["metadata"].to_list()]
    for name in sorted({key for row in parsed for key in row}):
        fields[f"metadata.{name}"] = pl.Series([row.get(name) for row in parsed], dtype=pl.String)
    frames = [
        pl.DataFrame({"document": about["document"], "item": values}).drop_nulls("item").select(
            "document", kind=pl.lit("metadata"), item=pl.format("{} = {}", pl.lit(name), "item")
        )
        for name, values in fields.items()
        if 1 < values.drop_nulls().n_unique() <= VALUES
    ]  # fmt: skip
    empty = pl.DataFrame(schema={"document": about.schema["document"], "kind": pl.String, "item": pl.String})
    return pl.concat([empty, *frames])


def parsed_object(text: str | None) -> dict[str, str]:
    """The single values of a JSON object as texts."""
    import json

    found = json.loads(text) if text else {}
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in (found.items() if isinstance(found, dict) else ())
        if isinstance(value, str | int | float | bool)
    }
