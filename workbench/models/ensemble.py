"""Several classifiers that answer together: majority vote and mean probability are both given, relevance is their mean."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench import fingerprint
from workbench.errors import ModelError
from workbench.models.classifier import Classifier, load
from workbench.models.places import embedded, known_as


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Classifiers with the same labels; a single classifier is an ensemble of one."""

    name: str
    members: tuple[Classifier, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the logits."""
        return self.members[0].labels

    @property
    def fingerprint(self) -> str:
        """The only member's own fingerprint, or one over all members in their order."""
        if len(self.members) == 1:
            return self.members[0].fingerprint
        return fingerprint.of_json([member.fingerprint for member in self.members])


@dataclass(frozen=True, slots=True)
class Decision:
    """What an ensemble says of a batch: mean probability and votes for each label, and the label of the majority."""

    probabilities: Float[Tensor, "batch label"]
    votes: Int[Tensor, "batch label"]

    @property
    def by_vote(self) -> Int[Tensor, "batch"]:
        """Index of the label with most votes; ties go to the larger mean probability."""
        return (self.votes + self.probabilities / 2).argmax(1)

    @property
    def by_probability(self) -> Int[Tensor, "batch"]:
        """Index of the label with the largest mean probability."""
        return self.probabilities.argmax(1)


def decide(logits: list[Float[Tensor, "batch label"]]) -> Decision:
    """The decision from the members' logits (one tensor a member)."""
    stacked = torch.stack([values.detach().double() for values in logits])
    votes = torch.nn.functional.one_hot(stacked.argmax(2), stacked.shape[2]).sum(0)
    return Decision(stacked.softmax(2).mean(0), votes)


def load_ensemble(name: str, *, revision: str | None = None, precision: str = "float32", device: str = "cpu") -> Ensemble:
    """Loads an ensemble (a folder with `ensemble.json` that lists its members) or a single classifier as an ensemble of one.

    Raises ModelError as `load` does, and when the members' labels differ.
    """
    options = {"precision": precision, "device": device}
    folder = embedded(name) or Path(name)
    if (folder / "ensemble.json").is_file():
        members = json.loads((folder / "ensemble.json").read_text("utf-8"))["members"]
        loaded = tuple(renamed(load(str(folder / member), **options), f"{known_as(name)}/{member}") for member in members)
    else:
        loaded = (load(name, revision=revision, **options),)
    if len({member.labels for member in loaded}) > 1:
        raise ModelError(f"load the ensemble {name}", "members whose labels differ", "give every member the same id2label")
    return Ensemble(loaded[0].name if len(loaded) == 1 else known_as(name), loaded)


def renamed(classifier: Classifier, name: str) -> Classifier:
    """The classifier, and its tokenizer, under the name by which its ensemble knows them."""
    return replace(classifier, name=name, tokenizer_name=f"{name}@{classifier.tokenizer_name.rpartition('@')[2]}")
