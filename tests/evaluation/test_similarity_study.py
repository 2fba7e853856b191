"""The study of similarity from the command line, with a tiny encoder and without the mirror."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from torch import nn
from typer.testing import CliRunner, Result

from tests.evaluation.similarity_encoders import TinyEncoder, text
from workbench import corpora
from workbench.cli.evaluate import app
from workbench.encoding import Encoding
from workbench.errors import InputError, ModelError
from workbench.evaluation import similarity_alignment, similarity_pairs, similarity_study
from workbench.evaluation.similarity_alignment import Aligned, blank_words
from workbench.evaluation.similarity_study import similarity_study as study


@dataclass
class Letters:
    """An encoder that reads words by their first letter."""

    name: str = "letters"
    module: nn.Module = field(default_factory=TinyEncoder)
    window: int = 32
    tokenizer: None = None


def read(_tokenizer: None, said: str, _window: int) -> Encoding:
    return text(*(10 + ord(word[0]) % 40 for word in said.split()))


@pytest.fixture(autouse=True)
def without_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = corpora.find

    def find(name: str) -> corpora.Declaration:
        if "sample" not in name:
            raise InputError(f"find {name}", "not at hand", "name a mirror")
        return everything(name)

    monkeypatch.setattr(corpora, "find", find)
    monkeypatch.setattr(similarity_study, "first_encoder", lambda *_: Letters())
    for room in (similarity_study, similarity_alignment):
        monkeypatch.setattr(room, "encode", read)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["similarity", *arguments])


def test_the_tables_fit_and_say_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = "a cat sat", "a dog sat"
    gold = Aligned("one", (one, other), (blank_words(one), blank_words(other)), np.eye(3, dtype=bool))
    monkeypatch.setattr(similarity_study, "gold_sets", lambda *_: {"iSTS images": [gold, gold]})
    found = run("--pairs", "6", "--steps", "3", "--methods", "bilrp,hessian_x_product,random")
    assert found.exit_code == 0, found.output
    for said in (
        "letters, 6 pairs of similarity-multilingual-sample", "bilrp, all cells", "hessian x product", "iSTS images", "same string",
        "an encoder that counts shared nouns", "Spearman", "left out: stsb-multilingual", "generated sentences", "published",
    ):  # fmt: skip
        assert said in found.output
    assert max(map(len, found.output.splitlines())) <= 100


def test_json_holds_every_figure() -> None:
    found = run("perturbation", "--pairs", "4", "--methods", "bilrp,random", "--json")
    assert found.exit_code == 0, found.output
    said = json.loads(found.stdout)
    assert {row["method"] for row in said["perturbation"]} == {"bilrp", "random"}
    assert said["encoder"] == "letters"
    assert said["nouns"] is None
    assert said["left_out"][0].startswith("stsb-multilingual: ")


def test_without_the_mirror_alignments_are_left_out() -> None:
    found = study(["alignment"], pairs=3)
    assert found.alignment is None
    assert [reason.partition(":")[0] for reason in found.left_out] == list(similarity_alignment.SETS)


def test_unknown_parts_are_refused() -> None:
    with pytest.raises(InputError, match="perturbation, alignment, nouns"):
        study(["everything"])  # type: ignore[list-item]
    assert isinstance(run("everything").exception, InputError)


def test_encoders_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModelError(f"load {name}", "no such folder", "train it")

    monkeypatch.setattr(similarity_pairs, "load_encoder", absent)
    monkeypatch.setattr(similarity_pairs, "find_spec", lambda _: None)
    left_out: list[str] = []
    assert similarity_pairs.first_encoder(None, left_out) is None
    assert left_out == [
        "all-MiniLM-L6-v2: the package that brings it is not installed", "multilingual-similarity: no such folder",
    ]  # fmt: skip
    with pytest.raises(ModelError, match="no such folder"):
        similarity_pairs.first_encoder("mine", left_out)
