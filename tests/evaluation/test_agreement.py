"""The small English: pairs differ in the number of the subject alone, held-out nouns stay apart; training is seeded and hurts nobody."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.errors import InputError
from workbench.evaluation.agreement import STRUCTURES, agreement_pairs, readable
from workbench.evaluation.agreement_language import ALL_NOUNS, is_held_out, sentence
from workbench.evaluation.agreement_model import POSITIONS, Shape, accuracy, padded, small_gpt2, train
from workbench.evaluation.agreement_words import END, IDS, PREPOSITIONS, START, VOCABULARY

NOUN = {form: noun for noun in ALL_NOUNS for form in noun.forms}
TINY = Shape(layers=1, width=16, heads=2, steps=2, batch=4)


def sentences(count: int) -> list[list[str]]:
    random = np.random.default_rng(0)
    return [[VOCABULARY[word] for word in sentence(random)] for _ in range(count)]


def test_sentences_fit_the_model_and_have_their_frame() -> None:
    drawn = sentences(2000)
    assert max(map(len, drawn)) <= POSITIONS
    assert all(words[0] == START and words[-1] == END for words in drawn)
    assert len({word for words in drawn for word in words}) == len(VOCABULARY) - 1  # every word but the padding


def test_vocabulary_has_every_form_once() -> None:
    assert len(IDS) == len(VOCABULARY) == len(set(VOCABULARY))
    assert IDS["<pad>"] == 0


def test_pairs_differ_in_the_number_of_the_subject_alone() -> None:
    for pair in agreement_pairs(100):
        differing = [(VOCABULARY[a], VOCABULARY[b]) for a, b in zip(pair.clean, pair.corrupted, strict=True) if a != b]
        assert len(differing) == 1
        assert set(differing[0]) == set(NOUN[differing[0][0]].forms)
        clean_is_plural = differing[0][0] == NOUN[differing[0][0]].forms[1]
        answer, other = VOCABULARY[pair.clean_answer], VOCABULARY[pair.corrupted_answer]
        singular = other if clean_is_plural else answer
        assert singular.endswith("s")
        assert (answer != singular) == clean_is_plural


def test_pairs_are_seeded_different_and_of_every_structure() -> None:
    pairs = agreement_pairs(50, 3)
    assert pairs == agreement_pairs(50, 3)
    assert pairs != agreement_pairs(50, 4)
    assert len(set(pairs)) == 50
    assert {pair.structure for pair in pairs} == set(STRUCTURES)
    assert readable(pairs[0]).count("[") == 2


def test_held_out_nouns_never_meet_in_training() -> None:
    met = []
    for words in sentences(3000):
        nouns = [place for place, word in enumerate(words) if word in NOUN]
        first = nouns[0]
        if words[1] not in PREPOSITIONS and words[first + 1] in PREPOSITIONS:  # a subject and its attractor
            met.append((NOUN[words[first]], NOUN[words[nouns[1]]]))
    assert len(met) > 500
    assert not any(is_held_out(subject, other) for subject, other in met)
    for pair in agreement_pairs(50, structures=("phrase",)):
        subject, other = (NOUN[VOCABULARY[word]] for word in pair.clean if VOCABULARY[word] in NOUN)
        assert is_held_out(subject, other)


@pytest.mark.parametrize(("count", "structures"), [(0, STRUCTURES), (5, ()), (5, ("gift",))])
def test_no_pairs_is_an_answer_and_no_stack_trace(count: int, structures: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="ask for one pair"):
        agreement_pairs(count, structures=structures)  # type: ignore[arg-type]


def test_training_is_seeded_and_leaves_the_callers_random_state() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    first, again, other = train(0, TINY), train(0, TINY), train(1, TINY)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # type: ignore[index, arg-type]
    weights = [model.transformer.wte.weight for model in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert not first.training


def test_padding_stands_on_the_right() -> None:
    assert padded([[5, 6, 7], [8]]).tolist() == [[5, 6, 7], [8, 0, 0]]


def test_accuracy_counts_both_prompts() -> None:
    pairs = agreement_pairs(30)
    model = small_gpt2(TINY).eval()
    with torch.no_grad():  # a model that says "are" whatever it reads
        model.lm_head.weight = torch.nn.Parameter(torch.zeros_like(model.lm_head.weight))
        model.lm_head.weight[IDS["are"]] = 1.0
        model.transformer.ln_f.weight.zero_()
        model.transformer.ln_f.bias.fill_(1.0)
    chosen = [pair for pair in pairs if "are" in {VOCABULARY[pair.clean_answer], VOCABULARY[pair.corrupted_answer]}]
    assert len(chosen) > 2
    assert accuracy(model, chosen) == 0.5
