"""What factors of sentence embeddings cost: beside a forward pass, and beside the published procedure, in one run of one process."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from workbench.attribution.factors import factors, sentence_embedding
from workbench.corpora import find, read
from workbench.encoding import Encoding, by_length
from workbench.models.encode import encode
from workbench.models.encoder import Encoder, load_encoder
from workbench.models.places import packaged
from workbench.pipeline.bench.clock import Work, ratio, runs
from workbench.pipeline.bench.finding import Finding
from workbench.pipeline.bench.published import published
from workbench.pipeline.bench.shapes import Shape, text

LENGTHS = (8, 16, 21, 32, 64, 128)
#: The length that a prototype of these factors was measured at, and what it took: forward passes, and times faster than as published.
BARRED, FORWARDS, FASTER = 21, 7.9, 90.0
BF16 = "bfloat16"
WAYS: dict[str, dict[str, Any]] = {"bilrp": {}, "attnlrp": {"rules": "attnlrp.v1"}, "bilrp, bfloat16": {"precision": BF16}}
PLAIN, PUBLISHED = "forward pass", "as published"
DEFAULT = "all-MiniLM-L6-v2"
TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Measured:
    """An encoder whose costs are measured; without a tokenizer where its weights are random."""

    name: str
    module: nn.Module
    encoder: Encoder | None


class Averaging(nn.Module):
    """A transformer with random weights, whose embedding is the mean of its tokens."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """The mean of the last hidden states, as `sentence_embedding`."""
        return {"sentence_embedding": self.transformer(**inputs).last_hidden_state.mean(1)}


def measured(name: str | None) -> Measured:
    """The encoder of this name; without one all-MiniLM-L6-v2 where its package is installed, else its shape with random weights."""
    if name is None and packaged(DEFAULT) is None:
        shape = Shape("BERT", 6, 384)
        transformer: Any = shape.build()
        return Measured(f"{shape.name}, random weights", Averaging(transformer.bert).eval(), None)
    encoder = load_encoder(name or DEFAULT)
    return Measured(encoder.name, encoder.module, encoder)


def similarity(
    model: str | None = None, *, lengths: Sequence[int] = LENGTHS, repetitions: int = 5, dimensions: int = 3, sentences: int = 128
) -> Iterator[Finding]:
    """Costs by length and on the sentences of STS-B's test split, where its mirror is present. Raises ModelError for an unknown encoder."""
    torch.set_num_threads(1)
    chosen = measured(model)
    found = [finding for length in lengths for finding in of_length(chosen, length, repetitions, dimensions)]
    yield from sorted(found, key=lambda finding: finding.least)
    if chosen.encoder is not None and "WORKBENCH_MIRROR" in os.environ:
        yield from of_sentences(chosen.encoder, sentences, max(1, repetitions // 2))


def of_length(chosen: Measured, length: int, repetitions: int, dimensions: int) -> Iterator[Finding]:
    """Costs for one random text of a length: forward pass, factors, and the published procedure, measured on few dimensions and scaled."""
    module = chosen.module
    encoding = text(torch.randint(5, 1000, (length,), generator=torch.Generator().manual_seed(length)))
    given = inputs([encoding])
    width = sentence_embedding(module, given).shape[1]
    things: dict[str, Work] = {PLAIN: partial(passes, module, [given])}
    things |= {name: partial(factors, module, [encoding], **options) for name, options in WAYS.items()}
    things[PUBLISHED] = partial(published, module, given, sentence_embedding, range(dimensions))
    taken = runs(things, repetitions)
    taken[PUBLISHED] = [seconds * width / dimensions for seconds in taken[PUBLISHED]]
    direction = "forward" if length <= width else "backward"
    for name, seconds in taken.items():
        milliseconds = 1000 * statistics.median(seconds)
        what = f"{name}, {width} dimensions from {dimensions}" if name == PUBLISHED else f"{name}, {direction}" if name in WAYS else name
        bar = FORWARDS if (name, length) == ("bilrp", BARRED) else None
        yield Finding(
            f"factors of one text: {chosen.name}, one thread", f"{length} tokens", what, "forwards",
            ratio(seconds, taken[PLAIN]), bar, beside={"ms": milliseconds},
        )  # fmt: skip
        if name in WAYS:
            bar = FASTER if (name, length) == ("bilrp", BARRED) else None
            slow = 2 * statistics.median(taken[PUBLISHED])
            yield Finding(
                f"factors of a pair beside the published procedure: {chosen.name}", f"2 × {length} tokens", what, "times faster",
                ratio(taken[PUBLISHED], seconds), bar, least=True, beside={"ms": 2 * milliseconds, "published, s": slow},
            )  # fmt: skip


def of_sentences(encoder: Encoder, count: int, repetitions: int) -> Iterator[Finding]:
    """Seconds for sentences of the STS-B test split, spread over all lengths, beside forward passes of the same sentences."""
    pairs = read(find("stsb-multilingual"), split="test", languages="en")
    texts = sorted({segment for pair in pairs for segment in pair.segments.values()})
    everything = sorted(((encode(encoder.tokenizer, one, encoder.window), one) for one in texts), key=lambda pair: len(pair[0]))
    sample = everything[:: max(1, len(everything) // count)][:count]
    encodings = [encoding for encoding, _ in sample]
    module = encoder.module
    batches = [
        inputs([encodings[place] for place in places[start : start + TOGETHER]])
        for places in by_length(encodings)
        for start in range(0, len(places), TOGETHER)
    ]
    words = [by_word(encoding, one) for encoding, one in sample]
    things: dict[str, Work] = {
        "forward passes, batches of one length": partial(passes, module, batches),
        "forward passes, one at a time": partial(passes, module, [inputs([encoding]) for encoding in encodings]),
        **{name: partial(factors, module, encodings, **options) for name, options in WAYS.items()},
        "bilrp, by word": partial(factors, module, encodings, units=words),
        "bilrp, by word, bfloat16": partial(factors, module, encodings, units=words, precision=BF16),
    }
    taken = runs(things, repetitions)
    batched, single = list(taken)[:2]
    tokens = sum(map(len, encodings)) / len(encodings)
    part = f"STS-B test (en), {len(sample)} of {len(everything)} sentences over all lengths, {encoder.name}, one thread"
    for name, seconds in taken.items():
        beside = {"ms/sentence": 1000 * statistics.median(seconds) / len(sample), "/batched": ratio(seconds, taken[batched])}
        yield Finding(part, f"{tokens:.1f} tokens", name, "/single", ratio(seconds, taken[single]), beside=beside)


def passes(module: nn.Module, batches: Sequence[dict[str, Tensor]]) -> None:
    """Plain forward passes."""
    with torch.inference_mode():
        for given in batches:
            sentence_embedding(module, given)


def inputs(encodings: Sequence[Encoding]) -> dict[str, Tensor]:
    """Texts of one length as an encoder takes them."""
    ids = torch.tensor([encoding.ids for encoding in encodings])
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def by_word(encoding: Encoding, one: str) -> list[int]:
    """The unit of each token: words between white space in order, after special tokens, which share the first."""
    return [0 if special else len(one[:end].split()) for special, (_, end) in zip(encoding.special, encoding.spans, strict=True)]
