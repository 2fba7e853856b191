"""Annotators: names, words, limits, errors."""

import json
import os
import pickle
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

from workbench.annotation import annotator
from workbench.errors import AnnotationError

BENGALI = 'সংগঠন ক্ষমতায়। তুমি কি করবে? "না!" বলল সে'


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_MIRROR", raising=False)


def parsed_pipeline(folder: Path) -> Path:
    """A pipeline that parses and names entities without training: rules stand for weights."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "GPE", "pattern": "Dhaka"}])
    nlp.to_disk(folder)
    return folder


def test_words_of_a_blank_bengali_pipeline() -> None:
    (words,) = annotator("blank:bn").annotate([BENGALI])
    assert [word.form for word in words] == ["সংগঠন", "ক্ষমতায়", "।", "তুমি", "কি", "করবে", "?", '"', "না", "!", '"', "বলল", "সে"]
    assert [word.sentence for word in words] == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    assert [word.index for word in words] == list(range(len(words)))
    assert all(BENGALI[word.char_start : word.char_end] == word.form for word in words)
    assert {word.lemma for word in words} | {word.upos for word in words} | {word.head for word in words} == {None}


def test_texts_without_anything_to_see_have_no_words() -> None:
    annotation = annotator("blank:bn")
    assert annotation.annotate(["", "\0", " \t\n", "\u200b\ufeff", "ক"])[:4] == [[], [], [], []]
    assert [word.form for word in annotation.annotate(["ক\0খ  গ\n"])[0]] == ["ক", "খ", "গ"]
    assert annotation.annotate([]) == []


def test_a_lone_surrogate_does_not_move_spans() -> None:
    (words,) = annotator("blank:bn").annotate(["\ud83d কথা"])
    assert [(word.form, word.char_start) for word in words] == [("\ufffd", 0), ("কথা", 2)]


@pytest.mark.parametrize("name", ["blank:bn", "blank:xx"])
def test_spans_lead_back_to_any_text(name: str) -> None:
    annotation = annotator(name)

    @settings(max_examples=150, deadline=None)
    @given(st.text(max_size=30))
    def check(text: str) -> None:
        (words,) = annotation.annotate([text])
        assert all(text[word.char_start : word.char_end] == word.form for word in words)
        assert all(before.char_end <= after.char_start for before, after in pairwise(words))

    check()


def test_sentences_and_entities_come_from_the_pipeline_where_it_has_them(tmp_path: Path) -> None:
    (words,) = annotator(str(parsed_pipeline(tmp_path / "rules"))).annotate(["Dhaka is big.  Is it?  Yes"])
    assert [word.sentence for word in words] == [0, 0, 0, 0, 1, 1, 1, 2]
    assert words[0].entity == "GPE"
    assert words[1].entity is None


def test_heads_count_words_and_not_white_space(tmp_path: Path) -> None:
    nlp = spacy.blank("en")

    def parse(doc: Doc) -> Doc:
        for token in doc:
            token.head, token.dep_ = doc[len(doc) - 1], "ROOT" if token.i == len(doc) - 1 else "dep"
        return doc

    Language.component("test_parse", func=parse)
    nlp.add_pipe("test_parse")
    nlp.to_disk(tmp_path / "parsed")
    (words,) = annotator(str(tmp_path / "parsed")).annotate(["a \n b"])
    assert [(word.form, word.head, word.relation) for word in words] == [("a", 1, "dep"), ("b", None, "ROOT")]


def test_fingerprints_follow_the_files_and_nothing_else(tmp_path: Path) -> None:
    folder = parsed_pipeline(tmp_path / "rules")
    before = annotator(str(folder)).fingerprint
    assert annotator(str(folder)).fingerprint == before
    (folder / "CARD.md").write_text("about", encoding="utf-8")
    assert annotator(str(folder)).fingerprint == before
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    (folder / "meta.json").write_text(json.dumps(meta | {"version": "9.9.9"}), encoding="utf-8")
    assert annotator(str(folder)).fingerprint != before
    assert annotator("blank:bn").fingerprint != annotator("blank:xx").fingerprint


def test_lemmas_come_from_the_lexicon_first_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lexicon = tmp_path / "lemmas.tsv"
    lexicon.write_text("করেছে\tকরা\n", encoding="utf-8")
    plain, listed = annotator("blank:bn"), annotator("blank:bn", lemmas=lexicon)
    assert [word.lemma for word in listed.annotate(["সে করেছে"])[0]] == [None, "করা"]
    assert listed.name.startswith("blank:bn+lemmas-")
    assert listed.fingerprint != plain.fingerprint
    mirrored = tmp_path / "bengali" / "lemma_isi" / "Bengali_Dataset.txt"
    mirrored.parent.mkdir(parents=True)
    mirrored.write_text("সে\tতিনি\n", encoding="utf-8")
    monkeypatch.setenv("WORKBENCH_MIRROR", str(tmp_path))
    assert [word.lemma for word in annotator("blank:bn").annotate(["সে করেছে"])[0]] == ["তিনি", None]
    assert annotator("blank:xx").name == "blank:xx"


def test_a_text_longer_than_the_limit_is_named() -> None:
    annotation = annotator("blank:bn")
    annotation.pipeline.max_length = 10
    with pytest.raises(AnnotationError, match="annotate text 1 with blank:bn\n  found: 11 characters, more than the 10"):
        annotation.annotate(["ক", "ক" * 11])


def test_a_long_text_is_annotated() -> None:
    (words,) = annotator("blank:bn").annotate(["ক্ষমতা " * 30_000])
    assert len(words) == 30_000


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_thing", "no embedded pipeline.*\n.*python -m spacy download"),
        ("en_core_web_sm", "python -m spacy download en_core_web_sm"),
        ("blank:qq", "xx for any language"),
        ("", "no embedded pipeline"),
        ("../nowhere", "no embedded pipeline"),
    ],
)
def test_unknown_names_answer_with_what_to_do(name: str, message: str) -> None:
    with pytest.raises(AnnotationError, match=message):
        annotator(name)


def test_folders_that_are_no_pipeline_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"no config\.cfg"):
        annotator(str(tmp_path))
    (tmp_path / "config.cfg").write_text("not a config", encoding="utf-8")
    with pytest.raises(AnnotationError, match="spaCy cannot load it"):
        annotator(str(tmp_path))


@pytest.mark.parametrize("name", ["weights.pkl", "model"])
def test_pickles_are_refused_unread(tmp_path: Path, name: str) -> None:
    folder = parsed_pipeline(tmp_path / "rules")
    (folder / name).write_bytes(pickle.dumps({"weights": [1]}))
    with pytest.raises(AnnotationError, match=f"a pickle: {name}"):
        annotator(str(folder))


def test_a_damaged_pipeline_is_one_clear_error(tmp_path: Path) -> None:
    folder = parsed_pipeline(tmp_path / "rules")
    (folder / "tokenizer").write_bytes(b"\xc1 broken")
    with pytest.raises(AnnotationError, match="spaCy cannot load it"):
        annotator(str(folder))


def test_the_room_starts_without_spacy() -> None:
    code = "import sys, workbench.annotation; sys.exit('spacy' in sys.modules or 'torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == 0
