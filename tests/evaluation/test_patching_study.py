"""The study of patching: what counts, what is flagged, what the command prints; and who carries a change, values or attention."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest
import torch
import typer
from torch import Tensor
from transformers import GPT2LMHeadModel
from typer.testing import CliRunner

from workbench.cli.patching import patching, show
from workbench.errors import InputError
from workbench.evaluation.agreement import agreement_pairs
from workbench.evaluation.agreement_model import Shape, small_gpt2
from workbench.evaluation.frozen_attention import FrozenAttention, carried_by_values
from workbench.evaluation.interventions import logits_of
from workbench.evaluation.pairs import prompts
from workbench.evaluation.patching_study import Study, patching_study

PAIRS = agreement_pairs(10, 0)
TINY = Shape(layers=2, width=32, steps=5, batch=8)


@pytest.fixture(scope="module")
def study() -> Study:
    """Two models that have learnt nothing."""
    return patching_study(2, 10, shape=TINY)


def counted(study: Study) -> Study:
    """The same as if both models did the task."""
    return Study(tuple(replace(run, accuracy=1.0) for run in study.runs))


def test_models_that_do_not_do_the_task_say_nothing(study: Study) -> None:
    assert [run.seed for run in study.flagged] == [0, 1]
    assert study.by_seed().is_empty()
    assert study.lowest is None
    assert study.reaching == 0
    assert not study.passed
    assert study.models()["mlp"].to_list() == [None, None]


def test_the_bar_is_that_of_the_lowest_model(study: Study) -> None:
    asked = counted(study)
    by_seed = asked.by_seed().filter(pl.col("kind").is_in(["residual", "mlp"]), pl.col("method") == "relevance_patching")
    assert by_seed.height == 4
    assert asked.lowest == by_seed["pearson"].min()
    assert asked.passed == (by_seed["pearson"].min() >= 0.95)  # type: ignore[operator]


def test_perfect_estimates_pass(study: Study) -> None:
    def perfect(effects: pl.DataFrame) -> pl.DataFrame:
        full = effects.filter(method="activation_patching")
        return pl.concat(
            [full, *(full.with_columns(pl.lit(method).alias("method")) for method in ("attribution_patching", "relevance_patching"))]
        )

    asked = Study(tuple(replace(run, accuracy=0.98, effects=perfect(run.effects)) for run in study.runs))
    assert asked.passed
    assert asked.reaching == 2
    assert asked.lowest == pytest.approx(1.0)
    assert not Study((*asked.runs[:1], replace(asked.runs[1], accuracy=0.979))).passed


def test_the_summary_stands_beside_the_published_figures(study: Study) -> None:
    summary = counted(study).summary()
    assert summary.height == 6
    relevance = summary.filter(method="relevance_patching")
    assert dict(zip(relevance["kind"], relevance["gpt2_small"], strict=True)) == {"residual": 0.968, "attention": 0.962, "mlp": 0.992}
    assert summary["pairs"].to_list() == [20] * 6
    assert (summary["lowest"] <= summary["highest"]).all()


def test_costs_are_those_of_one_pair(study: Study) -> None:
    costs = {line["method"]: (line["forward"], line["backward"]) for line in study.costs().to_dicts()}
    tokens = sum(len(pair.clean) for seed in (0, 1) for pair in agreement_pairs(10, seed)) / 20
    assert costs["activation_patching"] == (pytest.approx(2 + tokens * 2 * 3), 0)
    assert costs["attribution_patching"] == costs["relevance_patching"] == (2, 1)


def test_all_figures_are_json(study: Study) -> None:
    for asked in (study, counted(study)):
        written = json.loads(json.dumps(asked.to_json()))
        assert len(written["models"]) == 2
    assert len(written["by_layer"]) == 2 * 2 * 3 * 2


@pytest.mark.parametrize(("seeds", "pairs"), [(0, 10), (1, 1)])
def test_nothing_to_study_is_an_answer(seeds: int, pairs: int) -> None:
    with pytest.raises(InputError, match="at least"):
        patching_study(seeds, pairs)


def test_the_command_prints_tables_and_ends_with_one_below_the_bar() -> None:
    app = typer.Typer()
    app.command()(patching)
    answer = CliRunner().invoke(app, ["--seeds", "1", "--pairs", "5", "--steps", "2"])
    assert answer.exit_code == 1
    assert "flagged: the model of seed 0" in answer.stdout
    assert "cost of one pair" in answer.stdout
    assert max(map(len, answer.stdout.splitlines())) <= 100
    parsed = CliRunner().invoke(app, ["--seeds", "1", "--pairs", "5", "--steps", "2", "--json"])
    assert json.loads(parsed.stdout)["passed"] is False


def test_tables_fit_a_terminal(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    show(counted(study))
    printed = capsys.readouterr().out
    assert "relevance patching" in printed
    assert "carried by values" in printed
    assert "no room" not in printed
    assert max(map(len, printed.splitlines())) <= 100


def random_model() -> GPT2LMHeadModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return small_gpt2(TINY).double().eval().requires_grad_(False)  # type: ignore[no-any-return, no-untyped-call]


def test_replayed_attention_of_the_same_text_changes_nothing() -> None:
    model, ids = random_model(), prompts(PAIRS)[0].clean
    plain = logits_of(model, ids)
    attention = FrozenAttention()
    with attention:
        recorded = logits_of(model, ids)
    with attention.replay():
        replayed = logits_of(model, ids)
    assert torch.allclose(recorded, plain, atol=1e-10)
    assert torch.allclose(replayed, plain, atol=1e-10)
    assert all(torch.allclose(weights.sum(-1), torch.ones_like(weights[..., 0])) for weights in attention.weights)
    assert torch.equal(logits_of(model, ids), plain)


def scaled_scores(model: GPT2LMHeadModel, factor: float) -> GPT2LMHeadModel:
    """Queries and keys of all layers, times a factor."""
    width = TINY.width

    def scale(values: Tensor) -> None:
        values[..., : 2 * width] *= factor

    for block in model.transformer.h:
        scale(block.attn.c_attn.weight.data)
        scale(block.attn.c_attn.bias.data)
    return model


def test_without_scores_values_carry_all_and_with_large_ones_they_do_not() -> None:
    assert carried_by_values(scaled_scores(random_model(), 0.0), PAIRS) == pytest.approx(1.0, abs=1e-9)
    assert abs(carried_by_values(scaled_scores(random_model(), 100.0), PAIRS) - 1) > 0.01
