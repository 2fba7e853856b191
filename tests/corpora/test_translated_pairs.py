"""Pairs in several languages: joined by row or by key, as pairs or as translations, refused where rows do not belong together."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workbench.corpora import Declaration, language_of, read
from workbench.corpora.languages import LanguagePair, language_pairs
from workbench.document import Document
from workbench.errors import InputError

Write = Callable[..., Declaration]

FIELDS = {
    "segments": {"text_a": "one", "text_b": "two"},
    "similarity": "score",
    "scale": [0, 5],
    "metadata": ["row", "languages", "side"],
}
DECLARED = [
    {"path": f"{split}-{language}.csv", "split": split, "language": language} for split in ("dev", "test") for language in ("en", "de")
]
OPTIONS = {"header": "one,two,score"}
FILES = {
    "dev-en.csv": "an owl,a bird,3\n",
    "dev-de.csv": "eine Eule,ein Vogel,3\n",
    "test-en.csv": "a hen,a cock,2.5\nmice,a mouse,4\n",
    "test-de.csv": "eine Henne,ein Hahn,2.5\nMäuse,eine Maus,4\n",
}


def zoo(corpus: Write, **changed: str) -> Declaration:
    files = {**FILES, **{name.replace("_", "-") + ".csv": content for name, content in changed.items()}}
    return corpus(files, "translated_pairs", FIELDS, declared=DECLARED, options=OPTIONS)


def texts(document: Document) -> tuple[str, str]:
    return document.segments["text_a"], document.segments["text_b"]


def test_one_language_is_the_pairs_of_its_file(corpus: Write) -> None:
    first, second = read(zoo(corpus), "test", languages="de")
    assert (first.identifier, texts(first), first.language) == ("test-de-00001", ("eine Henne", "ein Hahn"), "de")
    assert first.metadata == {"row": "test-00001", "languages": {"text_a": "de", "text_b": "de"}, "side": None, "similarity": 2.5}
    assert second.metadata["similarity"] == 4.0


def test_two_languages_are_joined_by_row(corpus: Write) -> None:
    first, second = read(zoo(corpus), "test", languages=["en-de"])
    assert texts(first) == ("a hen", "ein Hahn")
    assert texts(second) == ("mice", "eine Maus")
    assert (first.identifier, first.language, first.metadata["row"], first.metadata["similarity"]) == (
        "test-en-de-00001",
        "mul",
        "test-00001",
        2.5,
    )
    assert [language_of(first, role) for role in ("text_a", "text_b")] == ["en", "de"]
    other_way = next(iter(read(zoo(corpus), "test", languages="de-en")))
    assert texts(other_way) == ("eine Henne", "a cock")
    assert other_way.metadata["row"] == first.metadata["row"]


def test_translations_are_each_text_in_two_languages(corpus: Write) -> None:
    found = list(read(zoo(corpus), "test", languages="en=de"))
    assert [texts(document) for document in found] == [
        ("a hen", "eine Henne"),
        ("a cock", "ein Hahn"),
        ("mice", "Mäuse"),
        ("a mouse", "eine Maus"),
    ]
    assert [document.metadata["side"] for document in found] == ["a", "b", "a", "b"]
    assert [document.metadata["similarity"] for document in found] == [None] * 4
    assert found[1].identifier == "test-en=de-00001-b"


def test_without_a_choice_every_language_is_read_by_itself(corpus: Write) -> None:
    found = list(read(zoo(corpus)))
    assert [document.identifier for document in found] == [
        "dev-en-00001", "test-en-00001", "test-en-00002", "dev-de-00001", "test-de-00001", "test-de-00002",
    ]  # fmt: skip
    assert [document.identifier for document in read(zoo(corpus), limit=1, languages=["de-en", "en"])] == ["dev-de-en-00001"]


def test_two_corpora_of_the_same_rows_have_no_identifier_in_common(corpus: Write) -> None:
    reading = read(zoo(corpus), languages=["en", "de", "en-de", "de-en", "en=de"])
    names = [document.identifier for document in reading]
    assert len(set(names)) == len(names) == 3 * 4 + 6
    assert reading.report.rejected == []


def test_rows_that_do_not_belong_together(corpus: Write) -> None:
    with pytest.raises(InputError, match=r"test-en\.csv has 2 rows, test-de\.csv has 1 rows"):
        list(read(zoo(corpus, test_de="eine Henne,ein Hahn,2.5\n"), "test", languages="en-de"))
    shifted = "Mäuse,eine Maus,4\neine Henne,ein Hahn,2.5\n"
    with pytest.raises(InputError, match=r"score is '2\.5' in test-en\.csv line 1 and '4' in test-de\.csv line 1"):
        list(read(zoo(corpus, test_de=shifted), "test", languages="en-de"))
    assert len(list(read(zoo(corpus, test_de=shifted), "test", languages="de"))) == 2


def test_an_empty_side_refuses_its_pair_alone(corpus: Write) -> None:
    reading = read(zoo(corpus, test_de="eine Henne,  ,2.5\nMäuse,eine Maus,4\n"), "test", languages="en-de")
    assert [document.identifier for document in reading] == ["test-en-de-00002"]
    assert [item.reason for item in reading.report.rejected] == ["test-en.csv line 1: an empty text (two)"]


def test_a_broken_row_names_the_file_it_stands_in(corpus: Write) -> None:
    reading = read(zoo(corpus, test_de="eine Henne,ein Hahn\nMäuse,eine Maus,4\n"), "test", languages="en-de")
    assert [document.metadata["row"] for document in reading] == ["test-00002"]
    assert "test-de.csv: 2 fields, the header has 3" in reading.report.rejected[0].reason


def test_a_missing_column_is_one_error(corpus: Write) -> None:
    declared = corpus(
        {**FILES, "test-de.csv": "one,zwei,score\neine Henne,ein Hahn,2.5\n"}, "translated_pairs", FIELDS, declared=DECLARED
    )  # fmt: skip
    with pytest.raises(InputError, match="no column 'two'; the columns are 'one', 'zwei', 'score'"):
        list(read(declared, "test", languages="de"))


@pytest.mark.parametrize(
    ("score", "said"),
    [
        ("many", "'many' is no number (score)"),
        ("7", "7 is not within the scale from 0 to 5 (score)"),
        ("nan", "nan is no finite number (score)"),
    ],
)
def test_a_similarity_that_is_none(score: str, said: str, corpus: Write) -> None:
    reading = read(zoo(corpus, test_en=f"a hen,a cock,{score}\nmice,a mouse,4\n"), "test", languages="en")
    assert len(list(reading)) == 1
    assert reading.report.rejected[0].reason == f"test-en.csv line 1: {said}"


def test_a_pair_that_nobody_graded_is_kept_and_counted(corpus: Write) -> None:
    reading = read(zoo(corpus, test_en="a hen,a cock,\nmice,a mouse,4\n"), "test", languages="en")
    assert [document.metadata["similarity"] for document in reading] == [None, 4.0]
    assert reading.report.traps == {"pair without a gold similarity": 1}


KEYED = {
    "en.csv": "name,one,two\nhen,a hen,a cock\nowl,an owl,a bird\n",
    "de.csv": "name,one,two\nowl,eine Eule,ein Vogel\nmouse,eine Maus,Mäuse\n",
}
KEYED_FIELDS = {"segments": {"text_a": "one", "text_b": "two"}, "metadata": ["row"]}
KEYED_FILES = [{"path": "en.csv", "language": "en"}, {"path": "de.csv", "language": "de"}]


def test_rows_joined_by_a_column(corpus: Write) -> None:
    reading = read(corpus(KEYED, "translated_pairs", KEYED_FIELDS, declared=KEYED_FILES, options={"key": "name"}), languages="en-de")
    (document,) = reading
    assert (document.identifier, texts(document), document.metadata) == ("owl-en-de", ("an owl", "ein Vogel"), {"row": "owl"})
    assert reading.report.traps == {"row in one of the two languages only": 2}


def test_a_key_that_stands_twice(corpus: Write) -> None:
    files = {**KEYED, "de.csv": KEYED["de.csv"].replace("mouse", "owl")}
    with pytest.raises(InputError, match=r"2 rows with 1 different values of 'name' in de\.csv"):
        list(read(corpus(files, "translated_pairs", KEYED_FIELDS, declared=KEYED_FILES, options={"key": "name"}), languages="en-de"))


@pytest.mark.parametrize("asked", ["pt", "en-pt", "en=en", "en-en", [], ["en", ""]])
def test_languages_that_are_not_there(asked: str | list[str], corpus: Write) -> None:
    with pytest.raises(InputError, match=r"languages en, de\n.*a pair of them \('en-de'\)"):
        read(zoo(corpus), "test", languages=asked)


def test_languages_of_a_corpus_in_one_language(corpus: Write) -> None:
    declared = corpus({"a.csv": "text\na hen\n"}, "delimited")
    with pytest.raises(InputError, match="a corpus in one language, 'bn'"):
        read(declared, languages="en-de")
    (document,) = read(declared)
    assert language_of(document, "text") == "bn"
    assert language_of(Document("zoo", "1", {"text_a": "a", "text_b": "b"}, language="mul"), "text_a") is None


def test_a_file_for_each_language_and_split(corpus: Write) -> None:
    declared = corpus(FILES, "translated_pairs", FIELDS, declared=DECLARED[:-1], options=OPTIONS)
    with pytest.raises(InputError, match=r"0 files with language = 'de' and split = 'test'"):
        list(read(declared, "test", languages="en-de"))
    plain = corpus({"a.csv": "one,two\na,b\n"}, "translated_pairs", {"segments": {"text_a": "one", "text_b": "two"}})
    with pytest.raises(InputError, match="files without a language"):
        list(read(plain))


def test_languages_with_a_region_are_told_apart(corpus: Write) -> None:
    files = [{"path": "en.csv", "language": "en-GB"}, {"path": "de.csv", "language": "de"}]
    declared = corpus(KEYED, "translated_pairs", KEYED_FIELDS, declared=files, options={"key": "name"})
    assert language_pairs(declared, "en-GB-de") == (LanguagePair("en-GB", "de"),)
    assert [document.identifier for document in read(declared, languages=["en-GB-de", "en-GB"])] == [
        "owl-en-GB-de",
        "hen-en-GB",
        "owl-en-GB",
    ]


def test_a_scale_without_a_similarity_is_no_declaration(corpus: Write) -> None:
    with pytest.raises(InputError, match="goes from the least to the most similar"):
        corpus(FILES, "delimited", {"segments": {"text": "one"}, "scale": [0, 5]})
