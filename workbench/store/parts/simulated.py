"""A place as a very large run would leave it, from arithmetic alone: to see what planning and manifest cost before anybody pays for them.

Records of parts, and the rows of documents and explanations, are what they would be. Rows that nobody looks at while a run is planned are
told of in the records and stand in one small file under many names. Nothing is forced to disk: it is measured, never kept.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from workbench.fingerprint import Json
from workbench.store import synthetic
from workbench.store.parts import part
from workbench.store.parts.part import Numbers, Part
from workbench.store.parts.parts import Parts
from workbench.store.prepared import Preparation, Prepared

#: Documents of a part: 250 tokens each are about the 100,000 characters of a block.
DOCUMENTS = 100


def simulate(parts: Parts, wanted: pl.DataFrame, rows: int) -> Iterator[Part]:
    """Writes parts, not committed yet, with an explanation for each row of `wanted` (corpus, identifier, fingerprint).

    All together they tell of so many `rows` of token relevance. A file that stands for those of all parts has one document's rows.
    """
    corpora: list[Json] = [[name, "simulated", {}] for name in wanted["corpus"].unique()]
    registered: dict[str, Json] = {"corpora": corpora, "models": [], "composites": []}
    numbers = parts.begin_run("simulated", {}, {}, registered, documents=len(wanted), explanations=len(wanted))
    template = one_document()
    others = {name: frame for name, frame in template.frames.items() if name not in ("document", "explanation")}
    files = {name: stored(Path(parts.place.root, name, "template"), frame) for name, frame in others.items()}
    for place, asked in enumerate(wanted.iter_slices(DOCUMENTS)):
        held = {name: each * len(asked) for name, each in others_of(template, rows / len(wanted)).items()}
        yield written(
            parts, template, asked, replace(numbers, document=place * DOCUMENTS + 1, explanation=place * DOCUMENTS + 1), files, held
        )


def one_document() -> Prepared:
    """One document's rows of every table."""
    preparation = Preparation([(name, "", "model", {}) for name in synthetic.MODELS])
    try:
        return preparation.prepare(synthetic.batch(["a"]))
    finally:
        preparation.close()


def others_of(template: Prepared, rows: float) -> dict[str, int]:
    """Rows a document of tables beside documents and explanations, where token relevance has so many."""
    scale = rows / len(template.frames["token_relevance"])
    return {name: max(1, round(len(frame) * scale)) for name, frame in template.frames.items() if name not in ("document", "explanation")}


def stored(path: Path, frame: pl.DataFrame) -> tuple[Path, int, str]:
    """A file with a frame; its path, bytes and hash."""
    data = part.parquet(frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path, len(data), hashlib.sha256(data).hexdigest()


def written(
    parts: Parts, template: Prepared, asked: pl.DataFrame, numbers: Numbers, files: dict[str, tuple[Path, int, str]], held: dict[str, int]
) -> Part:
    """The part of some documents."""
    count = len(asked)
    document = template.frames["document"].drop("corpus", "identifier", "document").join(
        asked.select("corpus", "identifier").with_columns(pl.int_range(1, count + 1, dtype=pl.Int32).alias("document")), how="cross"
    ).select(template.frames["document"].columns)  # fmt: skip
    explanation = template.frames["explanation"].head(1).drop("fingerprint", "document", "explanation").join(
        asked.select("fingerprint").with_columns(
            pl.int_range(1, count + 1, dtype=pl.Int32).alias("document"), pl.int_range(1, count + 1, dtype=pl.Int32).alias("explanation")
        ), how="cross",
    ).select(template.frames["explanation"].columns)  # fmt: skip
    name = f"{asked['fingerprint'][0][:16]}-{numbers.document:016}"
    kept = {name: (held[name], size, sha) for name, (_, size, sha) in files.items()}
    for table, frame in (("document", document), ("explanation", explanation)):
        _, size, sha = stored(Path(parts.place.root, part.file(table, name)), part.numbered(frame, numbers))
        kept[table] = (count, size, sha)
    for table, (source, _, _) in files.items():
        os.link(source, Path(parts.place.root, part.file(table, name)))
    return Part(
        name, numbers.run, template.schema, numbers.document, numbers.explanation, count, part.digest(document), count,
        part.digest(explanation), 0.0, name, kept, {"wanted": count},
    )  # fmt: skip
