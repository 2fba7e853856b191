from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import torch
from scipy import stats

from tests.evaluation.models_by_hand import CLS, SEP, UNK, BagOfWords, plain_text, small_bert
from workbench.batch import SCHEMAS, Batch
from workbench.errors import InputError
from workbench.evaluation.faithfulness import faithfulness, summary
from workbench.evaluation.intervals import mean_interval
from workbench.evaluation.methods import METHODS
from workbench.evaluation.subject import subject

WEIGHTS = [0.0, 0.0, 0.0, 0.0, 2.0, -1.0, 0.5, 0.0]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def score(frame: pl.DataFrame, **keys: str) -> float:
    return frame.filter(*(pl.col(name) == value for name, value in keys.items()))["value"].item()


def test_a_bag_of_words_on_paper() -> None:
    """Words 2, -1, .5, 0: predicted label 1 with f = sigmoid(1.5). Signed order 2, .5, 0, -1; absolute order 2, -1, .5, 0.

    Of 4 words the bins take 1, 1, 1, 1, 2. Signed: without 2: sigmoid(-.5), without 2 and .5: sigmoid(-1); alone: sigmoid(2), sigmoid(2.5).
    Absolute: without 2 and -1: sigmoid(.5); alone: sigmoid(1).
    """
    found = faithfulness(subject([BagOfWords(WEIGHTS)], [UNK]), [plain_text([4, 5, 6, 7])], model="bag", methods=["gradient_x_input"])
    full = sigmoid(1.5)
    expected = {
        ("signed", "comprehensiveness"): full - (4 * sigmoid(-0.5) + sigmoid(-1)) / 5,
        ("signed", "sufficiency"): full - (4 * sigmoid(2) + sigmoid(2.5)) / 5,
        ("absolute", "comprehensiveness"): full - (4 * sigmoid(-0.5) + sigmoid(0.5)) / 5,
        ("absolute", "sufficiency"): full - (4 * sigmoid(2) + sigmoid(1)) / 5,
    }
    for (ordering, metric), value in expected.items():
        assert score(found.scores, ordering=ordering, metric=metric) == pytest.approx(value, abs=1e-7)
    most = [full, sigmoid(-0.5), sigmoid(-1), sigmoid(-1), 0.5]
    least = [full, sigmoid(2.5), sigmoid(2.5), sigmoid(2), 0.5]
    area = (sum(least) - sum(most)) / 4  # trapezoids; both ends are shared
    assert score(found.scores, ordering="signed", metric="morf_lerf_area") == pytest.approx(area, abs=1e-7)


def test_scores_equal_a_slow_loop_for_an_ensemble() -> None:
    """Comprehensiveness of occlusion, word by word without batches, memo or bit sets."""
    modules = [small_bert(0), small_bert(1)]
    posts = [(7, 9, 12, 5, 6), (8, 8, 10), (20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 4, 5)]
    found = faithfulness(
        subject(modules, [UNK, UNK]), [plain_text(post, members=2) for post in posts], model="two", methods=["occlusion", "random"]
    )

    def f(ids: list[int]) -> np.ndarray:
        return np.mean([model(torch.tensor([[CLS, *ids, SEP]])).logits.double().softmax(-1)[0].numpy() for model in modules], axis=0)

    for document, post in enumerate(posts):
        label = int(f(list(post)).argmax())
        drops = [f(list(post))[label] - f([*post[:i], *post[i + 1 :]])[label] for i in range(len(post))]
        order = sorted(range(len(post)), key=lambda word: -drops[word])
        gone = []
        for share in (1, 5, 10, 20, 50):
            top = order[: max(1, math.ceil(share * len(post) / 100))]
            gone.append(f(list(post))[label] - f([identifier for word, identifier in enumerate(post) if word not in top])[label])
        value = found.scores.filter(document=document, method="occlusion", ordering="signed", metric="comprehensiveness")["value"].item()
        assert value == pytest.approx(np.mean(gone), abs=1e-6)


def test_the_frame_is_ready_for_the_store() -> None:
    texts = [plain_text([4, 5]), plain_text([]), plain_text([6, 5, 4])]
    heard: list[tuple[int, int]] = []
    found = faithfulness(
        subject([small_bert()], [UNK]), texts, model="m", documents=[5, 6, 7], progress=lambda done, all_: heard.append((done, all_))
    )
    assert dict(found.scores.schema) == dict(SCHEMAS["score"])
    Batch({"score": found.scores})
    assert found.scores.height == 2 * len(METHODS) * 2 * 3
    assert found.scores["document"].unique().sort().to_list() == [5, 7]
    assert found.without_words == 1
    assert heard == [(2, 2)]
    assert found.scores["value"].is_finite().all()
    assert found.convergence is not None


def test_a_method_without_sign_ranks_alike_in_both_orders() -> None:
    found = faithfulness(subject([small_bert()], [UNK]), [plain_text([4, 5, 9, 11])], model="m", methods=["sensitivity"]).scores
    signed, absolute = (found.filter(ordering=ordering)["value"].to_list() for ordering in ("signed", "absolute"))
    assert signed == absolute


def test_chunks_and_other_methods_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [plain_text([4 + shift, 5, 9, 11][: 2 + shift % 3]) for shift in range(7)]
    whole = faithfulness(subject([small_bert()], [UNK]), texts, model="m").scores
    monkeypatch.setattr("workbench.evaluation.faithfulness.CHUNK", 2)
    parts = faithfulness(subject([small_bert()], [UNK]), texts, model="m", methods=["random", "attnlrp"]).scores
    both = whole.join(parts, on=[name for name in whole.columns if name != "value"])
    assert both.height == parts.height
    np.testing.assert_allclose(both["value"], both["value_right"], atol=1e-5)


def test_an_unknown_method_is_an_error() -> None:
    with pytest.raises(InputError, match="attnlrp"):
        faithfulness(subject([], []), [], model="m", methods=["shap"])


def test_no_text_is_no_score() -> None:
    assert faithfulness(subject([], []), [], model="m").scores.height == 0


def scores(values: dict[str, list[float]]) -> pl.DataFrame:
    rows = [
        (document, "text", "m", method, "signed", "sufficiency", value)
        for method, column in values.items()
        for document, value in enumerate(column)
    ]
    return pl.DataFrame(rows, schema=dict(SCHEMAS["score"]), orient="row")


def test_the_difference_from_random_is_paired() -> None:
    """Random scatters widely, the other method is always .1 above it: the difference is certain, the means are not."""
    noise = np.random.default_rng(0).normal(0, 1, 40)
    lines = summary(scores({"random": noise.tolist(), "attnlrp": (noise + 0.1).tolist()}))
    line = lines.row(by_predicate=pl.col("method") == "attnlrp", named=True)
    assert line["difference"] == pytest.approx(0.1)
    assert line["difference_high"] - line["difference_low"] < 1e-9
    assert line["high"] - line["low"] > 0.3
    assert line["low"] < line["mean"] < line["high"]


def test_without_random_there_is_no_difference_and_with_one_document_no_interval() -> None:
    line = summary(scores({"attnlrp": [0.5]})).row(0, named=True)
    assert (line["mean"], line["documents"]) == (0.5, 1)
    assert line["low"] is line["high"] is line["difference"] is line["difference_low"] is None


def test_intervals_are_seeded_and_hold_their_confidence() -> None:
    """95 % intervals of 200 samples of 30 cover the true mean at least 175 times (expected 187)."""
    random = np.random.default_rng(1)
    samples = random.exponential(1.0, (200, 30))
    found = [mean_interval(sample, resamples=500) for sample in samples]
    assert sum(low <= 1.0 <= high for low, high in found) >= 175
    assert mean_interval(samples[0], seed=3) == mean_interval(samples[0], seed=3)


def test_for_even_values_the_interval_is_the_t_interval() -> None:
    values = np.random.default_rng(2).normal(3, 1, 200)
    np.testing.assert_allclose(mean_interval(values), stats.t.interval(0.95, 199, values.mean(), stats.sem(values)), atol=0.02)


def test_equal_values_are_a_point() -> None:
    assert mean_interval(np.full(5, 0.25)) == (0.25, 0.25)
