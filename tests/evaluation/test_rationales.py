"""Rationales of made posts about animals, where the truth is known; of the real corpora where the mirror is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tests.evaluation.models_by_hand import BagOfWords
from workbench.corpora import find, read
from workbench.document import Document
from workbench.errors import InputError
from workbench.evaluation.methods import METHODS
from workbench.evaluation.rationales import (
    MODEL,
    available,
    between_annotators,
    blank_separated,
    by_document,
    gold_words,
    marked,
    mean_share,
    rationales,
    review_rationales,
)
from workbench.evaluation.review_model import Shape, train
from workbench.evaluation.subject import Subject, subject
from workbench.models.classifier import Classifier, load
from workbench.models.ensemble import Ensemble

DECLARATION = """
name = "zoo"
title = "A zoo"
language = "en"
licence = "CC0-1.0"
reader = "marked_tokens"
[source]
text = "made for a test"
[[source.files]]
path = "a.jsonl"
[fields]
label = "majority"
identifier = "post_id"
split = "part"
metadata = ["rationale", "rationales"]
"""
POSTS = [
    ("seen-1", "train", "the big wolf is here", [[0, 1, 1, 0, 0]]),
    ("seen-2", "train", "one wolf and one hen", [[0, 1, 0, 0, 0], [0, 1, 0, 0, 0]]),
    ("test-1", "test", "here is the wolf today", [[0, 0, 0, 1, 0], [0, 0, 1, 1, 0]]),  # the union marks two words
    ("test-2", "test", "a hen and a hen", [[0, 1, 0, 0, 1]]),  # the classifier does not call it toxic
    ("test-3", "test", "wolf wolf", [[1, 1]]),  # everything is marked
    ("test-4", "test", "a wolf", []),  # nothing is marked
    ("test-5", "test", "a dog met a wolf", [[0, 0, 0, 0, 1]]),
]


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "zoo"
    folder.mkdir()
    lines = [
        json.dumps({"post_id": name, "part": part, "majority": "toxic", "post_tokens": text.split(), "rationales": masks})
        for name, part, text, masks in POSTS
    ]
    (folder / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "corpus.toml").write_text(DECLARATION, encoding="utf-8")
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tmp_path))


@pytest.fixture(scope="module")
def wolves() -> tuple[Ensemble, Subject]:
    """A bag of words that calls toxic whatever has more wolves than hens."""
    loaded = load(MODEL)
    weights = np.zeros(len(loaded.tokenizer))
    for word, weight in (("wolf", 1.0), ("hen", -1.0)):
        weights[loaded.tokenizer(word, add_special_tokens=False)["input_ids"]] += weight
    bag = BagOfWords(weights.tolist())
    member = Classifier("wolves", bag, loaded.tokenizer, loaded.labels, loaded.window, "float32", loaded.fingerprint, loaded.tokenizer_name)
    return Ensemble("wolves", (member,)), subject([bag], [3], target="contrast")


def test_only_correct_posts_with_an_informative_rationale_count(zoo: None, wolves: tuple[Ensemble, Subject]) -> None:
    rows = by_document("zoo", "test", *wolves, methods={"occlusion": METHODS["occlusion"], "random": METHODS["random"]})
    assert sorted(rows["document"].unique()) == ["test-1", "test-5"]
    value = {(document, method, metric): value for document, method, metric, value in rows.iter_rows()}
    # The share of the training part is (2/5 + 1/5) / 2: of five words, 1.5 is rounded to two.
    assert value["test-5", "occlusion", "auprc"] == pytest.approx(1.0)
    assert value["test-5", "occlusion", "token_f1"] == pytest.approx(2 / 3)  # the wolf and the first of the equal words
    assert value["test-5", "occlusion", "iou_f1"] == pytest.approx(2 / 3)
    assert value["test-1", "annotator", "token_f1"] == pytest.approx(2 / 3)
    assert value["test-1", "annotator", "iou_f1"] == pytest.approx(1.0)
    assert ("test-5", "annotator", "token_f1") not in value


def test_limit_counts_measured_posts(zoo: None, wolves: tuple[Ensemble, Subject]) -> None:
    rows = by_document("zoo", "test", *wolves, limit=1, methods={"random": METHODS["random"]})
    assert rows["document"].n_unique() == 1


def test_share_of_the_training_part(zoo: None) -> None:
    posts = [post for document in read(find("zoo"), "train") if (post := marked(document)) is not None]
    assert mean_share(posts) == pytest.approx(0.3)
    with pytest.raises(InputError, match="no post with a rationale"):
        mean_share([])


def test_words_stand_between_blanks_and_are_gold_where_a_marked_character_lies() -> None:
    words = blank_separated(" a  wolf,\n\nhere!")
    assert [(word.form, word.char_start) for word in words] == [("a", 1), ("wolf,", 4), ("here!", 11)]
    assert gold_words(words, [(4, 8)]).tolist() == [False, True, False]
    assert gold_words(words, [(2, 3), (8, 12)]).tolist() == [False, True, True]


def test_one_annotator_alone_has_nobody_to_agree_with() -> None:
    document = Document("zoo", "a", {"text": "a wolf"}, metadata={"rationale": [[2, 6]], "rationales": [[[2, 6]]]})
    post = marked(document)
    assert post is not None
    assert between_annotators(post) == {}


def test_reviews_are_judged_by_a_classifier_trained_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus as ERASER lays it out, in which one word of each review tells its label, and people marked it."""
    folder = tmp_path / "rationales" / "movies"
    (folder / "docs").mkdir(parents=True)
    random = np.random.default_rng(0)
    for part, count in (("train", 64), ("test", 8)):
        rows = []
        for number in range(count):
            label, sign = (("POS", "fine"), ("NEG", "dull"))[number % 2]
            words = [str(word) for word in random.choice(["a", "film", "of", "the", "sea"], 11)]
            place = int(random.integers(0, 12))
            words.insert(place, sign)
            name = f"{part}-{number}.txt"
            (folder / "docs" / name).write_text(" ".join(words), "utf-8")
            marked_part = [[{"docid": name, "start_token": place, "end_token": place + 1, "text": sign}]]
            rows.append(json.dumps({"annotation_id": name, "classification": label, "evidences": marked_part}) + "\n")
        (folder / f"{part}.jsonl").write_text("".join(rows), "utf-8")
    methods = {name: available()[name] for name in ("attnlrp", "random")}
    shape = Shape(window=16, least=1, width=16, epochs=12, batch=8, learning_rate=1e-2)
    table = review_rationales(tmp_path, split="test", shape=shape, methods=methods)
    value = {(method, metric): mean for method, metric, mean in table.select("method", "metric", "mean").iter_rows()}
    assert table["corpus"].unique().to_list() == ["movie-rationales (classifier trained here, accuracy 1.00)"]
    assert table["documents"].unique().to_list() == [8]
    assert [value["attnlrp", metric] for metric in ("token_f1", "iou_f1", "auprc")] == [1.0, 1.0, 1.0]
    assert value["random", "auprc"] < 0.8
    with pytest.raises(InputError, match="rationales/movies"):
        review_rationales(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="documents of two labels"):
        train([Document("zoo", "a", {"text": "a wolf"}, label="POS")])


def test_the_real_corpora(mirror: Path) -> None:
    """A few posts: every method and metric is there, figures are shares, the intervals hold their means."""
    if not (mirror / "rationales").is_dir():
        pytest.skip(f"the mirror {mirror} does not hold rationales")
    torch.set_num_threads(1)
    table = rationales(mirror, limit=6)
    assert table.columns == ["corpus", "method", "metric", "mean", "low", "high", "documents"]
    assert set(table["corpus"]) == {"hatexplain-validation", "toxic-spans"}
    assert set(table["method"]) == {*available(), "annotator"}
    assert table.filter(pl.col("method") != "annotator")["documents"].to_list() == [6] * (2 * 3 * len(available()))
    assert table.select(((pl.col("mean") >= 0) & (pl.col("mean") <= 1)).all()).item()
    assert table.select(((pl.col("low") <= pl.col("mean")) & (pl.col("mean") <= pl.col("high"))).all()).item()
