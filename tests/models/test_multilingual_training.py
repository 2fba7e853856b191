"""The training of the multilingual encoder: alignments, batches and losses do what they say."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from pipelines.training.bengali_hate.subwords import wordpiece
from pipelines.training.multilingual_encoder.alignment import mutual, translation_table
from pipelines.training.multilingual_encoder.batches import Collection
from pipelines.training.multilingual_encoder.objectives import distance, ordering, relations, telling_apart
from pipelines.training.multilingual_encoder.rows import Row, spelled, words

ENGLISH = ["the dog sleeps", "the cat sleeps", "the dog eats", "the cat drinks"]
GERMAN = ["der hund schläft", "die katze schläft", "der hund frisst", "die katze trinkt"]


def test_words_that_stand_together_translate_each_other() -> None:
    left, right = (sorted({word for text in texts for word in text.split()}) for texts in (ENGLISH, GERMAN))
    pairs = [
        ([left.index(word) for word in one.split()], [right.index(word) for word in other.split()])
        for one, other in zip(ENGLISH, GERMAN, strict=True)
    ]
    table = translation_table(pairs, (len(left), len(right)), iterations=20)
    assert np.asarray(table.sum(axis=1)).ravel() == pytest.approx(1.0)
    both = mutual(pairs, (len(left), len(right))).toarray()
    for english, german in (("sleeps", "schläft"), ("eats", "frisst"), ("drinks", "trinkt")):
        assert right[both[left.index(english)].argmax()] == german
        assert left[both[:, right.index(german)].argmax()] == english


def test_french_words_end_at_an_apostrophe_and_spelling_forgets_case_and_points() -> None:
    assert words("L'eau d'aujourd'hui", "fr") == ["l'", "eau", "d'", "aujourd'hui"]
    assert words("I don't", "en") == ["i", "don't"]
    assert spelled("  The DOG, sleeps! ") == spelled("the dog sleeps")


def test_a_pass_reads_every_row_in_two_languages_as_often_as_its_source_is_repeated() -> None:
    rows = [Row("both", {"en": one, "de": other}) for one, other in zip(ENGLISH, GERMAN, strict=True)] + [Row("alone", {"en": "a dog"})]
    collection = Collection(rows, wordpiece([*ENGLISH, *GERMAN] * 3, 200))
    batches = collection.one_pass({"both": 3, "alone": 1}, 32, random.Random(0))
    read = sorted(row for batch in batches for row in batch.rows)
    assert read == sorted([0, 1, 2, 3] * 6 + [4])
    assert all(batch.ids.shape == batch.mask.shape and batch.ids.shape[0] == len(batch.rows) for batch in batches)
    assert all(len(batch.rows) <= 2 or batch.ids.numel() <= 32 for batch in batches)


def test_losses_are_least_where_the_student_agrees() -> None:
    generator = torch.Generator().manual_seed(0)
    wanted = torch.nn.functional.normalize(torch.randn(6, 8, generator=generator), dim=1)
    other = torch.nn.functional.normalize(torch.randn(6, 8, generator=generator), dim=1)
    assert float(distance(wanted, wanted)) == pytest.approx(0, abs=1e-6)
    assert float(telling_apart(wanted, wanted, wanted)) == pytest.approx(0, abs=1e-6)
    assert float(relations(wanted, wanted)) == pytest.approx(0, abs=1e-6)
    assert min(float(distance(other, wanted)), float(telling_apart(other, wanted, wanted)), float(relations(other, wanted))) > 0.01
    scores = torch.tensor([0.0, 2.0, 5.0])
    right, wrong = ordering(torch.tensor([0.1, 0.5, 0.9]), scores), ordering(torch.tensor([0.9, 0.5, 0.1]), scores)
    assert 0 < float(right) < 0.01
    assert float(wrong) > 16
