"""Loading any text model: its task, window and labels are found; what is unsafe or incomplete gets one clear answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.models import zoo
from workbench.errors import ModelError
from workbench.models.classifier import load
from workbench.models.model import load_model

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("zoo")


@pytest.mark.parametrize("name", zoo.MODELS)
def test_a_model_is_loaded_with_its_head_for_its_task(name: str, models: Path) -> None:
    model = load_model(str(zoo.save(name, models)))
    expected = zoo.MODELS[name][2]()
    assert type(model.module).__name__ == type(expected).__name__
    assert (model.name, model.task, model.precision) == (name, zoo.MODELS[name][0], "float32")
    assert model.window == (62 if name == "reader" else 64)  # the first positions of RoBERTa belong to padding
    assert len(model.labels) == (expected.config.num_labels if model.task.endswith("classification") else 0)
    assert not model.module.training
    assert not any(parameter.requires_grad for parameter in model.module.parameters())


def test_a_classifier_is_the_one_that_load_gives(models: Path) -> None:
    folder = str(zoo.save("bert", models))
    assert load_model(folder).fingerprint == load(folder).fingerprint
    assert load_model("bengali-hate/akshara").labels == load("bengali-hate/akshara").labels


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken"])
def test_a_sentence_encoder_is_loaded_with_its_pooling(pooling: str, models: Path) -> None:
    folder = zoo.save_sentences(models, pooling)
    model = load_model(str(folder))
    assert (model.task, model.pooling) == ("encoder", pooling)
    parts = json.loads((folder / "modules.json").read_text())
    inner = next(part["path"] for part in parts if part["type"].endswith("Pooling"))
    (folder / inner / "config.json").write_text(json.dumps({"pooling_mode_cls_token": False, f"pooling_mode_{EARLIER[pooling]}": True}))
    assert load_model(str(folder)).pooling == pooling


EARLIER = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens", "lasttoken": "lasttoken"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_pooling_that_is_not_known_is_refused(models: Path) -> None:
    folder = zoo.save_sentences(models, "mean")
    parts = json.loads((folder / "modules.json").read_text())
    inner = next(part["path"] for part in parts if part["type"].endswith("Pooling"))
    (folder / inner / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}))
    with pytest.raises(ModelError, match="pooling by cls and max"):
        load_model(str(folder))


def rewritten(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def configured(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def pickled(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "pickled weights": (pickled, "pickled weights"),
    "NaN weights": (lambda folder: rewritten(folder, lambda w: w["lm_head.weight"][0].fill_(float("nan"))), "NaN or infinite"),
    "a weight is missing": (lambda folder: rewritten(folder, lambda w: w.pop("model.norm.weight")), "weights without values"),
    "a weight of another shape": (
        lambda folder: rewritten(folder, lambda w: w.update({"model.norm.weight": torch.ones(9)})),
        "another shape than configured",
    ),
    "no text model": (lambda folder: configured(folder, architectures=["ViTForImageClassification"]), "ViTForImageClassification"),
    "unknown type": (lambda folder: configured(folder, model_type="no-such-model"), "no-such-model"),
    "code of its own": (lambda folder: configured(folder, model_type="mine", auto_map={"AutoConfig": "mine.Config"}), ""),
    "no tokenizer": (lambda folder: [path.unlink() for path in folder.glob("tokenizer*")], ""),
    "modules.json is broken": (lambda folder: (folder / "modules.json").write_text("{"), ""),
    "no configuration": (lambda folder: (folder / "config.json").unlink(), "no config.json"),
}


@pytest.mark.filterwarnings("ignore")  # what libraries say of damaged files is theirs
@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_model_gets_one_clear_answer(name: str, tmp_path: Path) -> None:
    damage, said = DAMAGE[name]
    folder = zoo.save("llama", tmp_path)
    damage(folder)
    with pytest.raises(ModelError) as refused:
        load_model(str(folder))
    assert str(folder) in refused.value.asked
    assert said in refused.value.found
    assert refused.value.remedy


def test_an_ensemble_names_its_members() -> None:
    with pytest.raises(ModelError, match="bengali-hate/wordpiece, bengali-hate/unigram"):
        load_model("bengali-hate")


@pytest.mark.parametrize("name", ["./nowhere", "nobody/nothing-here"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(ModelError):
        load_model(name)


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ModelError, match="float32"):
        load_model("bengali-hate/akshara", precision="int4")
