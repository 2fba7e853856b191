"""The planted texts are what they say, and a small planted control meets the bars (the whole one is a command)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from workbench.errors import InputError
from workbench.evaluation.planted import PlantedResult, from_json, planted
from workbench.evaluation.planted_model import Reliance
from workbench.evaluation.planted_run import Size
from workbench.evaluation.planted_texts import CLS, LENGTH, MARKER_A, MARKER_B, SEP, TASKS, PlantedTexts, Task, planted_text, planted_texts
from workbench.evaluation.removal import remainder


def made(task: Task, seed: int = 0) -> PlantedTexts:
    return planted_texts(task, 300, np.random.default_rng(seed))


@pytest.mark.parametrize("task", TASKS)
def test_planted_texts_have_their_frame_and_the_control_lacks_the_signal(task: Task) -> None:
    texts = made(task)
    assert texts.ids.shape == (300, LENGTH)
    assert (texts.ids[:, 0] == CLS).all()
    assert (texts.ids[:, -1] == SEP).all()
    assert 100 < texts.labels.sum() < 200
    assert not np.isin(texts.control, (MARKER_A, MARKER_B)).any()
    assert (texts.planted == (texts.ids != texts.control)).all()
    assert (texts.planted.sum(1) == {"single_token": 1, "ordered_pair": 2, "position_only": 1, "random_labels": 0}[task]).all()


def test_the_signal_decides_the_label() -> None:
    single, pair, position = (made(task) for task in ("single_token", "ordered_pair", "position_only"))
    assert ((single.ids == MARKER_B).any(1) == (single.labels == 1)).all()
    assert (((pair.ids == MARKER_A).argmax(1) < (pair.ids == MARKER_B).argmax(1)) == (pair.labels == 1)).all()
    assert ((position.planted.argmax(1) >= LENGTH // 2) == (position.labels == 1)).all()


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


def test_equal_seeds_give_equal_numbers_and_leave_the_random_state_alone() -> None:
    size = Size(ranked=5, tested=0, most_steps=4)
    torch.manual_seed(5)
    first = torch.rand(1)
    torch.manual_seed(5)
    one, two = (planted(1, tasks=("random_labels",), workers=1, size=size).runs[0].reliance for _ in range(2))
    assert one == two
    assert torch.rand(1) == first


@pytest.mark.parametrize(("seeds", "tasks"), [(0, TASKS), (1, ("acrostic",))])
def test_wrong_requests_are_refused(seeds: int, tasks: tuple[Task, ...]) -> None:
    with pytest.raises(InputError, match="single_token"):
        planted(seeds, tasks=tasks, workers=1)
