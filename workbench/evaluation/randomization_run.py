"""The randomisation test on models in which a head has something to choose: small topic models, and the embedded Bengali classifiers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from torch import nn

from workbench import corpora
from workbench.annotation.annotator import annotator
from workbench.evaluation.bars import Bar
from workbench.evaluation.methods import COMPARED, LRP_FAMILY
from workbench.evaluation.planted_encoders import POSITION_ENCODINGS, PositionEncoding
from workbench.evaluation.planted_texts import MASK, planted_text
from workbench.evaluation.randomization import CORRELATIONS, randomization
from workbench.evaluation.removal import Text
from workbench.evaluation.spread import spread
from workbench.evaluation.subject import predictor, texts_of, uninformative
from workbench.evaluation.topics import topic_model, topic_texts
from workbench.models.ensemble import Ensemble, load_ensemble

HEAD_BAR = 0.9
RANDOM_BAR = 0.2
ENSEMBLE = "bengali-hate"
CORPUS = "bengali-hate-sample"
FOUND = {"model": pl.String(), **CORRELATIONS}

#: Told after each model: models done, models in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RandomizationResult:
    """Correlations with the trained model's relevance: one row for each model, method and stage (columns `FOUND`)."""

    found: pl.DataFrame
    seconds: float

    def at(self, stage: str) -> pl.DataFrame:
        """Correlation of each method in each model when the head is random (`head`) or everything (`everything`): method by model."""
        depth = pl.col("depth")
        chosen = self.found.filter(depth == (0 if stage == "head" else depth.max().over("model")))
        return chosen.pivot("model", index="method", values="correlation")

    @property
    def bars(self) -> list[Bar]:
        """What is asked of the LRP family: the worst of its methods in the worst model."""
        head, everything = (
            self.at(stage).filter(pl.col("method").is_in(LRP_FAMILY)).drop("method").to_numpy() for stage in ("head", "everything")
        )
        return [
            Bar("rank correlation of LRP with a random head, largest", float(head.max()), HEAD_BAR, at_most=True),
            Bar(
                "rank correlation of LRP with all weights random, largest",
                float(np.abs(everything).max()),
                RANDOM_BAR,
                at_most=True,
            ),
        ]


def randomization_control(
    encodings: Sequence[PositionEncoding] = POSITION_ENCODINGS,
    *,
    embedded: bool = True,
    texts: int = 24,
    draws: int = 2,
    workers: int = 2,
    progress: Progress | None = None,
) -> RandomizationResult:
    """Tests a topic model for each encoding, and with `embedded` each member of the Bengali ensemble, on `texts` texts each.

    Fresh weights are drawn `draws` times, and twice as often for the topic models, which are quick.
    """
    started = time.monotonic()
    members = len(load_ensemble(ENSEMBLE).members) if embedded else 0
    jobs = [(None, member, texts, draws) for member in range(members)] + [(encoding, 0, texts, 2 * draws) for encoding in encodings]
    parts: dict[str, pl.DataFrame] = {}
    for name, part in spread(_tested, jobs, workers):
        parts[name] = part
        if progress is not None:
            progress(len(parts), len(jobs))
    return RandomizationResult(pl.concat([parts[name] for name in sorted(parts)]), time.monotonic() - started)


def _tested(encoding: PositionEncoding | None, member: int, texts: int, draws: int) -> tuple[str, pl.DataFrame]:
    with one_thread():
        name, module, baseline, asked, labels = _embedded(member, texts) if encoding is None else _topics(encoding, texts)
        found = randomization(module, baseline, asked, labels, methods=COMPARED, draws=draws)
    return name, found.select(pl.lit(name).alias("model"), *CORRELATIONS)


def _topics(encoding: PositionEncoding, count: int) -> tuple[str, nn.Module, int, list[Text], list[int]]:
    ids, topics = topic_texts(count, np.random.default_rng(6))
    return f"topics {encoding}", topic_model(encoding), MASK, [planted_text(row) for row in ids], topics.tolist()


def _embedded(member: int, count: int) -> tuple[str, nn.Module, int, list[Text], list[int]]:
    """A member of the ensemble, alone, with posts of the sample and the labels that it gives them."""
    ensemble = load_ensemble(ENSEMBLE)
    model = ensemble.members[member]
    documents = sorted(corpora.read(corpora.find(CORPUS), "test"), key=lambda document: document.identifier)[:count]
    written = [document.segments["text"] for document in documents]
    alone = Ensemble(ensemble.name, (model,))
    asked = texts_of(alone, written, annotator("bengali").annotate(written))
    predict = predictor(model.module)
    labels = [int(predict([text.encodings[0].ids])[0].argmax()) for text in asked]
    return model.name.rpartition("/")[2], model.module, uninformative(model.tokenizer), asked, labels


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch inside, as many as before outside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
