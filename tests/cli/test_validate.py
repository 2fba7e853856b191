"""`workbench validate`: what it prints fits a terminal, where LRP loses is shown, a missed bar is an exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import InputError
from workbench.evaluation import validation
from workbench.evaluation.planted import PlantedResult, from_json
from workbench.evaluation.planted_encoders import POSITION_ENCODINGS
from workbench.evaluation.planted_model import Reliance
from workbench.evaluation.planted_run import FOUND, PlantedRun, WordTest
from workbench.evaluation.planted_texts import TASKS, Task
from workbench.evaluation.randomization_run import FOUND as CORRELATIONS
from workbench.evaluation.randomization_run import RandomizationResult
from workbench.evaluation.validation import Validation, lost, validate

#: precision@k, the same for all tasks: attention rollout beats LRP where it is asked.
PRECISION = {"attnlrp": 1.0, "cplrp": 0.99, "palrp": 1.0, "occlusion": 0.5, "random": 0.05}


def run_of(task: Task, encoding: str, better: float | None = None) -> PlantedRun:
    methods = PRECISION if better is None else {**dict.fromkeys(PRECISION, 0.6), "attention_rollout": better}
    readings = [*((name, "tokens", value) for name, value in methods.items()), ("attnlrp", "positions", 0.95), ("palrp", "positions", 0.97)]
    rows = [
        (task, encoding, 0, method, reading, ordering, value, 1.0, 20)
        for method, reading, value in readings
        for ordering in ("signed", "absolute")
    ]
    asked = task != "random_labels"
    words = None if task == "token_in_context" else WordTest(90, 2, 0, 60, 20, 1, rank=2 if task == "source_tag" else 0)
    found = pl.DataFrame(rows if asked else [], schema=FOUND, orient="row")
    return PlantedRun(task, 0, Reliance(1.0 if asked else 0.5, 0.5, 60, asked), found, words, 3.0, encoding)  # type: ignore[arg-type]


@pytest.fixture
def result() -> Validation:
    runs = tuple(run_of(task, encoding, 0.9 if task == "token_in_context" else None) for task in TASKS for encoding in POSITION_ENCODINGS)
    depths = [("head", 0, 0.5), ("layer 1", 1, 0.2), ("embeddings", 2, 0.05)]
    models = [*(f"topics {encoding}" for encoding in POSITION_ENCODINGS), "wordpiece", "unigram", "akshara"]
    rows = [
        (model, method, stage, depth, value if method != "attention_rollout" else 1.0, 0.0, 1.0, 20)
        for model in models for method in ("attnlrp", "integrated_gradients", "attention_rollout") for stage, depth, value in depths
    ]  # fmt: skip
    agreement = pl.DataFrame(
        [("a-corpus", "attnlrp", metric, 0.5, 0.4, 0.6, 50) for metric in ("token_f1", "iou_f1", "auprc")],
        schema=["corpus", "method", "metric", "mean", "low", "high", "documents"], orient="row",
    )  # fmt: skip
    shaken = RandomizationResult(pl.DataFrame(rows, schema=CORRELATIONS, orient="row"), 10.0)
    return Validation(PlantedResult(runs, 60.0), shaken, agreement)


def called(monkeypatch: pytest.MonkeyPatch, result: Validation, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(validation, "validate", lambda *_, **__: result)
    answer = CliRunner().invoke(app, ["validate", *arguments])
    return answer.exit_code, answer.output


def test_the_tables_fit_a_terminal_and_show_every_method_and_bar(monkeypatch: pytest.MonkeyPatch, result: Validation) -> None:
    code, shown = called(monkeypatch, result)
    assert code == 0
    assert max(map(len, shown.splitlines())) <= 100
    for wanted in (*POSITION_ENCODINGS, "wordpiece", "attention_rollout over", "human rationales: a-corpus", "all bars met", "auprc"):
        assert wanted in shown
    assert "no room for" not in shown
    assert shown.count("at most") == 4
    assert shown.count("at least") == 2


def test_a_missed_bar_is_an_exit_code_and_named(monkeypatch: pytest.MonkeyPatch, result: Validation) -> None:
    assert result.randomization is not None
    blind = replace(result.randomization, found=result.randomization.found.with_columns(pl.lit(0.95).alias("correlation")))
    code, shown = called(monkeypatch, replace(result, randomization=blind))
    assert code == 1
    assert "a bar is missed" in shown
    assert shown.count("NO") == 2


def test_numbers_are_written_as_json_and_beside_a_store(monkeypatch: pytest.MonkeyPatch, result: Validation, tmp_path: Path) -> None:
    store = tmp_path / "relevance.duckdb"
    code, shown = called(monkeypatch, result, "--json", "--out", str(tmp_path / "all.json"), "--store", str(store))
    assert code == 0
    assert json.loads(shown) == json.loads((tmp_path / "all.json").read_text("utf-8"))
    assert len(json.loads(shown)["bars"]) == 6
    assert result.planted is not None
    assert from_json((tmp_path / "relevance.duckdb.planted.json").read_text("utf-8")).to_json() == result.planted.to_json()


def test_where_lrp_loses_is_said_and_random_order_is_no_rival(result: Validation) -> None:
    assert result.planted is not None
    lines = lost(result.planted.summary(by_encoding=True))
    assert set(lines["task"]) == {"token_in_context"}
    assert lines.height == 2 * len(POSITION_ENCODINGS)
    assert set(lines["method_other"]) == {"attention_rollout"}
    assert (lines["other"] > lines["lrp"]).all()


@pytest.mark.parametrize(("option", "given", "remedy"), [("--tasks", "acrostic", "ordered_pair"), ("--parts", "everything", "rationales")])
def test_an_unknown_name_is_refused_with_what_is_known(option: str, given: str, remedy: str) -> None:
    answer = CliRunner().invoke(app, ["validate", option, given])
    assert isinstance(answer.exception, InputError)
    assert remedy in str(answer.exception)


def test_a_task_alone_has_no_verdict(monkeypatch: pytest.MonkeyPatch, result: Validation) -> None:
    assert result.planted is not None
    alone = replace(result.planted, runs=tuple(run for run in result.planted.runs if run.task == "position_only"))
    code, shown = called(monkeypatch, Validation(alone, None, None))
    assert code == 1
    assert "no verdict without: precision@k of AttnLRP and CP-LRP" in shown
    assert "a bar is missed" not in shown


def test_parts_without_bars_are_shown(monkeypatch: pytest.MonkeyPatch, result: Validation) -> None:
    code, shown = called(monkeypatch, Validation(None, None, result.rationales, ("rationales of movie reviews: not here",)))
    assert code == 0
    for wanted in ("human rationales: a-corpus", "left out: rationales of movie reviews: not here", "no bars asked"):
        assert wanted in shown


def test_no_part_is_refused_and_missing_corpora_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no part"):
        validate(parts=())

    def missing(**_: object) -> None:
        raise InputError("read rationales", "no mirror", "set WORKBENCH_MIRROR")

    monkeypatch.setattr(validation, "rationales", missing)
    monkeypatch.setattr(validation, "review_rationales", missing)
    result = validate(parts=("rationales",))
    assert result.rationales is None
    assert result.left_out == tuple(
        f"{what}: no mirror; set WORKBENCH_MIRROR" for what in ("human rationales", "rationales of movie reviews")
    )
    assert result.passed, "nothing was asked"
