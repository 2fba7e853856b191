"""A small classifier whose answer has many reasons: the topic of which a text holds most words, one of four.

The randomisation test needs it. A model of two labels with one planted signal moves its answer's state along a single line, so that any
head, trained or random, reads the same words from it (rank correlations up to .99 with another head); nothing can be learnt from that.
"""

from __future__ import annotations

import numpy as np
from transformers import PreTrainedModel

from workbench.evaluation.planted_encoders import PositionEncoding
from workbench.evaluation.planted_model import BATCH, LEARNING_RATES, Numbers, drawn, fit
from workbench.evaluation.planted_texts import CLS, FIRST_FILLER, LENGTH, SEP, VOCABULARY

TOPICS = 4
WORDS_OF_TOPIC = 5
#: Words of the text's own topic, and of each other one, among random words.
OWN, OTHER = 5, 2
STEPS = 400


def topic_texts(count: int, random: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Ids `(text, token)` and topics `(text,)`."""
    first = FIRST_FILLER + TOPICS * WORDS_OF_TOPIC
    ids = random.integers(first, VOCABULARY, (count, LENGTH))
    topics = random.integers(0, TOPICS, count)
    for row, topic in enumerate(topics):
        held = np.repeat(np.arange(TOPICS), [OWN if other == topic else OTHER for other in range(TOPICS)])
        places = 1 + random.choice(LENGTH - 2, len(held), replace=False)
        ids[row, places] = FIRST_FILLER + held * WORDS_OF_TOPIC + random.integers(0, WORDS_OF_TOPIC, len(held))
    ids[:, 0], ids[:, -1] = CLS, SEP
    return ids, topics


def topic_model(encoding: PositionEncoding, seed: int = 0, steps: int = STEPS) -> PreTrainedModel:
    """A small encoder that tells topics."""
    model = drawn(encoding, VOCABULARY, seed, TOPICS)
    random = np.random.default_rng([seed, 5])
    fit(model, lambda: topic_texts(BATCH, random), LEARNING_RATES[encoding], steps)
    return model
