"""Sources of a pipeline: files, folders of them, datasets on disk and queries over databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from workbench.document import Document
from workbench.errors import InputError, PipelineError
from workbench.pipeline.corpus_choice import CorpusChoice
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.documents import documents

FIELDS = {"segments": {"text": "body"}, "label": "queue", "identifier": "id"}


def pipeline(*sources: dict[str, Any], fields: dict[str, Any] | None = None) -> Pipeline:
    return Pipeline.model_validate(
        {"name": "p", "corpus": {"name": "tickets", "sources": sources, "fields": fields or FIELDS, "language": "en"},
         "model": {"name": "m"}, "annotation": {"pipeline": "blank:en"}}
    )  # fmt: skip


def read(*sources: dict[str, Any], fields: dict[str, Any] | None = None) -> list[Document]:
    return documents(pipeline(*sources, fields=fields))[1]


@pytest.fixture
def frame() -> pl.DataFrame:
    return pl.DataFrame({"id": [3, 1, 2], "body": ["first text", "second text", "third text"], "queue": ["a", "b", "a"]})


def test_a_folder_is_read_file_by_file_and_a_new_file_brings_new_documents(tmp_path: Path, frame: pl.DataFrame) -> None:
    folder = tmp_path / "in"
    (folder / "2026").mkdir(parents=True)
    frame.write_parquet(folder / "2026" / "b.parquet")
    (folder / "a.jsonl").write_text('{"id": "7", "body": "from JSON", "queue": "c"}\n')
    (folder / "notes.txt").write_text("no source")
    (folder / "_half.parquet").write_text("still being written")
    declaration, found, report = documents(pipeline({"path": str(folder)}))
    assert [(one.identifier, one.segments["text"], one.label) for one in found] == [
        ("3", "first text", "a"), ("1", "second text", "b"), ("2", "third text", "a"), ("7", "from JSON", "c"),
    ]  # fmt: skip
    assert (declaration.name, declaration.language) == ("tickets", "en")
    assert any("another kind" in line for line in report.lines())
    (folder / "c.csv").write_text("id,body,queue\n9,from CSV,d\n")
    assert {one.identifier for one in read({"path": str(folder)})} == {"3", "1", "2", "7", "9"}


def test_rows_without_identifiers_are_named_by_their_file(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"body": "one"}\n{"body": "two"}\n')
    found = read({"path": str(tmp_path)}, fields={"segments": {"text": "body"}})
    assert [one.identifier for one in found] == ["x.jsonl-00001", "x.jsonl-00002"]


def test_a_dataset_folder_and_several_sources_with_their_splits(tmp_path: Path, frame: pl.DataFrame) -> None:
    folder = tmp_path / "dataset"
    folder.mkdir()
    import pyarrow as pa

    table = frame.with_columns(pl.col("id").cast(pl.String) + "-saved").to_arrow()
    with pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": "train"}))
    frame.write_parquet(tmp_path / "more.parquet")
    found = read({"path": str(folder), "split": "saved"}, {"path": str(tmp_path / "more.parquet"), "split": "new"})
    assert [(one.split, one.identifier) for one in found] == [
        ("saved", "3-saved"), ("saved", "1-saved"), ("saved", "2-saved"), ("new", "3"), ("new", "1"), ("new", "2"),
    ]  # fmt: skip


def test_a_query_over_another_database_reads_and_never_writes(tmp_path: Path, frame: pl.DataFrame) -> None:
    path = tmp_path / "database.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.register("frame", frame)
        connection.execute("CREATE SCHEMA crm; CREATE TABLE crm.ticket AS SELECT * FROM frame")
    query = "SELECT id, upper(body) AS body, queue FROM crm.ticket WHERE queue = 'a' ORDER BY id"
    found = read({"path": str(path), "query": query})
    assert [(one.identifier, one.segments["text"]) for one in found] == [("2", "THIRD TEXT"), ("3", "FIRST TEXT")]
    for wrong, said in (
        ("DELETE FROM crm.ticket", "does not read"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("SELECT * FROM nowhere", "nowhere"),
        ("SELEC", "SELEC"),
        ("SELECT id, queue FROM crm.ticket", "no column 'body'"),
    ):
        with pytest.raises(InputError, match=said):
            read({"path": str(path), "query": wrong})
    with pytest.raises(InputError, match="rows without an identifier"):
        read({"path": str(path), "query": query}, fields={"segments": {"text": "body"}})
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT count(*) FROM crm.ticket").fetchall() == [(3,)]


def test_a_server_takes_no_password_from_a_declaration() -> None:
    for place in ("postgres:host=db dbname=crm password=secret", "postgresql://me:secret@db/crm"):
        with pytest.raises(InputError, match="PGPASSWORD") as refused:
            read({"path": place, "query": "SELECT 1"})
        assert "secret" not in refused.value.asked
    with pytest.raises(InputError, match=r"no DuckDB extension|connect"):
        read({"path": "postgres:host=127.0.0.1 port=1 dbname=crm connect_timeout=1", "query": "SELECT 1"})


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.docx").write_text("x")
    for path, said in ((tmp_path / "x.docx", "ending"), (tmp_path / "nowhere.jsonl", "no such file"), (tmp_path, "no file that ends in")):
        with pytest.raises(InputError, match=said):
            read({"path": str(path)})
    with pytest.raises(PipelineError, match="segments"):
        read({"path": str(tmp_path)}, fields={"segment": {"text": "x"}})
    with pytest.raises(ValueError, match="declares its own fields"):
        CorpusChoice(name="posts", fields=FIELDS)
