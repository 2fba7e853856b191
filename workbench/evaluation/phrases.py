"""Do phrases of salient words agree with spans that people marked? For any store whose documents carry such spans.

For each text, spans of words: the phrases (`workbench.queries.semantics.phrases`) by link, the same salient words each for itself, the most
relevant word alone, and as many runs of as many words at random places. A word is gold where a marked character lies in it; gold spans are
runs of gold words.

* token F1: the words of all spans against the gold words;
* IOU F1: precision is the share of spans, recall the share of gold spans that share half of their words or more with one of the other side
  (intersection over union at least 0.5), as DeYoung et al. 2020 measure it, for spans that may have gaps.

Means over texts with 95 % intervals. Agreement is plausibility, not faithfulness.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from workbench.errors import StoreError
from workbench.evaluation.intervals import mean_interval
from workbench.evaluation.rationale_metrics import THRESHOLD, Mask, f1, spans
from workbench.queries.ask import used
from workbench.queries.question import describe, filled
from workbench.queries.semantics.phrases import of_words
from workbench.store import Store

Spans: TypeAlias = Sequence[frozenset[int]]

WORDS = """
SELECT w.explanation, w.word, w.relevance::DOUBLE AS relevance, x.char_start, x.char_end, d.metadata
FROM word_relevance w JOIN words x ON x.document = w.document AND x.role = w.role AND x.word = w.word
JOIN documents d ON d.document = w.document
WHERE w.kind = 'word' AND list_contains($explanations::INTEGER[], w.explanation) ORDER BY w.explanation, w.word"""


def phrase_agreement(
    store: Store, gold: str = "rationale", *, links: tuple[str, ...] = ("adjacent",), seed: int = 0, **chosen: object
) -> pl.DataFrame:
    """Agreement with the gold spans that documents have under the name `gold`: a list of [start, end] in characters of the text.

    `chosen` are parameters of the question `phrases` (label, model, cover, gap …). Columns: method (phrases by link, single words, top
    word, random, and the paired difference of phrases and single words), metric, mean, low, high, documents. Texts without a gold span, or
    with nothing else, are left out. StoreError where none is left.
    """
    question = describe("phrases")
    frame = store.sql(question.statement, used(question, filled(question, chosen)))
    found = {link: grouped(of_words(frame, link)) for link in links}
    salient = {int(str(key)): part for (key,), part in frame.filter("salient").group_by("explanation")}
    words = store.sql(WORDS, {"explanations": frame["explanation"].unique().to_list()})
    random = np.random.default_rng(seed)
    rows = []
    for (key,), text in words.group_by("explanation", maintain_order=True):
        explanation = int(str(key))
        marked = gold_mask(text, gold)
        if marked is None or not marked.any() or marked.all():
            continue
        numbers = text["word"].to_numpy()
        wanted = [frozenset(numbers[start:end].tolist()) for start, end in spans(marked)]
        methods: dict[str, Spans] = {f"phrases, {link}": of[explanation] for link, of in found.items()}
        methods["single words"] = [frozenset([word]) for word in salient[explanation]["word"]]
        methods["top word"] = [frozenset([int(numbers[int(text["relevance"].to_numpy().argmax())])])]
        methods["random"] = placed(methods[f"phrases, {links[0]}"], numbers, random)
        for name, given in methods.items():
            rows += [(name, "token_f1", token_f1(given, wanted)), (name, "iou_f1", iou_f1(given, wanted))]
    if not rows:
        raise StoreError(
            f"compare phrases with {gold}", "no text with such spans", "name a list of [start, end] in the documents' metadata"
        )
    return summary(rows)


def grouped(frame: pl.DataFrame) -> dict[int, Spans]:
    """The phrases of each explanation as sets of words."""
    found: dict[int, list[frozenset[int]]] = {}
    for explanation, places in frame.select("explanation", "places").iter_rows():
        found.setdefault(explanation, []).append(frozenset(places))
    return dict(found)


def gold_mask(text: pl.DataFrame, gold: str) -> Mask | None:
    """Which words hold a marked character; None where the document has no such spans."""
    given = json.loads(text["metadata"][0] or "{}").get(gold)
    if not isinstance(given, list) or not given:
        return None
    starts, ends = text["char_start"].to_numpy(), text["char_end"].to_numpy()
    return np.asarray(np.any([(starts < int(end)) & (ends > int(start)) for start, end in given], axis=0))


def token_f1(given: Spans, wanted: Spans) -> float:
    """F1 of the words of spans against those of gold spans."""
    words, gold = frozenset[int]().union(*given), frozenset[int]().union(*wanted)
    both = len(words & gold)
    return f1(both / len(words), both / len(gold)) if words else 0.0


def iou_f1(given: Spans, wanted: Spans) -> float:
    """F1 of the spans that find one of the other side."""

    def finds(one: frozenset[int], others: Spans) -> bool:
        return any(len(one & other) >= THRESHOLD * len(one | other) for other in others)

    if not given:
        return 0.0
    return f1(sum(finds(one, wanted) for one in given) / len(given), sum(finds(one, given) for one in wanted) / len(wanted))


def placed(given: Spans, numbers: NDArray[np.int64], random: np.random.Generator) -> Spans:
    """As many runs of as many words at random places; none touches another where the text has room."""
    lengths = random.permutation([len(span) for span in given])
    free = len(numbers) - int(lengths.sum())
    apart = int(free >= len(lengths) - 1)
    slots = np.sort(random.choice(free - apart * (len(lengths) - 1) + len(lengths), size=len(lengths), replace=False))
    starts = slots - np.arange(len(lengths)) + np.concatenate([[0], np.cumsum(lengths[:-1] + apart)])
    return [frozenset(numbers[start : start + length].tolist()) for start, length in zip(starts, lengths, strict=True)]


def summary(rows: list[tuple[str, str, float]]) -> pl.DataFrame:
    """Means over texts with intervals, and what merging words to phrases adds in each text."""
    values = pl.DataFrame(rows, schema={"method": pl.String, "metric": pl.String, "value": pl.Float64}, orient="row")
    groups = {
        (str(method), str(metric)): part["value"].to_numpy()
        for (method, metric), part in values.group_by("method", "metric", maintain_order=True)
    }
    for (method, metric), numbers in list(groups.items()):
        if method.startswith("phrases"):
            groups[f"{method} − single words", metric] = numbers - groups["single words", metric]
    found = [(*key, float(numbers.mean()), *mean_interval(numbers), len(numbers)) for key, numbers in groups.items()]
    schema = {"method": pl.String, "metric": pl.String, **dict.fromkeys(("mean", "low", "high"), pl.Float64), "documents": pl.Int64}
    return pl.DataFrame(found, schema=schema, orient="row").with_columns(pl.col("low", "high").fill_nan(None))
