"""Lexicons: what is read, how it is looked up, what is refused."""

from pathlib import Path

import pytest

from workbench.annotation import read_lexicon
from workbench.annotation.lexicon import identity_words
from workbench.errors import AnnotationError


def test_looked_up_in_nfc_without_joiners(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text(
        "\ufeff# term and category\n\nশু\u09dfোর\tanimal\nর\u200d্যাব\tpolice\nদিন\ttime\nদিন\ttime\nদিন\tgive\n", encoding="utf-8"
    )
    lexicon = read_lexicon(path)
    assert lexicon.name == "terms"
    assert len(lexicon) == 3
    assert lexicon.get("শুয\u09bcোর") == "animal"
    assert lexicon.get("র্যাব") == "police"
    assert lexicon.get("দিন") == "time"
    assert lexicon.get("রাত") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no entries"),
        (b"one\n", r"line 1 has 1 column"),
        (b"a\tb\tc\n", r"line 1 has 3 column"),
        (b"a\tb\n\tc\n", r"line 2 has 2 column"),
        (b"a\t\xff\n", "byte 2 is not UTF-8"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.tsv"
    path.write_bytes(content)
    with pytest.raises(AnnotationError, match=message):
        read_lexicon(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="No such file"):
        read_lexicon(tmp_path / "none.tsv")


def test_identity_words_come_along_for_bengali() -> None:
    found = identity_words("bn")
    assert found is not None
    assert {found.get("হিন্দু"), found.get("ভারত"), found.get("রোহিঙ্গা"), found.get("নারী")} == {"religion", "nation", "people", "gender"}
    assert found.get("মিয়ানমার") == found.get("মিয়ানমার") == "nation"
    assert identity_words("tlh") is None
