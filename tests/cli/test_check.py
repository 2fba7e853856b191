"""`workbench check`: the page, its verdict and its exit code, for models of every task and for what cannot be explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result
from typer.testing import CliRunner

from tests.models import zoo
from workbench.cli import app
from workbench.cli.check_page import page
from workbench.cli.terminal import WIDTH, console
from workbench.errors import InputError, ModelError, PropagationError
from workbench.models.model import load_model
from workbench.pipeline.checkup import cases, conservation, examine
from workbench.pipeline.memory import peak
from workbench.rules.composite import COMPOSITES

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:sentence_transformers.*"),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("zoo")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs are measured once, on a short text."""
    monkeypatch.setattr("workbench.pipeline.checkup.cost.REPETITIONS", 1)
    monkeypatch.setattr("workbench.pipeline.checkup.examination.LENGTH", 12)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments])


def with_texts() -> list[str]:
    return [part for text in zoo.TEXTS for part in ("--text", text)]


@pytest.mark.parametrize("name", zoo.MODELS)
def test_a_model_of_every_task_is_fit(name: str, models: Path) -> None:
    answer = check(str(zoo.save(name, models)), *with_texts(), "-c", "attnlrp", "-c", "gradient_x_input", "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert (told["anatomy"]["task"], told["anatomy"]["positions"]) == zoo.MODELS[name][:2]
    assert told["target"] == cases.SAID[zoo.MODELS[name][0]]
    assert told["untouched"] is True
    assert [row["composite"] for row in told["rows"]] == ["attnlrp.v1", "gradient_x_input.v1"]
    for row in told["rows"]:
        assert row["met"] is True
        assert row["difference"] <= 1e-4
        assert row["gap"] <= 1e-4
        assert (row["closed"], row["texts"]) == (2, 2)
        assert sum(row["shares"].values()) == pytest.approx(1)
        assert row["shares"]["tokens"] > 0
        assert (row["shares"]["decoder_inputs"] > 0) == (name in ("t5", "bart", "marian", "bart-classifier"))
    assert [one["name"] for one in told["passes"]] == ["forward", "forward+backward", "attnlrp.v1"]
    assert all(one["seconds"] > 0 and one["bytes"] > 0 for one in told["passes"])
    assert told["operations"]["linear"] > 0


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken"])
def test_the_vector_of_a_sentence_encoder_is_explained(pooling: str, models: Path) -> None:
    from sentence_transformers import SentenceTransformer

    folder = zoo.save_sentences(models, pooling)
    model = load_model(str(folder))
    assert examine(model, zoo.TEXTS, ["attnlrp", "cplrp"]).exit_code == 0
    case = cases.case(model, zoo.TEXTS[0])
    explained = conservation.record(model.module, case.inputs).explain(case.target)[0]
    vector = SentenceTransformer(str(folder), device="cpu").encode(zoo.TEXTS[0], convert_to_tensor=True, show_progress_bar=False)
    assert explained.ledger.target == pytest.approx(float(vector.norm()), rel=1e-5)


def test_float64_is_held_to_its_own_bar(models: Path) -> None:
    exact = examine(load_model(str(zoo.save("bert", models)), precision="float64"), zoo.TEXTS, ["attnlrp"])
    assert (exact.rows[0].bar, exact.exit_code, exact.casts) == (1e-10, 0, 0)
    cast = examine(load_model(str(zoo.save("llama", models)), precision="float64"), zoo.TEXTS, ["attnlrp"])
    assert (cast.rows[0].bar, cast.exit_code) == (1e-4, 0)
    assert cast.casts > 0
    assert "judged by the bar of float32" in rendered(cast)


def rendered(found: Any) -> str:
    out = console()
    with out.capture() as captured:
        for part in page(found):
            out.print(part)
    return captured.get()


def test_the_page_says_everything_in_a_hundred_columns(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    answer = check(str(zoo.save("bart", models)), *with_texts(), "-c", "all")
    assert answer.exit_code in (0, 1), answer.output  # AttnLRP's unstable modes may miss the bar, and are then named
    assert max(map(len, answer.stdout.splitlines())) <= WIDTH
    facts = ("BartForConditionalGeneration", "2, 32 wide", "fused attention", "dec.", "forward+backward", "peak memory", "nothing")
    assert [said for said in (*facts, *COMPOSITES) if said not in answer.stdout.replace("\xa0", " ")] == []


def test_a_tokenizers_losses_are_shown_and_do_not_make_a_model_unfit(models: Path) -> None:
    answer = check(str(zoo.save("bert", models)), "-t", "hello নেতা", "-c", "cplrp")
    assert answer.exit_code == 0
    assert "1 unknown tokens" in answer.stdout
    assert "the tokenizer loses parts of 1 of 1 texts" in answer.stdout


def planted(models: Path) -> Any:
    model = load_model(str(zoo.save("bert", models)))
    model.module.bert.encoder.layer[1].intermediate.intermediate_act_fn = zoo.Sine().eval()  # type: ignore[union-attr, index, union-attr]
    return model


def test_what_cannot_be_explained_is_named_with_its_place_and_remedy(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = planted(models)
    monkeypatch.setattr("workbench.models.model.load_model", lambda *_, **__: model)
    answer = check("mine", *with_texts(), "-c", "attnlrp", "-c", "gradient_x_input")
    assert answer.exit_code == 2
    plain = " ".join(answer.stdout.split())
    assert "the operation torch.sin in bert.encoder.layer.1.intermediate.intermediate_act_fn (Sine)" in plain
    assert "register a rule" in plain
    assert "refused" in plain
    assert "cannot be explained under 1 of 2 composites" in plain
    told = examine(model, zoo.TEXTS, ["attnlrp"])
    assert told.passes == ()
    assert told.exit_code == 2
    assert told.untouched


def test_a_bar_that_is_missed_ends_with_1(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = zoo.save("bert", models)
    monkeypatch.setitem(conservation.BARS, "float32", 1e-30)
    answer = check(str(folder), *with_texts(), "-c", "attnlrp")
    assert answer.exit_code == 1
    assert "not fit: the bar of 1e-30 is missed under attnlrp.v1" in answer.stdout


def test_a_trace_that_stays_behind_ends_with_1(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(str(zoo.save("bert", models)))
    plain = conservation.record

    def leaking(module: Any, *rest: Any) -> Any:
        module.mark = True
        return plain(module, *rest)

    monkeypatch.setattr(conservation, "record", leaking)
    found = examine(model, zoo.TEXTS, ["attnlrp"])
    assert (found.untouched, found.exit_code) == (False, 1)
    assert "changed by being explained" in rendered(found)


def test_texts_are_read_from_a_file(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join([zoo.TEXTS[0], "", zoo.TEXTS[1]]), "utf-8")
    told = json.loads(check(str(zoo.save("bert", models)), "--text-file", str(path), "-c", "cplrp", "--json").stdout)
    assert [reading["text"] for reading in told["readings"]] == list(zoo.TEXTS)


@pytest.mark.parametrize(("content", "said"), [(b"\n \n", "no text"), (b"\xff\xfe", "no UTF-8")])
def test_a_text_file_without_texts_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes(content)
    answer = check("bengali-hate/akshara", "--text-file", str(path))
    assert isinstance(answer.exception, InputError)
    assert said in answer.exception.found


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["./nowhere"], ModelError),
        (["bengali-hate"], ModelError),
        (["bengali-hate/akshara", "-c", "nothing"], PropagationError),
        (["bengali-hate/akshara", "--precision", "int4"], ModelError),
        (["bengali-hate/akshara", "-t", " "], InputError),
        (["bengali-hate/akshara", "-t", "lone \udc80 surrogate"], InputError),
    ],
)
def test_what_cannot_be_done_is_one_clear_answer(arguments: list[str], kind: type[Exception]) -> None:
    answer = check(*arguments)
    assert isinstance(answer.exception, kind)
    assert answer.exception.exit_code == 2


def test_a_model_that_does_not_run_is_one_clear_answer(models: Path) -> None:
    model = load_model(str(zoo.save("bert", models)))
    model.module.classifier.weight = torch.nn.Parameter(torch.ones(3, 7), requires_grad=False)  # type: ignore[union-attr]
    with pytest.raises(ModelError, match="run BertForSequenceClassification"):
        examine(model, zoo.TEXTS)


def test_peak_memory_is_what_is_held_at_once() -> None:
    def work() -> None:
        first = torch.zeros(1000)
        second = first + 1
        del first
        third = second * 2
        del second, third

    module = torch.nn.Linear(2, 2)
    assert peak(module, work) == 2 * 4000
    assert peak(module, lambda: module.weight.T) == 0  # a view of the model's own
