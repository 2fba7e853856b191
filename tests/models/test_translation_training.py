"""What the embedded translation models are made by: batches without waste, a tokenizer with true offsets, training that can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.training.translation import material, pairs, subwords, training
from pipelines.training.translation.batches import batch, grouped
from pipelines.training.translation.recipes import RECIPES, Recipe, Shape
from workbench.models.translation import load_translator

TINY = Recipe("gu", "en", {"testament": 1}, 3, "tiny", shape=Shape(16, 1, 1, 2, 32), vocabulary=80, batch_tokens=400, warm_up=4)


def test_batches_hold_every_pair_once_and_little_padding() -> None:
    chance = np.random.default_rng(0)
    found = [([7] * int(one), [7] * int(other)) for one, other in chance.integers(1, 40, (500, 2))]
    batches = grouped(found, 800, np.random.default_rng(1))
    assert sorted(index for indices in batches for index in indices) == list(range(500))
    assert max(2 * len(indices) * max(len(side) for index in indices for side in found[index]) for indices in batches) <= 800
    assert batches == grouped(found, 800, np.random.default_rng(1))
    assert batches != grouped(found, 800, np.random.default_rng(2))
    one = batch([([3, 4, 0], [5, 0]), ([3, 0], [5, 6, 0])], padding=2)
    assert one.source.tolist() == [[3, 4, 0], [3, 0, 2]]
    assert one.mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert one.labels.tolist() == [[5, 0, -100], [5, 6, 0]]


def test_pieces_never_join_words_and_lead_back_to_the_text() -> None:
    texts = ["L'homme d'à côté marche, 2 fois.", "Un chien noir court-il ? Oui !", "A man walks; a quick dog's running."] * 5
    tokenizer = subwords.trained(texts, 150)
    text = "L’homme\u00a0noir,  qu'a-t-il ?"
    given = tokenizer(text, return_offsets_mapping=True)
    pieces = [text[start:end].strip() for start, end in given["offset_mapping"]]
    assert not any(len(piece) > 1 and not piece.isalpha() for piece in pieces)
    assert "".join(pieces) == "".join(text.split())
    assert tokenizer.decode(given["input_ids"], skip_special_tokens=True) == "L'homme noir, qu'a-t-il ?"
    assert subwords.ids(tokenizer, [text]) == [given["input_ids"]]
    assert (
        subwords.trained(texts, 150, lowercase=True)("HOMME")["input_ids"]
        == subwords.trained(texts, 150, lowercase=True)("homme")["input_ids"]
    )


def test_divisions_do_not_part_equal_sentences() -> None:
    assert pairs.fraction(("un", "One two")) == pairs.fraction(("autre", "one two"))
    assert 0.09 < np.mean([pairs.fraction(("", f"sentence {number}")) < 0.1 for number in range(5000)]) < 0.11
    assert pairs.fit(("un deux", "one two"))
    assert not pairs.fit(("un", " ".join(["one"] * 12)))
    assert pairs.joined("the house ( old ) isn 't big , he said .") == "the house (old) isn't big, he said."


def test_the_three_levels_of_supervision_differ_in_supervision_alone() -> None:
    whole, tenth, back = (RECIPES[f"translation-fr-en{suffix}"] for suffix in ("", "-tenth", "-backtranslated"))
    for other in (tenth, back):
        alike = ("source", "target", "tokenizer", "vocabulary", "shape", "rate", "warm_up", "batch_tokens", "every")
        assert all(getattr(whole, name) == getattr(other, name) for name in alike)
        assert other.share == 0.1
    assert RECIPES[back.back_translated].share == 0.1
    assert not RECIPES[back.back_translated].shipped


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Sixty verses of a made-up language."""
    words = np.random.default_rng(0).choice(["કર", "ગમ", "નદ", "પર", "મન"], (60, 6))
    (tmp_path / "nmt" / "gu-en").mkdir(parents=True)
    lines = [f"{' '.join(row)}\tgo {' '.join(row[::-1])} on {number}\tbible-nt" for number, row in enumerate(words)]
    (tmp_path / "nmt" / "gu-en" / "train.gu-en.bible-nt.tsv").write_text("\n".join([*lines, "કુ\tno\tquran"]) + "\n", "utf-8")
    return tmp_path


def test_text_of_other_origin_and_what_is_held_out_are_not_learnt_from(mirror: Path) -> None:
    learnt = material.parallel(TINY, mirror)["testament"]
    watched, tested = (material.held_out(TINY, mirror, part) for part in (material.VALIDATION, material.TEST))
    assert len(learnt) + len(watched) + len(tested) == 60
    assert not set(learnt) & {*watched, *tested}
    assert ("કુ", "no") not in {*learnt, *watched, *tested}


def test_an_interrupted_training_ends_with_the_same_weights(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECIPES, "tiny", replace(TINY, dropout=0.3))
    monkeypatch.setattr(training, "WATCHED_EVERY", 5)
    monkeypatch.setattr(training, "SAVED_EVERY", 0.0)
    monkeypatch.setattr(training, "watch", lambda *_: "watched")

    def stopping(after: int) -> Callable[[str], None]:
        told: list[str] = []

        def report(line: str) -> None:
            told.append(line)
            if told.count("watched") > after:
                raise KeyboardInterrupt

        return report

    straight = training.train("tiny", mirror, tmp_path / "straight", print)
    for after in (0, 1):
        with pytest.raises(KeyboardInterrupt):
            training.train("tiny", mirror, tmp_path / "halting", stopping(after))
    halting = training.train("tiny", mirror, tmp_path / "halting", print)
    one, other = load_translator(str(straight)), load_translator(str(halting))
    assert one.fingerprint == other.fingerprint
    assert all(torch.isfinite(weight).all() for weight in one.module.parameters())
