"""The same sentences in several languages: any pair of them, tables beside them, and files that do not belong together."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import regex

from workbench.corpora import Declaration, find, language_of, read
from workbench.errors import InputError

Write = Callable[..., Declaration]

SAMPLE = "translation-sample"
SCRIPTS = {"en": "Latin", "fr": "Latin", "gu": "Gujarati", "kk": "Cyrillic"}
FIELDS = {"segments": {"source": "source", "reference": "reference"}, "metadata": ["line", "languages"]}
FILES = {"owls.en": "an owl\na hen\n", "owls.fr": "une chouette\nune poule\n", "owls.de": "eine Eule\neine Henne\n"}


def zoo(corpus: Write, files: dict[str, str], fields: dict[str, Any] = FIELDS, **more: Any) -> Declaration:
    declared = [{"path": name, "split": "test", **beside(name)} for name in files]
    return corpus(files, "parallel_languages", fields, declared=declared, **more)


def beside(name: str) -> dict[str, str]:
    stem, _, ending = name.rpartition(".")
    return {"part": stem} if ending == "tsv" else {"language": ending}


def test_any_two_languages_are_source_and_reference(corpus: Write) -> None:
    first, second = read(zoo(corpus, FILES), languages="fr-de")
    assert first.segments == {"source": "une chouette", "reference": "eine Eule"}
    assert (first.identifier, second.identifier, first.language) == ("test-fr-de-00001", "test-fr-de-00002", "mul")
    assert first.metadata == {"line": "test-00001", "languages": {"source": "fr", "reference": "de"}}
    assert [language_of(first, role) for role in ("source", "reference")] == ["fr", "de"]
    assert [one.segments for one in read(zoo(corpus, FILES), languages="fr=de")] == [one.segments for one in (first, second)]


def test_one_language_goes_into_english_or_the_one_that_is_named(corpus: Write) -> None:
    assert Counter(language_of(one, "source") for one in read(zoo(corpus, FILES))) == {"fr": 2, "de": 2}
    assert {one.segments["reference"] for one in read(zoo(corpus, FILES), languages="de")} == {"an owl", "a hen"}
    into_german = zoo(corpus, FILES, options={"into": "de"})
    assert [one.identifier for one in read(into_german, languages="en")] == ["test-en-de-00001", "test-en-de-00002"]
    assert list(read(into_german, languages="de")) == []


def test_a_table_beside_the_languages_says_something_of_every_line(corpus: Write) -> None:
    fields = {**FIELDS, "label": "kind", "metadata": ["article"]}
    tables = {"kind.tsv": "night\nday\n", "article.tsv": "number\tarticle\n1\ta-1\n2\ta-2\n"}
    documents = list(read(zoo(corpus, FILES | tables, fields), languages="fr-en"))
    assert [(one.label, one.metadata["article"]) for one in documents] == [("night", "a-1"), ("day", "a-2")]
    reading = read(zoo(corpus, FILES | tables | {"article.tsv": "number\tarticle\n1\ta-1\n2\n"}, fields), languages="fr-en")
    assert len(list(reading)) == 1
    assert "1 columns, 'article' is number 2" in reading.report.rejected[0].reason


def test_files_of_unequal_length_are_refused_with_all_their_numbers(corpus: Write) -> None:
    with pytest.raises(InputError, match=r"owls\.fr has 2 lines, owls\.en has 3 lines"):
        list(read(zoo(corpus, FILES | {"owls.en": "an owl\na hen\na cock\n"}), languages="fr-en"))


def test_an_empty_line_is_refused_and_the_others_are_read(corpus: Write) -> None:
    reading = read(zoo(corpus, FILES | {"owls.fr": "une chouette\n \n"}), languages="fr-en")
    assert [one.identifier for one in reading] == ["test-fr-en-00001"]
    assert [(one.identifier, "an empty text (source)" in one.reason) for one in reading.report.rejected] == [("test-fr-en-00002", True)]


def test_a_language_that_is_not_there_is_refused(corpus: Write) -> None:
    with pytest.raises(InputError, match="in the languages 'fr-es'"):
        read(zoo(corpus, FILES), languages="fr-es")
    declared = [{"path": "a.fr", "language": "fr", "split": "a"}, {"path": "b.en", "language": "en", "split": "b"}]
    apart = corpus({"a.fr": "oui\n", "b.en": "yes\n"}, "parallel_languages", FIELDS, declared=declared)
    with pytest.raises(InputError, match="0 files with language = 'en' and split = 'a'"):
        list(read(apart, languages="fr-en"))
    with pytest.raises(InputError, match="without a language"):
        list(read(corpus({"a.fr": "oui\n"}, "parallel_languages", FIELDS)))


def test_the_sample_is_written_in_its_languages() -> None:
    reading = read(find(SAMPLE))
    documents = list(reading)
    assert reading.report.rejected == []
    assert Counter(language_of(one, "source") for one in documents) == {"fr": 24, "gu": 24, "kk": 24}
    assert Counter(one.label for one in documents) == {"caption": 30, "scripture": 21, "news": 18, "question": 3}
    assert len({one.segments["source"] for one in documents}) == 72
    for document in documents:
        for role, text in document.segments.items():
            assert unicodedata.is_normalized("NFC", text)
            assert regex.search(r"[.?]$", text)
            script = SCRIPTS[str(language_of(document, role))]
            assert all(regex.match(rf"\p{{{script}}}", letter) for letter in regex.findall(r"\p{L}", text))


@pytest.mark.parametrize(
    ("name", "split", "languages", "documents", "rejected", "metadata"),
    [
        ("multi30k", "test-2016", "fr-en", 1000, 0, {}),
        ("multi30k", "test-2017", "en-de", 1000, 0, {}),
        ("multi30k", "test-2017-mscoco", "fr-en", 461, 0, {}),
        ("multi30k", "test-2018", "fr-en", 1071, 0, {}),
        ("multi30k", "val", "fr-en", 1014, 0, {}),
        ("flores-devtest", None, "gu-en", 1012, 0, {"domain": "wikinews"}),
        ("ntrex", None, "kk-fr", 1997, 0, {"article": "bbc.381790"}),
        ("newstest2019", "gu-en", "gu-en", 1016, 0, {}),
        ("newstest2019", "kk-en", "kk-en", 1000, 0, {}),
        ("newstest2019", "en-kk", "en-kk", 998, 0, {}),
        ("newstest2013", None, "fr-en", 3000, 0, {}),
        ("tatoeba-test", "laser-kk", "kk-en", 575, 0, {}),
        ("gujarati-testament", None, None, 7807, 0, {"languages": {"source": "gu", "reference": "en"}}),
        ("kazakh-government", None, None, 11813, 0, {"origin": "economy_gov_kz", "alignment": 0.739201}),
    ],
)
def test_corpora_of_the_mirror(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, name: str, split: str | None, languages: str | None, documents: int, rejected: int,
    metadata: dict[str, Any],
) -> None:  # fmt: skip
    monkeypatch.setenv("WORKBENCH_MIRROR", str(mirror))
    reading = read(find(name), split, languages=languages)
    first, *others = reading
    assert (1 + len(others), len(reading.report.rejected)) == (documents, rejected)
    assert set(first.segments) == {"source", "reference"}
    assert {key: first.metadata[key] for key in metadata} == metadata
    asked = languages.split("-") if languages else ["gu" if name.startswith("gu") else "kk", "en"]
    assert [language_of(first, role) for role in ("source", "reference")] == asked
