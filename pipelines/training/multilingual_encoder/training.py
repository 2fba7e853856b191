"""Training in two stages: the teacher's embeddings for every language, then people's scores of STS-B training pairs beside them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor
from transformers import ElectraModel, PreTrainedTokenizerFast, set_seed

from pipelines.training.multilingual_encoder import rows as lines
from pipelines.training.multilingual_encoder.batches import Batch, Collection, padded
from pipelines.training.multilingual_encoder.objectives import distance, ordering, relations, telling_apart
from pipelines.training.multilingual_encoder.pairs import Pair, benchmark, sides, training_pairs
from pipelines.training.multilingual_encoder.rows import LANGUAGES, spelled
from pipelines.training.multilingual_encoder.sources import RESTRICTED, SOURCES
from pipelines.training.multilingual_encoder.student import Student, embedded

Report = Callable[[str], None]

RATE, SCORED_RATE = 4e-4, 2e-4
WATCHED = ("en", "en-de")
TOKENS, PAIRS = 2048, 32
"""Tokens of a batch of the first stage, scored pairs of a batch of the second."""


class Trainer:
    """The student with its optimiser, the teacher's answers and what the report needs."""

    def __init__(self, folder: Path, seed: int, report: Report) -> None:
        set_seed(seed)
        self.folder, self.report, self.random = folder, report, random.Random(seed)
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "start")
        self.student = Student(ElectraModel.from_pretrained(folder / "start", dtype=torch.float32)).train()
        self.rows = lines.read(folder / "rows.jsonl")
        self.answers = torch.from_numpy(np.load(folder / "teacher.npy"))
        self.development = benchmark("dev")
        self.scores: dict[str, float] = {}

    def distilled(self, batch: Batch) -> Tensor:
        """The loss of a batch of texts whose English the teacher has read."""
        return self.like_the_teacher(self.student(batch.ids, batch.mask), batch.rows)

    def like_the_teacher(self, found: Tensor, rows: list[int]) -> Tensor:
        """How far embeddings (text dim) are from what the teacher says of the English of these rows, one by one and among each other."""
        wanted = torch.nn.functional.normalize(self.answers[rows].float(), dim=1)
        choices = torch.nn.functional.normalize(self.answers[sorted(set(rows))].float(), dim=1)
        return 5 * distance(found, wanted) + telling_apart(found, wanted, choices) + 5 * relations(found, wanted)

    def scored(self, pairs: list[Pair], places: dict[str, int]) -> Tensor:
        """The loss of pairs that people scored, each in one or two languages drawn at random: their order, and the teacher's answers."""
        texts = [side for pair in pairs for side in (pair.first, pair.second)]
        coded = self.tokenizer([side[self.random.choice(LANGUAGES)] for side in texts], truncation=True, max_length=64)["input_ids"]
        found = self.student(*padded(coded, int(self.tokenizer.pad_token_id or 0)))
        order = ordering((found[::2] * found[1::2]).sum(1), torch.tensor([pair.similarity for pair in pairs]))
        return order / 2 + self.like_the_teacher(found, [places[spelled(side["en"])] for side in texts])

    def learn(self, losses: Iterator[Tensor], steps: int, rate: float) -> None:
        """Takes one step of AdamW for each loss; the rate rises over a twentieth of the steps and falls to nothing."""
        plain = [value for value in self.student.parameters() if value.dim() < 2]
        decayed = [value for value in self.student.parameters() if value.dim() >= 2]
        optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=rate)
        warm = max(1, steps // 20)
        plan = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / warm, (steps - step) / (steps - warm)))
        kept = 0.0
        for step, loss in enumerate(losses, start=1):
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            plan.step()
            kept = loss.item() if step == 1 else 0.98 * kept + 0.02 * loss.item()
            if step % 20 == 0:
                self.report(f"step {step} of {steps}, loss {kept:.4f}")
            if step % 350 == 0 or step == steps:
                self.save("last")
                self.scores = self.measured()
                self.report("dev " + ", ".join(f"{name} {score}" for name, score in self.scores.items()))

    def measured(self) -> dict[str, float]:
        """Spearman x 100 on the development split, to one digit."""
        texts = {name: sides(self.development, name) for name in WATCHED}
        gold = [pair.similarity for pair in self.development]
        distinct = sorted({text for both in texts.values() for side in both for text in side})
        found = dict(zip(distinct, embedded(self.student, self.tokenizer, distinct), strict=True))
        scores = {}
        for name, (first, second) in texts.items():
            cosines = [float(found[one] @ found[other]) for one, other in zip(first, second, strict=True)]
            scores[name] = round(100 * float(spearmanr(cosines, gold).statistic), 1)
        return scores

    def save(self, name: str) -> None:
        """Writes model and tokenizer as they stand."""
        backbone: Any = self.student.backbone
        backbone.save_pretrained(self.folder / name)
        self.tokenizer.save_pretrained(self.folder / name)

    def batches(self, count: int, tokens: int) -> list[Batch]:
        """So many batches, each of so many tokens, of one pass over all rows after another."""
        repeats = {source.name: source.repeats for source in (*SOURCES, RESTRICTED)}
        collection = Collection(self.rows, self.tokenizer)
        found: list[Batch] = []
        while len(found) < count:
            found += collection.one_pass(repeats, tokens, self.random)
        return found[:count]


def distil(folder: Path, seed: int, report: Report, steps: int, stop: int) -> int:
    """First stage: from `start` to `distilled`, `stop` steps of a plan of `steps`; gives the number of texts read.

    Stopped half-way the rate is still high; the second stage, which goes on with the same loss, lets it fall.
    """
    trainer = Trainer(folder, seed, report)
    batches = trainer.batches(steps, TOKENS)
    texts = sum(len(batch.rows) for batch in batches[:stop])
    report(f"{len(batches)} batches, {texts} texts; start: dev {trainer.measured()}")
    trainer.learn((trainer.distilled(batch) for batch in batches[:stop]), len(batches), RATE)
    trainer.save("distilled")
    return texts


def tune(folder: Path, seed: int, report: Report, steps: int) -> tuple[int, dict[str, float]]:
    """Second stage: from `distilled` to `tuned`, on scored pairs and what the teacher says of their sentences.

    Gives the number of texts read and the correlations on the development split.
    """
    trainer = Trainer(folder, seed, report)
    trainer.student = Student(ElectraModel.from_pretrained(folder / "distilled", dtype=torch.float32)).train()
    places = {spelled(row.texts["en"]): place for place, row in enumerate(trainer.rows) if row.source == SOURCES[0].name}
    pairs = [pair for pair in training_pairs() if all(spelled(side["en"]) in places for side in (pair.first, pair.second))]
    report(f"{len(pairs)} scored pairs")
    chosen = [batch for _ in range(1 + steps * PAIRS // len(pairs)) for batch in alike(pairs, trainer.random)][:steps]
    trainer.learn((trainer.scored(batch, places) for batch in chosen), steps, SCORED_RATE)
    trainer.save("tuned")
    return 2 * PAIRS * steps, trainer.scores


def alike(pairs: list[Pair], generator: random.Random) -> list[list[Pair]]:
    """Every pair once, in batches of pairs of like length, so that little is padding."""
    shuffled = generator.sample(pairs, len(pairs))
    batches = []
    for part in range(0, len(shuffled), 16 * PAIRS):
        by_length = sorted(shuffled[part : part + 16 * PAIRS], key=lambda pair: max(len(pair.first["en"]), len(pair.second["en"])))
        batches += [by_length[start : start + PAIRS] for start in range(0, len(by_length), PAIRS)]
    generator.shuffle(batches)
    return batches
