"""The planted texts are what they say, and a small planted control meets the bars (the whole one is a command)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from transformers.modeling_outputs import SequenceClassifierOutput

from workbench.errors import InputError
from workbench.evaluation.methods import COMPARED
from workbench.evaluation.planted import PlantedResult, from_json, planted
from workbench.evaluation.planted_encoders import POSITION_ENCODINGS, PositionEncoding, tiny_encoder
from workbench.evaluation.planted_model import Reliance
from workbench.evaluation.planted_natural import NEGATIONS, lexicon, posts
from workbench.evaluation.planted_run import Size, decided
from workbench.evaluation.planted_texts import (
    CLS,
    CONTEXT_A,
    CONTEXT_B,
    FIRST_FILLER,
    LENGTH,
    MARKER_A,
    MARKER_B,
    SEP,
    TAG_A,
    TAG_B,
    TASKS,
    UNKNOWN,
    PlantedTexts,
    Task,
    carriers,
    planted_text,
    planted_texts,
    vocabulary,
)  # fmt: skip
from workbench.evaluation.removal import remainder

#: How many tokens carry the signal in each text of a task; of a natural target nobody knows beforehand.
PLANTED = {"single_token": 1, "token_in_context": 2, "ordered_pair": 2, "position_only": 1, "source_tag": 1, "random_labels": 0}


def made(task: Task, seed: int = 0) -> PlantedTexts:
    return planted_texts(task, 300, np.random.default_rng(seed))


@pytest.mark.parametrize("task", TASKS)
def test_planted_texts_have_their_frame_and_the_control_lacks_the_signal(task: Task) -> None:
    texts = made(task)
    assert texts.ids.shape == (300, LENGTH)
    assert (texts.ids[:, 0] == CLS).all()
    assert (texts.ids[:, -1] == SEP).all()
    assert texts.ids.max() < vocabulary(task)
    assert 100 < texts.labels.sum() < 200
    assert set(texts.ids[texts.planted].tolist()) == carriers(task)
    if task != "source_tag":
        assert not np.isin(texts.control, list(carriers(task))).any()
        assert (texts.planted == (texts.ids != texts.control)).all()
    if task in PLANTED:
        assert (texts.planted.sum(1) == PLANTED[task]).all()


def test_the_signal_decides_the_label() -> None:
    single, context, pair, position = (made(task) for task in ("single_token", "token_in_context", "ordered_pair", "position_only"))
    assert ((single.ids == MARKER_B).any(1) == (single.labels == 1)).all()
    indicator, other = ((context.ids == MARKER_B).any(1), (context.ids == CONTEXT_B).any(1))
    assert ((indicator ^ other) == (context.labels == 1)).all()
    assert ((context.ids == CONTEXT_A).any(1) ^ other).all()
    assert abs(indicator[context.labels == 1].mean() - 0.5) < 0.1, "an indicator alone says nothing"
    assert (((pair.ids == MARKER_A).argmax(1) < (pair.ids == MARKER_B).argmax(1)) == (pair.labels == 1)).all()
    assert ((position.planted.argmax(1) >= LENGTH // 2) == (position.labels == 1)).all()


def test_a_source_tag_is_the_better_guess_in_training_and_no_guess_in_the_control() -> None:
    texts = planted_texts("source_tag", 2000, np.random.default_rng(0))
    tagged = texts.ids[:, -2] == TAG_B
    assert np.isin(texts.ids[:, -2], (TAG_A, TAG_B)).all()
    assert abs((tagged == (texts.labels == 1)).mean() - 0.95) < 0.02
    assert abs(((texts.ids == MARKER_B).any(1) == (texts.labels == 1)).mean() - 0.8) < 0.03
    assert abs(((texts.control[:, -2] == TAG_B) == (texts.labels == 1)).mean() - 0.5) < 0.04
    for other in (texts.control, texts.without):
        assert (texts.ids[:, :-2] == other[:, :-2]).all()
    assert (texts.without[:, -2] >= FIRST_FILLER).all()


def test_a_natural_target_is_whether_running_words_of_posts_hold_a_negation() -> None:
    texts = made("natural_target")
    assert (texts.planted.any(1) == (texts.labels == 1)).all()
    assert not set(posts(held_out=True)) & set(posts(held_out=False))
    forms = dict(enumerate(lexicon(), FIRST_FILLER))
    for row, marks in zip(texts.ids[:50, 1:-1], texts.planted[:50, 1:-1], strict=True):
        assert [forms.get(identifier) in NEGATIONS for identifier in row.tolist()] == marks.tolist()
    running = {tuple(post[:3]) for post in posts(held_out=True)}
    known = [tuple(forms[identifier] for identifier in row[1:4].tolist()) for row in texts.ids if UNKNOWN not in row[1:4]]
    assert known
    assert set(known) <= running, "a text begins with a post as it stands"


@pytest.mark.parametrize("encoding", POSITION_ENCODINGS)
def test_an_encoder_knows_positions_and_answers_at_its_first_token(encoding: PositionEncoding) -> None:
    torch.manual_seed(0)
    model = tiny_encoder(encoding, 40).eval()
    ids = torch.from_numpy(planted_texts("single_token", 2, np.random.default_rng(0)).ids % 40)
    turned = torch.cat([ids[:, :1], ids[:, 1:-1].flip(1), ids[:, -1:]], 1)
    with torch.inference_mode():
        here, there = model(input_ids=ids).logits, model(input_ids=turned).logits
    assert here.shape == (2, 2)
    assert not torch.allclose(here, there, atol=1e-5), "the same words in another order"


def test_each_token_of_a_planted_text_is_a_word_of_its_own() -> None:
    ids = made("single_token").ids[0]
    text = planted_text(ids)
    assert [word.form for word in text.words] == [f"w{identifier}" for identifier in ids[1:-1]]
    assert remainder(text, 0, text.everything & ~0b100) == (*ids[:3], *ids[4:])


@pytest.fixture(scope="module")
def control() -> PlantedResult:
    """Single token and random labels, one seed each, few texts."""
    return planted(1, tasks=("random_labels", "single_token"), workers=1, size=Size(ranked=60, tested=200))


def test_lrp_finds_the_single_token_and_random_order_does_not(control: PlantedResult) -> None:
    assert control.single_token is not None
    assert control.single_token >= 0.99
    by_chance = control.found.filter(task="single_token", method="random")["precision_at_k"]
    assert (by_chance < 0.2).all()


def test_with_random_labels_no_word_is_significant_though_the_naive_test_finds_many(control: PlantedResult) -> None:
    assert control.false_alarms is not None
    assert control.false_alarms <= 0.05
    assert control.naive_false_alarms is not None
    assert control.naive_false_alarms > 0.2
    assert control.passed


def test_the_word_test_finds_the_markers_and_nothing_else(control: PlantedResult) -> None:
    words = control.runs[0].words
    assert control.runs[0].task == "single_token"
    assert words is not None
    assert (words.right, words.wrong) == (2, 0)
    assert words.rank == 0


def test_a_result_comes_back_from_json(control: PlantedResult) -> None:
    back = from_json(control.to_json())
    assert back.to_json() == control.to_json()
    assert back.summary().equals(control.summary())
    with pytest.raises(InputError, match="run the planted control again"):
        from_json('{"runs": [{}]}')


def test_a_model_that_learnt_nothing_is_flagged_and_says_nothing() -> None:
    result = planted(1, tasks=("ordered_pair",), workers=1, size=Size(ranked=10, tested=0, most_steps=3))
    assert [run.task for run in result.flagged] == ["ordered_pair"]
    assert result.found.height == 0
    assert result.single_token is None
    assert not result.passed


def test_a_bar_is_missed_openly(control: PlantedResult) -> None:
    single, chance = control.runs
    worse = replace(single, found=single.found.with_columns(pl.col("precision_at_k") * 0.9))
    assert not PlantedResult((worse, chance), 1.0).passed
    unreliable = replace(single, reliance=Reliance(0.9, 0.5, 10, expected=True))
    assert not PlantedResult((unreliable, chance), 1.0).passed
    assert chance.words is not None
    alarmed = replace(chance, words=replace(chance.words, wrong=chance.words.tested // 10))
    assert not PlantedResult((single, alarmed), 1.0).passed


class Stubborn(torch.nn.Module):
    """Answers 1 where marker B stands, 0 everywhere else: label 0 is taken for granted."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SequenceClassifierOutput:
        found = (input_ids == MARKER_B).any(1).float()
        return SequenceClassifierOutput(logits=torch.stack([torch.full_like(found, 0.5), found], 1))


def test_a_text_is_asked_only_where_its_signal_decides() -> None:
    texts = made("single_token")
    assert (decided(Stubborn(), texts) == (texts.labels == 1)).all()  # type: ignore[arg-type]
    natural = made("natural_target")
    assert not decided(Stubborn(), natural).any()  # type: ignore[arg-type]


def test_equal_seeds_give_equal_numbers_and_leave_the_random_state_alone() -> None:
    size = Size(ranked=5, tested=0, most_steps=4)
    torch.manual_seed(5)
    first = torch.rand(1)
    torch.manual_seed(5)
    one, two = (planted(1, tasks=("random_labels",), workers=1, size=size).runs[0].reliance for _ in range(2))
    assert one == two
    assert torch.rand(1) == first


@pytest.mark.parametrize(
    ("seeds", "tasks", "encodings", "remedy"),
    [(0, TASKS, ("absolute",), "one seed"), (1, ("acrostic",), ("absolute",), "single_token"), (1, TASKS, (), "rotary")],
)
def test_wrong_requests_are_refused(seeds: int, tasks: tuple[Task, ...], encodings: tuple[PositionEncoding, ...], remedy: str) -> None:
    with pytest.raises(InputError, match=remedy):
        planted(seeds, tasks=tasks, encodings=encodings, workers=1)


@pytest.fixture(scope="module")
def places() -> PlantedResult:
    """The position-only task in each way of telling positions, one seed, few texts."""
    return planted(1, tasks=("position_only",), encodings=POSITION_ENCODINGS, workers=1, size=Size(ranked=40, tested=0))


def test_position_relevance_finds_a_signal_that_is_only_a_position(places: PlantedResult) -> None:
    assert places.flagged == []
    assert places.positions["encoding"].to_list() == sorted(POSITION_ENCODINGS)
    assert places.position_only is not None
    assert places.position_only >= 0.9
    assert (places.positions["precision_at_k"] >= 0.9).all()
    assert (places.found["texts"] < 40).all(), "texts of the label taken for granted have no known truth"


def test_readings_of_several_layers_are_added_in_three_ways_and_methods_stand_side_by_side(places: PlantedResult) -> None:
    rotary = places.found.filter(encoding="rotary", method="palrp")["reading"].unique().to_list()
    assert sorted(rotary) == ["positions", "positions, absolute", "positions, positive", "tokens"]
    assert "positions of queries" in places.found.filter(encoding="relative", method="attnlrp")["reading"].to_list()
    assert set(COMPARED) == set(places.found.filter(encoding="absolute", reading="tokens")["method"])
    assert places.summary(by_encoding=True)["encoding"].n_unique() == 3
    assert "encoding" not in places.summary().columns


def test_the_word_test_names_the_source_tag_as_what_drives_the_answers() -> None:
    result = planted(1, tasks=("source_tag",), workers=1, size=Size(ranked=20, tested=300))
    words = result.runs[0].words
    assert words is not None
    assert words.rank == 1
    assert words.right >= 1
    assert words.wrong <= words.tested // 20
    assert result.tag_rank == 1
    assert not result.passed, "the single token and random labels were not asked"
