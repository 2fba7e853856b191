"""Do the words that a method finds relevant agree with those that people marked? Two corpora of posts, and reviews where they are at hand.

HateXplain (Mathew et al., AAAI 2021), our test part of the published validation part: what any of two or three annotators marked. Toxic
Spans (Pavlopoulos et al., SemEval 2021, task 5), trial part: the marked characters. Conventions, stated because figures depend on them:

1. posts called toxic by people and by the classifier, with a rationale that is neither empty nor the whole text (then no order of words
   could be wrong), and wholly inside the classifier's window;
2. a word is what stands between blanks (HateXplain's own tokens); it is gold where a marked character lies in it;
3. scores are signed and explain the contrast, the logit of toxic minus that of normal; the mean over the texts, each counting once;
4. k of the hard rationale is the mean share of gold words among such rationales of the corpus's training part (`rationale_metrics`);
5. the row `annotator` (HateXplain): what one annotator marked against what the others marked, the mean over annotators.

Posts are judged by the embedded classifier `english-toxic`. It never saw HateXplain's rationales. It learnt from sentences of Toxic Spans
comments that a marked character lies in them or not, so that its figures there come with a weak hint at places. Agreement is plausibility,
not faithfulness.

Movie reviews (Zaidan et al., NAACL 2007, as ERASER releases them) are judged by a small classifier that is trained here on their training
part (`review_model`), of the label that people and classifier give alike.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import regex

from workbench.corpora import find, read
from workbench.corpora.cache import MIRROR_VARIABLE
from workbench.document import Document, Word
from workbench.errors import InputError
from workbench.evaluation.intervals import mean_interval
from workbench.evaluation.methods import COMPARED, Method
from workbench.evaluation.rationale_metrics import Mask, agreement, iou_f1, token_f1
from workbench.evaluation.removal import Text
from workbench.evaluation.review_model import Shape, train
from workbench.evaluation.subject import Subject, predictor, subject, texts_of, uninformative
from workbench.models.encode import encode
from workbench.models.ensemble import Ensemble, load_ensemble

MODEL = "english-toxic"
#: Corpora with the part that is measured; the share of marked words comes from the part `train`.
CORPORA = {"hatexplain-validation": "test:clean", "toxic-spans": "trial:clean"}
REVIEWS, REVIEWS_PART = "movie-rationales", "test:clean"
TOXIC = "toxic"
#: In the order of the table.
WANTED = ("attnlrp", "cplrp", "gradient_x_input", "integrated_gradients", "occlusion", "attention_rollout", "random")
SCHEMA = {"corpus": pl.String, "method": pl.String, "metric": pl.String, "mean": pl.Float64, "low": pl.Float64, "high": pl.Float64}
CHUNK = 64
_WORD = regex.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Marked:
    """A post with its words, which of them are gold, and which of them each annotator marked (none where a corpus does not say)."""

    document: Document
    words: tuple[Word, ...]
    gold: Mask
    annotators: tuple[Mask, ...]


def rationales(mirror: Path | None = None, limit: int | None = None, model: str = MODEL) -> pl.DataFrame:
    """Agreement of every method with the rationales, at most `limit` posts of each corpus (None: all).

    Columns: corpus, method, metric (token_f1, iou_f1, auprc), mean, low, high (95 % bootstrap interval over documents), documents. Corpora
    are read from `mirror` or, where None, from WORKBENCH_MIRROR. Raises InputError where they are in neither.
    """
    ensemble = load_ensemble(model)
    baselines = [uninformative(member.tokenizer) for member in ensemble.members]
    judged = subject([member.module for member in ensemble.members], baselines, target="contrast")
    with _mirrored(mirror):
        parts = [_summary(name, by_document(name, split, ensemble, judged, limit)) for name, split in CORPORA.items()]
    return pl.concat(parts)


def review_rationales(
    mirror: Path | None = None, limit: int | None = None, *, corpus: str = REVIEWS, split: str = REVIEWS_PART, shape: Shape | None = None,
    methods: Mapping[str, Method] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Agreement with the rationales of movie reviews, of a classifier trained here; columns as of `rationales`, its accuracy in the corpus.

    Raises InputError where the reviews are not at hand.
    """
    with _mirrored(mirror):
        declaration = find(corpus)
        ensemble = train(list(read(declaration, "train")), shape=shape)
        judged = subject([ensemble.members[0].module], [uninformative(ensemble.members[0].tokenizer)], target="contrast")
        found = by_document(corpus, split, ensemble, judged, limit, methods, label=None)
        reviews = list(read(declaration, split))
    right = [answer == review.label for review, answer in zip(reviews, answers(ensemble, reviews), strict=True)]
    return _summary(f"{corpus} (classifier trained here, accuracy {np.mean(right):.2f})", found)


def answers(ensemble: Ensemble, documents: Sequence[Document]) -> list[str]:
    """The label that a single classifier gives to each document, cut at its window."""
    (member,) = ensemble.members
    predict = predictor(member.module)
    ids = [encode(member.tokenizer, document.segments["text"], member.window).ids for document in documents]
    return [member.labels[int(predict([own])[0].argmax())] for own in ids]


def by_document(
    corpus: str, split: str, ensemble: Ensemble, judged: Subject, limit: int | None = None, methods: Mapping[str, Method] | None = None,
    label: str | None = TOXIC,
) -> pl.DataFrame:  # fmt: skip
    """The three metrics of every method for each post that counts: columns document, method, metric, value.

    `label` is what all posts with a rationale are, None where each has its own.
    """
    declaration = find(corpus)
    share = mean_share([post for document in read(declaration, "train") if (post := marked(document)) is not None])
    posts = [post for document in read(declaration, split) if (post := marked(document)) is not None]
    rows: list[tuple[str, str, str, float]] = []
    measured = 0
    for start in range(0, len(posts), CHUNK):
        kept = correct(posts[start : start + CHUNK], ensemble, judged, label)
        kept = kept if limit is None else kept[: limit - measured]
        measured += len(kept)
        rows += _measured(kept, judged, share, available() if methods is None else methods)
        judged.remainders.forget()
        if limit is not None and measured >= limit:
            break
    return pl.DataFrame(rows, schema={"document": pl.String, "method": pl.String, "metric": pl.String, "value": pl.Float64}, orient="row")


def available() -> dict[str, Method]:
    """The methods measured, in their order."""
    return {name: COMPARED[name] for name in WANTED}


def marked(document: Document) -> Marked | None:
    """A post with a rationale that marks some of its words and not all, else None."""
    words = blank_separated(document.segments["text"])
    gold = gold_words(words, _spans(document.metadata["rationale"]))
    if not gold.any() or gold.all():
        return None
    given = document.metadata.get("rationales")
    annotators = tuple(gold_words(words, _spans(spans)) for spans in given) if isinstance(given, list) else ()
    return Marked(document, words, gold, annotators)


def blank_separated(text: str) -> tuple[Word, ...]:
    """What stands between blanks, as words."""
    return tuple(Word(index, found.start(), found.end(), found[0]) for index, found in enumerate(_WORD.finditer(text)))


def gold_words(words: Sequence[Word], spans: Sequence[tuple[int, int]]) -> Mask:
    """Which words hold a marked character."""
    return np.array([any(word.char_start < end and start < word.char_end for start, end in spans) for word in words], dtype=np.bool_)


def mean_share(posts: Sequence[Marked]) -> float:
    """The mean over posts of the share of their words that are gold."""
    if not posts:
        raise InputError("take the usual length of a rationale", "no post with a rationale", "check the corpus's training part")
    return float(np.mean([post.gold.mean() for post in posts]))


def correct(posts: Sequence[Marked], ensemble: Ensemble, judged: Subject, label: str | None = TOXIC) -> list[tuple[Marked, Text, int]]:
    """Posts that the classifier calls what people call them and sees whole, as the evaluation sees them, with the number of the label."""
    texts = texts_of(ensemble, [post.document.segments["text"] for post in posts], [post.words for post in posts])
    whole = [
        (post, text)
        for post, text in zip(posts, texts, strict=True)
        if len(text.words) == len(post.words) and min(encoding.coverage for encoding in text.encodings) == 1.0
    ]
    predicted = judged.remainders.rows([(text, text.everything) for _, text in whole]).argmax(axis=1) if whole else []
    wanted = [label or post.document.label for post, _ in whole]
    return [
        (post, text, int(answer))
        for (post, text), answer, asked in zip(whole, predicted, wanted, strict=True)
        if ensemble.labels[int(answer)] == asked
    ]


def between_annotators(post: Marked) -> dict[str, float]:
    """Token F1 and IOU F1 of each annotator's words against all that the others marked, the mean over annotators who marked something."""
    pairs = []
    for index, own in enumerate(post.annotators):
        others = [mask for place, mask in enumerate(post.annotators) if place != index]
        if own.any() and others and np.any(others):
            pairs.append((own, np.any(others, axis=0)))
    if not pairs:
        return {}
    return {
        "token_f1": float(np.mean([token_f1(own, rest) for own, rest in pairs])),
        "iou_f1": float(np.mean([iou_f1(own, rest) for own, rest in pairs])),
    }


def _measured(
    kept: Sequence[tuple[Marked, Text, int]], judged: Subject, share: float, methods: Mapping[str, Method]
) -> list[tuple[str, str, str, float]]:
    if not kept:
        return []
    texts, labels = [text for _, text, _ in kept], [label for _, _, label in kept]
    rows = []
    for name, method in methods.items():
        for (post, _, _), scores in zip(kept, method(judged, texts, labels), strict=True):
            rows += [(post.document.identifier, name, metric, value) for metric, value in agreement(scores, post.gold, share).items()]
    for post, _, _ in kept:
        rows += [(post.document.identifier, "annotator", metric, value) for metric, value in between_annotators(post).items()]
    return rows


def _summary(corpus: str, rows: pl.DataFrame) -> pl.DataFrame:
    found = []
    for (method, metric), part in rows.group_by("method", "metric", maintain_order=True):
        values = part["value"].to_numpy()
        low, high = mean_interval(values)
        found.append((corpus, method, metric, float(values.mean()), low, high, len(values)))
    return pl.DataFrame(found, schema={**SCHEMA, "documents": pl.Int64}, orient="row").with_columns(pl.col("low", "high").fill_nan(None))


def _spans(value: object) -> list[tuple[int, int]]:
    """Spans as the readers of marked texts write them."""
    return [(int(start), int(end)) for start, end in value] if isinstance(value, list) else []


@contextmanager
def _mirrored(mirror: Path | None) -> Iterator[None]:
    """Corpora are looked for in this folder, for as long as it is needed."""
    before = os.environ.get(MIRROR_VARIABLE)
    if mirror is not None:
        os.environ[MIRROR_VARIABLE] = str(mirror)
    try:
        yield
    finally:
        if mirror is not None:
            os.environ.pop(MIRROR_VARIABLE)
            if before is not None:
                os.environ[MIRROR_VARIABLE] = before
