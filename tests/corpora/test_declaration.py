"""Declarations and where they are found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.corpora import Declaration, catalogue, find, list_corpora, show
from workbench.corpora.catalogue import look
from workbench.corpora.declaration import load
from workbench.errors import InputError

Write = Callable[..., Declaration]

WHOLE = """name = "zoo"
title = "A corpus"
language = "bn"
licence = "CC0-1.0"
reader = "jsonl"
[source]
text = "made for a test"
[[source.files]]
path = "a.jsonl"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('reader = "jsonl"', "", "reader: Field required"),
        ('language = "bn"', 'language = "Bengali"', "language: String should match"),
        ('title = "A corpus"', 'titel = "A corpus"', "titel: Extra inputs are not permitted"),
        ('title = "A corpus"', "title = A corpus", "not valid TOML"),
        ('name = "zoo"', 'name = "menagerie"', "in the folder 'zoo'"),
        ('name = "zoo"', 'name = "zoo"\nfolder = "/"', "the key 'folder'"),
        ('path = "a.jsonl"', 'path = "a.jsonl"\nsha256 = "abc"', "source.files.0.sha256: String should match"),
        ('path = "a.jsonl"', 'path = "a.jsonl"\nurl = "http://a.org/a"', "source.files.0.url: String should match"),
        ('text = "made for a test"', 'text = "a"\nmirror = "../secret"', "leaves the corpus folder"),
        ('text = "made for a test"', 'text = "a"\nmirror = "/etc"', "leaves the corpus folder"),
        ('path = "a.jsonl"', 'path = "../a"\nurl = "https://a.org/a"', "leaves the corpus folder"),
        ('path = "a.jsonl"', 'path = "a.jsonl"\nrole = "summary"', "source.files.0.role: Input should be 'text'"),
        ('[[source.files]]\npath = "a.jsonl"', "files = []", "source.files: Tuple should have at least 1 item"),
        ('path = "a.jsonl"', 'path = "a.jsonl"\n[limits]\nrows = 0', "limits.rows: Input should be greater than 0"),
    ],
)
def test_a_wrong_declaration_says_which_key(old: str, new: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "zoo" / "corpus.toml"
    path.parent.mkdir()
    path.write_text(WHOLE.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    assert said in str(caught.value)
    assert str(path) in caught.value.asked


def test_a_declaration_that_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "corpus.toml"
    path.write_bytes(b"title = '\xff'")
    with pytest.raises(InputError, match="invalid UTF-8 at byte offset 9"):
        load(path)
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "gone.toml")


def test_own_corpora_come_before_those_of_the_workbench(corpus: Write) -> None:
    own = corpus({"a.jsonl": '{"text": "a"}\n'}, name="bengali-hate-sample")
    assert find("bengali-hate-sample") == own
    assert [found.folder for found in catalogue() if found.name == "bengali-hate-sample"] == [own.folder]


def test_the_working_directory_is_searched(tmp_path: Path, corpus: Write) -> None:
    corpus({"a.jsonl": '{"text": "a"}\n'})
    (tmp_path / "own").rename(tmp_path / "corpora")
    assert find("zoo").folder == tmp_path / "corpora" / "zoo"


def test_the_workbench_brings_its_corpora() -> None:
    assert {"bengali-hate", "bengali-hate-sample"} <= {found.name for found in catalogue()}


def test_a_corpus_that_is_not_there() -> None:
    with pytest.raises(InputError, match="did you mean 'bengali-hate'") as caught:
        find("bengali-hatte")
    assert "bengali-hate-sample" in caught.value.found


def test_one_broken_declaration_hides_no_other(corpus: Write, tmp_path: Path) -> None:
    corpus({"a.jsonl": '{"text": "a"}\n'})
    (tmp_path / "own" / "broken").mkdir()
    (tmp_path / "own" / "broken" / "corpus.toml").write_text("name =", encoding="utf-8")
    found, broken = look()
    assert "zoo" in {declaration.name for declaration in found}
    assert set(broken) == {"broken"}
    rows = {row["name"]: row["problem"] for row in list_corpora()}
    assert rows["zoo"] is None
    assert "not valid TOML" in str(rows["broken"])
    with pytest.raises(InputError, match="not valid TOML"):
        find("broken")


def test_showing_a_corpus() -> None:
    shown = show("bengali-hate-sample")
    assert shown["selections"] == ["train", "train:clean", "validation", "validation:clean", "test", "test:clean"]
    assert isinstance(shown["documents"], list)
    assert len(shown["documents"]) == 3
    assert shown["problem"] is None
    assert shown["licence"] == "Apache-2.0"


def test_showing_a_corpus_that_is_not_here() -> None:
    shown = show("bengali-hate")
    assert shown["documents"] == []
    assert "WORKBENCH_MIRROR" in str(shown["problem"])
    assert "research" in str(shown["licence_note"])
