"""Where signs may stand, and lemmas that never break it."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.annotation import annotator
from workbench.annotation.bengali import norm, visible
from workbench.annotation.orthography import faults, letters, well_formed
from workbench.annotation.pipelines import load

NUKTA, HASANTA = "\u09bc", "\u09cd"
LETTERS = "কগতনমযরলশদড়ঢ়য়ৎঅআইএওংঃঁািীুেৈো়্\u200d ।a"


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_MIRROR", raising=False)


ORDINARY = ["অ্যাপ", "এ্যাড", "কাঁটা", "দুঃখ", "হ্যাঁ", "র\u200d্যাব", "গ্র্যান্ড", "ঋষি", "অামি", "উৎস", "é", "आदमी", "২০০৯", "।"]


@pytest.mark.parametrize("form", [*ORDINARY, "জ\u09bcা", "য\u09bcে", "\u09dfে", "e\u0301"])
def test_ordinary_spelling_has_no_faults(form: str) -> None:
    assert faults(form) == frozenset()


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("দেয" + "ও" + NUKTA + "া", {"ও" + NUKTA}),
        ("আা", {"আা"}),
        ("খাইা", {"ইা"}),
        ("করওো", {"ওো"}),
        ("া", {"া"}),
        ("বিদ্যুত" + HASANTA, {"ত" + HASANTA}),
        ("নাাা", {"াা"}),
        ("ক" + HASANTA + "া", {"ক" + HASANTA, HASANTA + "া"}),
        ("ঁক", {"ঁ"}),
        ("\u0301", {"\u0301"}),
    ],
)
def test_signs_out_of_place_are_found(form: str, found: set[str]) -> None:
    assert faults(form) == found


def test_a_lemma_may_keep_the_faults_of_its_form_and_add_none() -> None:
    assert well_formed("নাাা", "নাাা")
    assert well_formed("কোন্", "কোন্টা") is False
    assert well_formed("কোন্", "কোন্")
    assert not well_formed("", "র")
    assert not well_formed("আা", "আছি")


@given(st.text(alphabet=st.sampled_from(LETTERS), max_size=12))
def test_letters_and_faults_do_not_depend_on_encoding(form: str) -> None:
    composed = letters(form)
    assert letters(composed) == composed
    assert {letters(unicodedata.normalize(name, form)) for name in ("NFC", "NFD")} == {composed}
    assert norm(composed) == norm(form)
    assert faults(unicodedata.normalize("NFD", form)) == faults(form)


def test_no_lemma_is_broken_whatever_the_text() -> None:
    annotation = annotator("bengali")

    @settings(max_examples=150)
    @given(st.lists(st.text(alphabet=st.sampled_from(LETTERS), max_size=30), min_size=1, max_size=4))
    def check(texts: list[str]) -> None:
        for words in annotation.annotate(texts):
            assert all(word.lemma and well_formed(word.lemma, word.form) for word in words if visible(norm(word.form)))

    check()


def test_no_tree_breaks_a_word() -> None:
    """Every label, taken as the likeliest of all, gives a lemma that is well formed, or the form."""
    nlp, _ = load("bengali")
    lemmatizer = nlp.get_pipe("trainable_lemmatizer")
    words = ["দেওয়া", "আছি", "খাইছে", "গুলো", "করেনি", "কাফের", "হয়েছে", "ভারতের", "নেতাদের", "মাগীর", "বিদ্যুত্কে", "পড়েছে"]
    doc = nlp.make_doc(" ".join(words))
    assert len(doc) == len(words)
    count = len(lemmatizer.labels)
    assert count > 500
    for label in range(count):
        scores = np.zeros((len(doc), count), dtype="float32")
        scores[:, label] = 1
        fresh = nlp.make_doc(doc.text)
        lemmatizer.set_annotations([fresh], [lemmatizer._trees(fresh, scores)])
        assert all(well_formed(token.lemma_, token.text) for token in fresh)


@pytest.mark.parametrize(
    ("form", "lemmas"),
    [
        ("কাফের", {"কাফের"}),
        ("কাফেরদের", {"কাফের", "কাফেরদের"}),
        ("দেওয়া", {"দেওয়া"}),
        ("দেয়", {"দেওয়া", "দেয়"}),
        ("হয়েছে", {"হওয়া", "হয়েছে"}),
        ("আছি", {"আছা", "থাকা", "আছি"}),
        ("গুলো", {"গুলো", "গুলি"}),
        ("মাগীর", {"মাগী", "মাগীর"}),
        ("খানকির", {"খানকি", "খানকির"}),
        ("বেশ্যার", {"বেশ্যা", "বেশ্যার"}),
        ("মালাউনের", {"মালাউন", "মালাউনের"}),
        ("ভারতের", {"ভারত"}),
        ("নেতাদের", {"নেতা"}),
    ],
)
@pytest.mark.parametrize("encoding", ["precomposed", "decomposed"])
def test_lemmas_of_words_that_posts_are_full_of(form: str, lemmas: set[str], encoding: str) -> None:
    written = letters(form) if encoding == "precomposed" else unicodedata.normalize("NFD", form)
    ((word,),) = annotator("bengali").annotate([written])
    assert norm(word.lemma or "") in {norm(lemma) for lemma in lemmas}
    assert word.lemma == unicodedata.normalize("NFC", word.lemma or "")
