"""The embedded lexicons: words that translate each other, in both orders of the languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.annotation.translations import FOLDER, pairs, read, translations
from workbench.errors import AnnotationError

SURE = {
    "de": {("dog", "hund"), ("house", "haus"), ("woman", "frau"), ("government", "regierung"), ("water", "wasser")},
    "fr": {("dog", "chien"), ("house", "maison"), ("woman", "femme"), ("government", "gouvernement"), ("water", "eau")},
    "es": {("dog", "perro"), ("house", "casa"), ("woman", "mujer"), ("government", "gobierno"), ("water", "agua")},
}


@pytest.mark.parametrize("language", SURE)
def test_common_words_have_their_translations(language: str) -> None:
    found = translations("en", language)
    assert SURE[language] <= found
    assert 2000 < len(found) < 10_000


@pytest.mark.parametrize("language", SURE)
def test_the_order_of_the_languages_is_that_of_the_words(language: str) -> None:
    assert {(other, english) for english, other in SURE[language]} <= translations(language, "en")
    assert len(translations(language, "en")) == len(translations("en", language))


@pytest.mark.parametrize("language", SURE)
def test_words_are_case_folded_and_never_their_own_translation(language: str) -> None:
    for english, other in translations("en", language):
        assert english == english.casefold()
        assert other == other.casefold()
        assert english != other


def test_languages_without_a_lexicon_have_no_translations() -> None:
    assert translations("en", "bn") == translations("en", "en") == translations("", "../x") == frozenset()
    assert pairs() == [("en", "de"), ("en", "es"), ("en", "fr")]


def test_the_card_states_how_many_there_are() -> None:
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    for first, second in pairs():
        lines = (FOLDER / f"{first}-{second}.tsv").read_text(encoding="utf-8").splitlines()
        assert f"| `{first}-{second}.tsv` | {len(lines)} |" in card


def test_a_broken_lexicon_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "en-xx.tsv").write_text("dog\thund\t0.9\ncat\tkatze\n", encoding="utf-8")
    with pytest.raises(AnnotationError, match="line 2 has 2 column"):
        read(tmp_path / "en-xx.tsv")
