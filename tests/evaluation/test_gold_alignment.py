"""Error rates on gold links: by hand, for every reading of every method of a tiny model, and sentences that it cannot take."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.evaluation.tiny_translator import tiny_translator
from workbench.attribution.contributions import METHODS
from workbench.cli.application import app
from workbench.document import Document
from workbench.encoding import Encoding
from workbench.errors import InputError
from workbench.evaluation.gold_alignment import GoldPair, diagonal, error, gold_alignment, gold_pair
from workbench.models.translation import Translator

CORPUS = """
name = "gold"
title = "Gold"
language = "fr"
licence = "CC0-1.0"
reader = "aligned_translations"
[source]
text = "made for a test"
[[source.files]]
path = "both.txt"
[[source.files]]
path = "links.txt"
part = "links"
[fields]
segments = { source = "source", reference = "reference" }
identifier = "id"
metadata = ["interactions"]
[options]
separator = " ||| "
"""


@pytest.fixture
def translator(tmp_path: Path) -> Translator:
    return tiny_translator(tmp_path / "tiny")


@pytest.fixture
def gold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "corpora" / "gold"
    folder.mkdir(parents=True)
    (folder / "corpus.toml").write_text(CORPUS, "utf-8")
    (folder / "both.txt").write_text("le chat noir dort ||| the black cat sleeps\nle chat ||| the cat\n" + "le " * 9 + "||| the\n", "utf-8")
    (folder / "links.txt").write_text("0-0 1-2 2-1 3-3\n0-0 1p1\n0-0\n", "utf-8")
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tmp_path / "corpora"))
    return "gold"


def document(**metadata: object) -> Document:
    segments = {"source": "le chat noir", "reference": "the black cat"}
    return Document("gold", "1", segments, metadata=metadata)  # type: ignore[arg-type]


def test_gold_links_are_words_by_number(translator: Translator) -> None:
    spans = [
        {"a": [[0, 2]], "b": [[0, 3]], "type": "sure"}, {"a": [[3, 7]], "b": [[10, 13]], "type": "sure"},
        {"a": [[8, 12]], "b": [[4, 9]], "type": "possible"},
    ]  # fmt: skip
    pair = gold_pair(translator, document(interactions=spans))
    assert pair is not None
    assert pair.sure == {(0, 0), (1, 2)}
    assert pair.allowed == {(0, 0), (1, 2), (2, 1)}
    assert len(pair.encodings[0]) == 4


def test_the_error_rate_of_two_sentences_by_hand() -> None:
    """First: 2 links, both sure, of 2 sure; second: 1 link, possible, of 1 sure. 1 - (4 + 1) / (4 + 2)."""
    nothing = Encoding((), (), (), ())
    pairs = [
        GoldPair(("a b", "c d"), (nothing, nothing), frozenset({(0, 0), (1, 1)}), frozenset({(0, 0), (1, 1)})),
        GoldPair(("a b", "c d"), (nothing, nothing), frozenset({(0, 0)}), frozenset({(0, 0), (1, 0)})),
    ]
    found = error(pairs, [{(0, 0), (1, 1)}, {(1, 0)}])
    assert found["error_rate"] == pytest.approx(1 - 5 / 6)
    assert found["low"] <= found["error_rate"] <= found["high"]
    assert found["links"] == 3
    assert diagonal(pairs[0]) == {(0, 0), (1, 1)}
    assert diagonal(GoldPair(("a b c d", "e f"), (nothing, nothing), frozenset(), frozenset())) == {(1, 0), (3, 1)}


def test_every_method_in_every_reading(translator: Translator, gold: str) -> None:
    told: list[tuple[str, int, int]] = []
    frame = gold_alignment(translator, gold, progress=lambda *stage: told.append(stage))
    assert len(frame) == 1 + 4 * len(METHODS)
    assert frame["error_rate"].is_between(0, 1).all()
    assert frame.select("sentences", "left_out").unique().rows() == [(2, 1)]  # nine words are too many for this model
    by_hand = 1 - (2 + 2 + 1 + 2) / (4 + 4 + 2 + 1)  # the diagonal: two of four right, then one sure and one possible
    assert frame.filter(method="diagonal")["error_rate"].item() == pytest.approx(by_hand)
    assert frame.filter(convention="predicted", method="attnlrp")["links"].to_list() == [6.0, 6.0]
    assert told[-1][1:] == (2 * len(METHODS), 2 * len(METHODS))
    assert len(told) == len(METHODS)  # one batch each
    assert set(frame.filter(pl.col("method") != "diagonal")["method"]) == set(METHODS)


def test_a_corpus_that_the_model_cannot_take_is_refused(translator: Translator, gold: str, tmp_path: Path) -> None:
    folder = tmp_path / "corpora" / "gold"
    (folder / "both.txt").write_text("le " * 9 + "||| the\n", "utf-8")
    (folder / "links.txt").write_text("0-0\n", "utf-8")
    with pytest.raises(InputError, match="no sentence that tiny can take"):
        gold_alignment(translator, gold)


def test_the_command_prints_every_reading_and_json(translator: Translator, gold: str, tmp_path: Path) -> None:
    asked = ["evaluate", "alignment", gold, "--model", str(tmp_path / "tiny"), "--methods", "attnlrp,alti_plus"]
    answer = CliRunner().invoke(app, asked)
    assert answer.exit_code == 0, answer.output
    assert "2 sentences, 1 left out" in answer.stdout
    assert max(map(len, answer.stdout.splitlines())) <= 100
    rows = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert [row["method"] for row in rows] == ["diagonal", *["attnlrp"] * 4, *["alti_plus"] * 4]
