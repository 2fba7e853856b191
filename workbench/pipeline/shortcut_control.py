"""Are shortcuts found, and is nothing found where nothing is? Small models trained on a planted source tag, and on labels by chance.

1. The texts and models are those of the planted control (`workbench.evaluation.planted_texts`): a tag that agrees with the label in 95 % of
   the training texts, a marker that agrees in 80 %; or labels that are coin flips.
2. New texts, in which tags stand by chance, are explained and stored as a run would store them.
3. `shortcuts` ranks what carries a class. The tag must be among the first three; with random labels nothing may pass.
4. The counterfactual test masks the first suspect, and as many random words.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
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
SPECIAL = {PAD: "[PAD]", CLS: "[CLS]", SEP: "[SEP]", MASK: "[MASK]", UNKNOWN: "[UNK]"}


@dataclass(frozen=True, slots=True)
class Controlled:
    """One model: the place of the first tag among the suspects (0 where none is planted), how many pass, and the counterfactual test.

    `effect` and its interval are of masking the first suspect; `right` is whether all that pass are tags.
    """

    task: Task
    seed: int
    rank: int
    passing: int
    right: bool
    effect: float | None
    low: float | None
    high: float | None

    @property
    def met(self) -> bool:
        """The tag among the first three and an effect above zero; with random labels nothing that passes."""
        if self.task == "random_labels":
            return self.passing == 0
        return 1 <= self.rank <= TOP and self.passing > 0 and self.right and self.low is not None and self.low > 0


def shortcut_control(seeds: int = 5, *, progress: Callable[[int, int], None] = lambda *_: None, texts: int = TEXTS) -> list[Controlled]:
    """One model with a tag and one with random labels for each seed."""
    tasks: tuple[Task, ...] = ("source_tag", "random_labels")
    found = []
    for seed in range(seeds):
        for task in tasks:
            found.append(controlled(task, seed, texts))
            progress(len(found), seeds * len(tasks))
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
                return judged(task, seed, shortcuts(store, seed=seed), store, ensemble)
    finally:
        torch.set_num_threads(threads)


def judged(task: Task, seed: int, found: Shortcuts, store: Store, ensemble: Ensemble) -> Controlled:
    """What the suspects of one model are worth."""
    tags = forms(task)
    places = [place for place, item in enumerate(found.frame["item"], start=1) if item in tags]
    passing = found.frame.filter("passes")
    effect = low = high = None
    words = found.frame.filter(found.frame["kind"] == "word")
    if tags and len(words):
        first = words.row(0, named=True)
        tested = counterfactual(store, f'[form="{first["item"]}"]', label=first["class"], ensemble=ensemble, seed=seed).found
        effect, low, high = tested.effect, tested.low, tested.high
    right = set(passing["item"]) <= tags
    return Controlled(task, seed, places[0] if places else 0, len(passing), right, effect, low, high)


def stored(path: Path, task: Task, seed: int, texts: int = TEXTS, steps: int | None = None) -> Ensemble:
    """A store of new texts of a task, explained by a model that was trained on it, which is returned."""
    module, _ = train(task, seed, steps)
    ensemble = Ensemble("planted", (classifier(module, seed),))
    drawn = planted_texts(task, texts, np.random.default_rng([seed, 3]))
    documents = [
        Document("planted", f"text-{number:04d}", {"text": " ".join(f"w{word}" for word in row[1:-1])}, label=str(label))
        for number, (row, label) in enumerate(zip(drawn.control.tolist(), drawn.labels.tolist(), strict=True))
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
