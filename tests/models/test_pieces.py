"""Repositories with SentencePiece files alone: the library's own numbers, and the place of every piece in its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models import sentencepiece_repositories as repositories
from workbench.errors import InputError, ModelError
from workbench.models.encode import tokenizer_losses
from workbench.models.translation import load_translator, source_of, target_of, translate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pieces")
    repositories.save_marian(place / "marian")
    repositories.save_marian(place / "several", codes=("fra", "spa"), left_out=("at",))
    repositories.save_m2m(place / "m2m")
    return place


def read(text: str, spans: tuple[tuple[int, int], ...]) -> str:
    return "".join(text[start:end] for start, end in spans)


@pytest.mark.parametrize("text", ["le chat dort .", "  L’été,  déjà ﬁni : ça n'est   pas noir !", "\tun 🐈 noir."])
@pytest.mark.parametrize("name", ["marian", "m2m"])
def test_pieces_are_the_tokenizers_own_and_stand_in_the_text(folder: Path, name: str, text: str) -> None:
    codes = {"source_language": "fr", "target_language": "en"} if name == "m2m" else {}
    model = load_translator(str(folder / name), **codes)
    for found, given in ((source_of(model, text), {"text": text}), (target_of(model, text), {"text_target": text})):
        own = model.tokenizer(**given)["input_ids"]
        assert list(found.ids) in (own, own[1:])  # a target without the code of its language
        assert read(text, found.spans) == "".join(text.split())
        assert (found.special[-1], sum(found.special), found.coverage) == (True, 1 + (name == "m2m" and len(found) == len(own)), 1.0)


def test_source_and_target_are_cut_by_their_own_files(folder: Path) -> None:
    model = load_translator(str(folder / "marian"))
    (one,) = translate(model, ["le chat dort ."], beams=2)
    assert isinstance(one, str)
    assert source_of(model, "the cat sleeps .").ids != target_of(model, "the cat sleeps .").ids
    again = load_translator(str(folder / "marian"))
    assert (again.fingerprint, again.tokenizer_name) == (model.fingerprint, model.tokenizer_name)
    losses = tokenizer_losses(model.tokenizer, "le 🐈 dort", source_of(model, "le 🐈 dort"))
    assert [(loss.kind, loss.example) for loss in losses] == [("unknown tokens", "🐈")]


def test_a_marian_for_several_languages_is_told_which(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"no target language\n.*2 codes, such as fra, spa"):
        load_translator(str(folder / "several"))
    with pytest.raises(ModelError, match="the target language 'deu'"):
        load_translator(str(folder / "several"), target_language="deu")
    into = {code: load_translator(str(folder / "several"), source_language="en", target_language=code) for code in ("fra", "spa")}
    assert into["fra"].fingerprint != into["spa"].fingerprint
    for code, model in into.items():
        found = source_of(model, "le chat dort .")
        assert (found.tokens[0], found.special[0], found.spans[0]) == (f">>{code}<<", True, (0, 0))
        assert read("le chat dort .", found.spans) == "lechatdort."
        assert list(found.ids) == model.tokenizer(f">>{code}<< le chat dort .")["input_ids"]
    given = target_of(into["fra"], "the cat")
    assert "<unk>" in given.tokens  # a piece of its file that its vocabulary lacks
    assert read("the cat", given.spans) == "thecat"


def test_what_is_no_text_is_refused(folder: Path) -> None:
    model = load_translator(str(folder / "m2m"), source_language="fr", target_language="en")
    for text, reason in (
        ("", "no token"),
        (" \n", "no token"),
        ("le </s> chat", "special tokens"),
        ("le chat " * 30, "the model allows 48"),
    ):
        with pytest.raises(InputError, match=reason):
            source_of(model, text)
    with pytest.raises(ModelError, match="the source language 'xx'"):
        load_translator(str(folder / "m2m"), source_language="xx", target_language="en")
