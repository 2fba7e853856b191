"""Registering a file of one's own: what is seen from its content."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from workbench.corpora import add, fetch, find, read
from workbench.errors import InputError

ROW = {"id": 1, "Comment": "ক, খ", "Category": "x"}


def write(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("posts.csv", 'id,Comment,Category\n1,"ক, খ",x\n'),
        ("posts.csv", "id;Comment;Category\n1;ক, খ;x\n"),
        ("posts.tsv", "id\tComment\tCategory\n1\tক, খ\tx\n"),
        ("posts.tsv", 'id\tComment\tCategory\n1\t"ক, খ"\tx\n'),
        ("posts.jsonl", json.dumps(ROW) + "\n"),
        ("posts.ndjson", "\n" + json.dumps(ROW) + "\n"),
    ],
)
def test_text_and_label_are_found(name: str, content: str, tmp_path: Path) -> None:
    added = add(write(tmp_path, name, content), "mine")
    assert added["declaration"] == str(tmp_path / "own" / "mine" / "corpus.toml")
    (document,) = read(find("mine"))
    assert document.segments["text"] == "ক, খ"
    assert document.label == "x"
    assert fetch("mine")["documents"] == 1


def test_parquet_text_files_and_datasets(tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"sentence": ["ক"], "label": [1]}), tmp_path / "a.parquet")
    add(tmp_path / "a.parquet", "columns")
    assert [document.label for document in read(find("columns"))] == ["1"]
    add(write(tmp_path, "a.txt", "ক\nখ\n"), "plain")
    assert len(list(read(find("plain")))) == 2
    (tmp_path / "set").mkdir()
    pa.parquet.write_table(pa.table({"sentence": ["ক"]}), tmp_path / "set" / "train.parquet")
    add(tmp_path / "set", "shards")
    assert len(list(read(find("shards")))) == 1


def test_what_is_said_counts(tmp_path: Path) -> None:
    path = write(tmp_path, "posts.data", '{"a": "ক", "b": "y"}\n')
    added = add(path, "mine", reader="jsonl", text="a", label="b")
    assert added["reader"] == "jsonl"
    assert [document.label for document in read(find("mine"))] == ["y"]


def test_a_file_of_ones_own_may_change(tmp_path: Path) -> None:
    path = write(tmp_path, "posts.csv", "text\nক\n")
    add(path, "mine")
    path.write_text("text\nক\nখ\n", encoding="utf-8")
    assert len(list(read(find("mine")))) == 2


@pytest.mark.parametrize("title", ['odd "name".csv', "নাম.csv", "a\\b.csv"])
def test_odd_file_names(title: str, tmp_path: Path) -> None:
    add(write(tmp_path, title, "text\nক\n"), "mine")
    assert find("mine").title == title


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("posts.csv", "a,b\nক,1\n", "no column that is surely the text among 'a', 'b'\n  do: name it: --text COLUMN"),
        ("posts.data", "x", "--reader conllu|delimited"),
        ("posts.csv", "", "an empty file"),
        ("posts.jsonl", '{"text": ""}\n', "posts.jsonl line 1: an empty text"),
    ],
)
def test_nothing_stays_when_it_cannot_be_read(name: str, content: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        add(write(tmp_path, name, content), "mine")
    assert said in str(caught.value)
    assert not (tmp_path / "own" / "mine").exists()


def test_names(tmp_path: Path) -> None:
    path = write(tmp_path, "posts.csv", "text\nক\n")
    for name in ("", "Mine", "../mine", "a b", "-a", "নাম"):
        with pytest.raises(InputError, match="small letters"):
            add(path, name)
    with pytest.raises(InputError, match="a corpus of that name in"):
        add(path, "bengali-hate-sample")
    with pytest.raises(InputError, match="no such file"):
        add(tmp_path / "gone.csv", "mine")
