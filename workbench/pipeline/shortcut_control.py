"""Are shortcuts found, and is nothing found where nothing is? Small models trained on planted signals, and on labels by chance.

1. The texts and models are those of the planted control (`workbench.evaluation.planted_texts`): a tag that agrees with the label in 95 % of
   the training texts, beside a marker that agrees in 80 %; a marker whose place decides; a marker that decides wherever it stands; or
   labels that are coin flips.
2. New texts, in which tags stand by chance, are explained and stored as a run would store them. Where the place or the marker decides,
   they are labelled by chance, so that the labels explain nothing.
3. `shortcuts` ranks what carries a class. The tag and the marker must be among the first three, and nothing may pass that was not planted;
   with random labels nothing at all. A place need not pass: a model may take the marker as evidence for one class alone.
4. The counterfactual test does what the command of each class's first suspect says: it masks the tag, and moves what stands in a place.
   The larger effect counts, for a model may answer one class wherever it finds no reason for the other. Moving must take the answer where
   the place decides, and must not where the marker decides wherever it stands.
"""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from workbench.document import Document
from workbench.evaluation.planted_model import train
from workbench.evaluation.planted_run import forms
from workbench.evaluation.planted_texts import CLS, MASK, PAD, SEP, UNKNOWN, VOCABULARY, Task, planted_texts
from workbench.models.classifier import Classifier
from workbench.models.ensemble import Ensemble
from workbench.pipeline.annotators import Annotators
from workbench.pipeline.classification.work import work
from workbench.pipeline.counterfactual import counterfactual
from workbench.pipeline.declaration import Pipeline
from workbench.pipeline.plan import wanted
from workbench.queries.shortcuts import Shortcuts, shortcuts
from workbench.store import Store

TEXTS = 400
TOP = 3
TASKS: tuple[Task, ...] = ("source_tag", "position_only", "single_token", "random_labels")
#: The kind of suspect that is tested: the first of it for each class, whether it passes or not.
TESTED: dict[Task, str] = {"source_tag": "word", "position_only": "place", "single_token": "place"}
#: An effect of moving words up to which place decides nothing.
IDLE = 0.1
SPECIAL = {PAD: "[PAD]", CLS: "[CLS]", SEP: "[SEP]", MASK: "[MASK]", UNKNOWN: "[UNK]"}


@dataclass(frozen=True, slots=True)
class Controlled:
    """One model: the rank of the first suspect that was planted (0 where none is), how many pass, and the counterfactual test.

    `effect` and its interval are of the edit (mask or move) of the suspect that is tested; `right` is whether all that pass were planted.
    """

    task: Task
    seed: int
    rank: int
    passing: int
    right: bool
    edit: str | None
    effect: float | None
    low: float | None
    high: float | None

    @property
    def met(self) -> bool:
        """What was planted among the first three, and an effect above zero, but none of moving what decides wherever it stands."""
        if self.task == "random_labels":
            return self.passing == 0
        if self.low is None or self.high is None:
            return False
        if self.task == "position_only":
            return self.right and self.low > 0
        effect = self.high < IDLE if self.task == "single_token" else self.low > 0
        return 1 <= self.rank <= TOP and self.passing > 0 and self.right and effect


def shortcut_control(seeds: int = 5, *, progress: Callable[[int, int], None] = lambda *_: None, texts: int = TEXTS) -> list[Controlled]:
    """A model of each task for each seed."""
    found = []
    for seed in range(seeds):
        for task in TASKS:
            found.append(controlled(task, seed, texts))
            progress(len(found), seeds * len(TASKS))
    return found


def controlled(task: Task, seed: int, texts: int = TEXTS, steps: int | None = None) -> Controlled:
    """Trains a model (by default as many steps as the task needs), explains new texts, looks for suspects and tests the first."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "store.duckdb"
            ensemble = stored(path, task, seed, texts, steps)
            with Store.open(path) as store:
                return judged(task, seed, shortcuts(store, seed=seed, limit=0), store, ensemble)
    finally:
        torch.set_num_threads(threads)


def judged(task: Task, seed: int, found: Shortcuts, store: Store, ensemble: Ensemble) -> Controlled:
    """What the suspects of one model are worth."""
    planted = pl.col("kind") == "place" if task == "position_only" else pl.col("item").is_in(sorted(forms(task)))
    suspects = found.frame.with_columns(planted=planted)
    places = suspects["planted"].arg_true()
    passing = suspects.filter("passes")
    edit = effect = low = high = None
    candidates = suspects.filter(pl.col("kind") == TESTED[task]) if task in TESTED else suspects.clear()
    for first in candidates.unique("class", keep="first", maintain_order=True).iter_rows(named=True):
        pattern = shlex.split(first["command"])[2]
        tested = counterfactual(store, pattern, label=first["class"], edit=first["edit"], ensemble=ensemble, seed=seed).found
        if effect is None or tested.effect > effect:
            edit, effect, low, high = first["edit"], tested.effect, tested.low, tested.high
    rank = int(places[0]) + 1 if len(places) else 0
    return Controlled(task, seed, rank, len(passing), bool(passing["planted"].all()), edit, effect, low, high)


def stored(path: Path, task: Task, seed: int, texts: int = TEXTS, steps: int | None = None) -> Ensemble:
    """A store of new texts of a task, explained by a model that was trained on it, which is returned."""
    module, _ = train(task, seed, steps)
    ensemble = Ensemble("planted", (classifier(module, seed),))
    drawn = planted_texts(task, texts, np.random.default_rng([seed, 3]))
    written, labels = drawn.control, drawn.labels
    if task in ("position_only", "single_token"):
        written, labels = drawn.ids, np.random.default_rng([seed, 4]).integers(0, 2, texts)
    documents = [
        Document("planted", f"text-{number:04d}", {"text": " ".join(f"w{word}" for word in row[1:-1])}, label=str(label))
        for number, (row, label) in enumerate(zip(written.tolist(), labels.tolist(), strict=True))
    ]
    declared = {"name": "planted", "corpus": {"name": "planted"}, "model": {"name": "planted"}, "annotation": {"pipeline": "blank:xx"}}
    pipeline = Pipeline.model_validate(declared)
    batch = work(wanted(documents, ensemble.fingerprint, pipeline), ensemble, Annotators(pipeline.annotation), pipeline)
    with Store.open(path, "write") as store:
        store.register_model("planted", ensemble.fingerprint, "classifier", {"tokenizer": ensemble.members[0].tokenizer_name})
        number = store.begin_run("planted", json.loads(pipeline.model_dump_json()), {})
        store.append(batch, number)
        store.end_run(number, "finished", {})
    return ensemble


def classifier(module: torch.nn.Module, seed: int) -> Classifier:
    """A planted model with a tokenizer that knows its words, w11 and so on."""
    vocabulary = {SPECIAL.get(number, f"w{number}"): number for number in range(VOCABULARY)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)])
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=64, **names)  # type: ignore[no-untyped-call]
    return Classifier("planted", module, tokenizer, ("0", "1"), 24, "float32", f"planted-{seed}", "planted@words")
