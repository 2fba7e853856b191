"""What is randomised, in which order, and that the test tells methods that see the model from those that do not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch
from transformers import PreTrainedModel

from tests.evaluation.models_by_hand import UNK, BagOfWords, plain_text
from workbench.errors import ModelError
from workbench.evaluation.bars import Bar, all_met
from workbench.evaluation.methods import COMPARED
from workbench.evaluation.planted_encoders import POSITION_ENCODINGS, PositionEncoding, tiny_encoder
from workbench.evaluation.planted_model import answers
from workbench.evaluation.planted_texts import FIRST_FILLER, MASK, planted_text
from workbench.evaluation.randomization import _correlations, randomization, stages, untrained
from workbench.evaluation.randomization_run import RandomizationResult
from workbench.evaluation.topics import OTHER, OWN, TOPICS, WORDS_OF_TOPIC, topic_model, topic_texts


@pytest.mark.parametrize("encoding", POSITION_ENCODINGS)
def test_every_parameter_has_one_stage_and_the_head_comes_first(encoding: PositionEncoding) -> None:
    model = tiny_encoder(encoding, 40)
    found = stages(model)
    assert [stage for stage, _ in found] == ["head", "layer 2", "layer 1", "embeddings"]
    names = [name for _, part in found for name in part]
    assert sorted(names) == sorted(dict(model.named_parameters()))
    assert any(name.startswith("classifier") for name in found[0][1])
    words = next(name for name, parameter in model.named_parameters() if parameter is model.get_input_embeddings().weight)
    assert words in found[-1][1]


def test_a_text_belongs_to_the_topic_of_most_of_its_words() -> None:
    ids, topics = topic_texts(50, np.random.default_rng(0))
    held = (ids - FIRST_FILLER) // WORDS_OF_TOPIC
    counts = np.stack([((held == topic) & (ids >= FIRST_FILLER)).sum(1) for topic in range(TOPICS)], 1)
    assert (counts.argmax(1) == topics).all()
    assert (np.sort(counts, 1) == sorted([OWN] + [OTHER] * (TOPICS - 1))).all()


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    return topic_model("absolute", steps=150)


def test_lrp_forgets_what_random_weights_forgot_and_blind_methods_do_not(model: PreTrainedModel) -> None:
    ids, topics = topic_texts(20, np.random.default_rng(1))
    assert (answers(model, ids) == topics).mean() > 0.9
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    methods = {name: COMPARED[name] for name in ("attnlrp", "attention_rollout", "random")}
    found = randomization(model, MASK, [planted_text(row) for row in ids], topics.tolist(), methods=methods, draws=2)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())
    assert found["depth"].max() == 3
    at = {(method, depth): value for method, depth, value in found.select("method", "depth", "correlation").iter_rows()}
    assert at["attnlrp", 0] <= 0.95
    assert abs(at["attnlrp", 3]) <= 0.2
    assert at["attention_rollout", 0] == pytest.approx(1)
    assert abs(at["attention_rollout", 3]) <= 0.25
    assert [at["random", depth] for depth in range(4)] == pytest.approx([1] * 4)
    assert (found["low"] <= found["correlation"] + 1e-12).all()
    assert set(found["texts"]) == {20}
    result = RandomizationResult(found.select(pl.lit("topics absolute").alias("model"), pl.all()), 1.0)
    assert result.at("head").columns == ["method", "topics absolute"]
    assert [bar.value for bar in result.bars] == [at["attnlrp", 0], abs(at["attnlrp", 3])]


def test_fresh_weights_follow_their_seed_and_leave_the_random_state_alone() -> None:
    model = tiny_encoder("absolute", 40)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, same, other = (dict(untrained(model, seed).named_parameters()) for seed in (1, 1, 2))
    assert torch.rand(1) == expected
    assert torch.equal(one["classifier.weight"], same["classifier.weight"])
    assert not torch.equal(one["classifier.weight"], other["classifier.weight"])


def test_models_without_layers_or_configuration_are_refused() -> None:
    with pytest.raises(ModelError, match="no list of layers"):
        randomization(BagOfWords([0.0] * 20), UNK, [plain_text([4, 5, 6, 7, 8])], [1], methods={"random": COMPARED["random"]})
    with pytest.raises(ModelError, match="no configuration"):
        untrained(BagOfWords([0.0] * 20), 0)


def test_ranks_on_paper() -> None:
    one, other, flat = np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0]), np.ones(3)
    assert _correlations([one, one, one], [one, other, flat]).tolist() == pytest.approx([1, -1, 0])


def test_a_bar_that_was_not_asked_fails_nothing_unless_it_is_needed() -> None:
    assert Bar("a", 0.9, 0.9).met
    assert Bar("a", 0.9, 0.9, at_most=True).met
    assert not Bar("a", 0.91, 0.9, at_most=True).met
    assert Bar("a", None, 0.9).met
    assert not Bar("a", None, 0.9, needed=True).met
    assert not all_met([Bar("a", 1.0, 0.9), Bar("a", 0.1, 0.9)])
    assert Bar("a", 0.1, 0.9).row() == {"value": 0.1, "asked": "at least 0.9", "met": "NO", "bar": "a"}
