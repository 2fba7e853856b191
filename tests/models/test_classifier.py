"""Loading models: what is safe and complete loads, everything else gets one clear answer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.pipeline import tiny
from workbench.errors import ModelError
from workbench.models.classifier import load
from workbench.models.ensemble import decide, load_ensemble


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved ensemble."""
    return tiny.save_ensemble(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """A copy of its first member, to be damaged."""
    return Path(shutil.copytree(kept / "words", tmp_path / "words"))


def rewrite(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    """Changes the weights of a saved model."""
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def configure(folder: Path, **values: object) -> None:
    """Changes the configuration of a saved model."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def pickled(folder: Path) -> None:
    """Weights as a pickle, no safetensors."""
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no configuration": (lambda folder: (folder / "config.json").unlink(), "no config.json"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "no *.safetensors"),
    "pickled weights": (pickled, "pickled weights (pytorch_model.bin)"),
    "NaN weights": (
        lambda folder: rewrite(folder, lambda w: w["classifier.weight"].fill_(float("nan"))),
        "NaN or infinite in classifier.weight",
    ),
    "infinite weight": (lambda folder: rewrite(folder, lambda w: w["classifier.bias"][0].fill_(float("inf"))), "1 values that are NaN"),
    "a weight is missing": (lambda folder: rewrite(folder, lambda w: w.pop("classifier.bias")), "weights without values: classifier.bias"),
    "a weight of another shape": (
        lambda folder: rewrite(folder, lambda w: w.update({"classifier.bias": torch.zeros(9)})),
        "another shape than configured: classifier.bias",
    ),
    "truncated weights": (lambda folder: (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:500]), ""),
    "garbage weights": (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 400), ""),
    "header of 2^60 bytes": (lambda folder: (folder / "model.safetensors").write_bytes((1 << 60).to_bytes(8, "little") + b"{}"), ""),
    "broken configuration": (lambda folder: (folder / "config.json").write_text("{"), ""),
    "unknown architecture": (lambda folder: configure(folder, model_type="no-such-model"), "no-such-model"),
    "code of its own": (lambda folder: configure(folder, model_type="mine", auto_map={"AutoConfig": "mine.Config"}), ""),
    "no tokenizer": (lambda folder: [path.unlink() for path in folder.glob("tokenizer*")], ""),
    "broken tokenizer": (lambda folder: (folder / "tokenizer.json").write_text('{"version": 3}'), ""),
    "empty folder": (lambda folder: [path.unlink() for path in folder.iterdir()], "no config.json"),
}


@pytest.mark.filterwarnings("ignore")  # what libraries say of damaged files is theirs
@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_model_gets_one_clear_answer(name: str, folder: Path) -> None:
    damage, said = DAMAGE[name]
    damage(folder)
    with pytest.raises(ModelError) as refused:
        load(str(folder))
    assert str(folder) in refused.value.asked
    assert said in refused.value.found
    assert refused.value.remedy


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("./nowhere", "no such folder"),
        ("/no/such/model", "no such folder"),
        ("nobody/nothing-here", ""),
        ("bengali-hate/nothing/else", "no such folder"),
    ],
)
def test_an_unknown_name_is_refused(name: str, said: str) -> None:
    with pytest.raises(ModelError) as refused:
        load(name)
    assert said in refused.value.found


def test_an_unknown_precision_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="float32"):
        load(str(folder), precision="int4")


def test_identity_is_by_content(kept: Path, folder: Path) -> None:
    one, same = load(str(kept / "words")), load(str(folder))
    assert one.fingerprint == same.fingerprint
    assert one.fingerprint != load(str(kept / "characters")).fingerprint
    assert one.fingerprint != load(str(folder), precision="bfloat16").fingerprint
    rewrite(folder, lambda weights: weights["classifier.bias"].add_(1e-3))
    assert load(str(folder)).fingerprint != one.fingerprint
    assert (one.labels, one.window, one.name) == (tuple(tiny.LABELS), 64, "words")
    assert not one.module.training


def test_an_ensemble_decides_by_vote_and_by_probability(kept: Path) -> None:
    ensemble = load_ensemble(str(kept))
    assert [member.name for member in ensemble.members] == ["tiny/words", "tiny/characters"]
    sure, unsure = torch.tensor([[9.0, 0.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0, 0.0]])
    decision = decide([sure, unsure, unsure])
    assert decision.votes.tolist() == [[1, 2, 0, 0]]
    assert decision.by_vote.tolist() == [1]
    assert decision.by_probability.tolist() == [0]
    tied = decide([sure, unsure])
    assert tied.by_vote.tolist() == [0]


def test_members_must_agree_on_labels(kept: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(kept, tmp_path / "pair"))
    configure(copy / "words", id2label={"0": "A", "1": "B", "2": "C", "3": "D"}, label2id={"A": 0, "B": 1, "C": 2, "D": 3})
    with pytest.raises(ModelError, match="labels differ"):
        load_ensemble(str(copy))
