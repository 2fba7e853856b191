"""The lexicon task says what made each token; figures on readings made by hand; a tiny training through to the table."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import typer
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from workbench.cli.evaluate_translation import synthetic_translation
from workbench.errors import InputError
from workbench.evaluation.lexicon_model import Shape, accuracy, small_marian, train
from workbench.evaluation.lexicon_task import END, FUNCTION, NOUNS, SIZE, SOURCE, TARGET, Example, examples, is_function, lexicon
from workbench.evaluation.synthetic_translation import (
    ATTENTION,
    COMPARED,
    Read,
    area_under_curve,
    bars,
    entropy,
    error_rate,
    figures,
    synthetic,
)

TINY = Shape(layers=1, width=16, heads=2, steps=8, batch=4)


def sentences(count: int = 20) -> list[Example]:
    return examples(lexicon(0), count, np.random.default_rng(1))


def test_every_content_word_is_the_translation_of_its_source_word() -> None:
    words = lexicon(0)
    for one in sentences():
        assert len(one.target) == len(one.aligned)
        assert one.source[-1] == one.target[-1] == END
        for place, (token, source) in enumerate(zip(one.target[:-1], one.aligned, strict=False)):
            if source is None:
                assert FUNCTION <= token < SIZE
                assert token == words.function[one.target[place - 1] - TARGET]  # of the token in front of it, and of nothing else
            else:
                assert token == words.translation[one.source[source] - SOURCE]
                assert not is_function(token)
        aligned = [source for source in one.aligned if source is not None]
        assert sorted(aligned) == list(range(len(one.source) - 1))


def test_adjectives_and_nouns_swap() -> None:
    swapped = [
        (one.source[left], one.source[right])
        for one in sentences()
        for left, right in zip(one.aligned, one.aligned[1:], strict=False)
        if left is not None and right is not None
    ]
    assert swapped
    assert all(noun < SOURCE + NOUNS <= adjective for noun, adjective in swapped)
    assert all(
        right < left
        for one in sentences()
        for left, right in zip(one.aligned, one.aligned[1:], strict=False)
        if left is not None and right is not None
    )


def test_lexicons_differ_by_seed_and_only_by_seed() -> None:
    assert lexicon(3) == lexicon(3)
    assert lexicon(3) != lexicon(4)
    assert sorted(lexicon(3).translation) == list(range(TARGET, FUNCTION))


def reading(one: Example, *, right: bool) -> Read:
    """A method that finds every source token (or always the first), and takes content words from the source (or function words)."""
    source = np.full((len(one.target), len(one.source)), 0.1)
    for step, aligned in enumerate(one.aligned):
        if aligned is not None and right:
            source[step, aligned] = 1.0
        elif not right:
            source[step, 0] = 1.0
    share = np.array([float(is_function(token) != right) for token in one.target])
    return Read(source, share)


def test_figures_of_a_right_and_of_a_wrong_method() -> None:
    given = sentences()
    right, wrong = ([reading(one, right=answer) for one in given] for answer in (True, False))
    assert error_rate(given, right) == 0
    content = sum(source is not None for one in given for source in one.aligned)
    assert error_rate(given, wrong) == pytest.approx(1 - len(given) / content)  # the first source token belongs to one word a sentence
    assert error_rate(given, right, convention="input") > 0.5
    assert area_under_curve(given, right, 0) == (1.0, 1.0, 1.0)
    assert area_under_curve(given, wrong, 0)[0] == 0.0
    assert figures(given, right, 0)["content_share"] == 1.0
    unknown = [Read(one.source, np.full(len(one.share), np.nan)) for one in right]
    assert np.isnan(area_under_curve(given, unknown, 0)[0])
    np.testing.assert_allclose(entropy(np.array([[1.0, 1.0, 1.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]])), [1.0, 0.0])


def test_training_is_seeded_and_learns() -> None:
    words, shape = lexicon(0), Shape(layers=1, width=32, heads=2, steps=60, batch=16, learning_rate=5e-3)
    model = train(words, 0, shape)
    assert accuracy(model, sentences()) > max(0.05, 2 * accuracy(small_marian(shape).eval(), sentences()))
    again = train(words, 0, shape)
    assert all((left == right).all() for left, right in zip(model.parameters(), again.parameters(), strict=True))
    assert model.config.scale_embedding


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    """Two models that have learnt nothing."""
    return synthetic((0, 1), sentences=3, shape=TINY)


def test_the_table_has_every_method_of_every_seed_and_closes_every_ledger(frame: pl.DataFrame) -> None:
    assert frame.group_by("seed").len().sort("seed").rows() == [(0, len(COMPARED) + 1), (1, len(COMPARED) + 1)]
    assert frame["gap"].max() < 1e-4  # type: ignore[operator]
    shares = frame.filter(pl.col("method") != ATTENTION)
    assert shares["area"].is_between(0, 1).all()
    assert (shares["area_low"] <= shares["area_high"]).all()
    assert frame["error_rate"].is_between(0, 1).all()
    found = {bar.name.split(":")[0].split(" (")[0]: bar for bar in bars(frame)}
    assert not found["accuracy of the models"].met  # eight steps teach nothing, and the bars say so
    assert found["largest gap of a ledger"].met


def test_progress_is_told_and_nothing_is_refused() -> None:
    told: list[tuple[str, int, int]] = []
    train(lexicon(0), 0, TINY, lambda done, total: told.append(("train", done, total)))
    assert told[-1] == ("train", 8, 8)
    with pytest.raises(InputError, match="0 seeds"):
        synthetic(())


def test_the_area_is_that_of_sklearn_with_ties() -> None:
    given = sentences()
    random = np.random.default_rng(0)
    found = [Read(np.ones((len(one.target), 2)), random.integers(4, size=len(one.target)) / 4) for one in given]
    shares = [share for read in found for share in read.share[1:-1]]
    content = [not is_function(token) for one in given for token in one.target[1:-1]]
    assert area_under_curve(given, found, 0)[0] == pytest.approx(roc_auc_score(content, shares))


def test_the_command_prints_its_table_and_fails_below_a_bar(frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.evaluation.synthetic_translation.synthetic", lambda *_, **__: frame)
    app = typer.Typer()
    app.command()(synthetic_translation)
    done = CliRunner().invoke(app, [])
    assert done.exit_code == 1
    assert "alti plus" in done.stdout
    assert "AttnLRP" in done.stdout
    done = CliRunner().invoke(app, ["--json"])
    found = json.loads(done.stdout)
    assert not found["passed"]
    assert {row["method"] for row in found["rows"]} >= {"attnlrp", "alpha_beta", "alti_plus", "cross_attention"}
