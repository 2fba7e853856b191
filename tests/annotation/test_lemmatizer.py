"""The Bengali lemmatizer: what it learns from, and what it leaves out."""

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from workbench.annotation.bengali_lemmas import FACTORY, BengaliLemmatizer

PAIRS = [("ভারতের", "ভারত"), ("দেশের", "দেশ"), ("বাড়ি", "বাড়ি"), ("বাড়ি", "বাড়ি"), ("গেল", "যাওয়া")]


def examples(nlp: Language) -> list[Example]:
    docs = [Doc(nlp.vocab, words=[form], lemmas=[lemma]) for form, lemma in PAIRS]
    return [Example(Doc(nlp.vocab, words=[doc[0].text]), doc) for doc in docs]


@pytest.fixture
def nlp() -> Language:
    pipeline = spacy.blank("bn")
    pipeline.add_pipe(FACTORY, name="lemmas", config={"min_tree_freq": 2})
    pipeline.initialize(lambda: examples(pipeline))
    return pipeline


def lemmatizer(nlp: Language) -> BengaliLemmatizer:
    pipe = nlp.get_pipe("lemmas")
    assert isinstance(pipe, BengaliLemmatizer)
    return pipe


def test_both_encodings_of_a_nukta_letter_need_one_tree(nlp: Language) -> None:
    assert len(lemmatizer(nlp).labels) == 2  # leave as it is, drop ের


def test_a_lemma_without_a_label_teaches_nothing(nlp: Language) -> None:
    pipe = lemmatizer(nlp)
    made = examples(nlp)
    _, gradients = pipe.get_loss(made, [np.full((1, 2), 0.5, dtype="float32") for _ in made])
    assert [bool(np.abs(gradient).sum()) for gradient in gradients] == [True, True, True, True, False]


def test_texts_without_words_have_no_trees(nlp: Language) -> None:
    assert [len(trees) for trees in lemmatizer(nlp).predict([Doc(nlp.vocab), Doc(nlp.vocab)])] == [0, 0]


def test_written_and_read_again_it_gives_the_same_lemmas(nlp: Language) -> None:
    fresh = spacy.blank("bn")
    fresh.add_pipe(FACTORY, name="lemmas", config={"min_tree_freq": 2})
    fresh.from_bytes(nlp.to_bytes())
    for form, _ in PAIRS:
        assert fresh(Doc(fresh.vocab, words=[form]))[0].lemma_ == nlp(Doc(nlp.vocab, words=[form]))[0].lemma_
