"""Signals against the question that reads them from a store, areas against sklearn, and the experiment on a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from tests.evaluation.tiny_translator import tiny_translator
from workbench.attribution.contributions import Contributions
from workbench.cli.application import app
from workbench.errors import InputError
from workbench.evaluation.hallucination import TOGETHER, areas, drawn_areas, hallucination, together
from workbench.evaluation.hallucination_cases import CONDITIONS, LEFT, PREFIX, TIMES, Case, compared, neighbours
from workbench.evaluation.hallucination_signals import PLAIN, SUSPICIOUS, signals
from workbench.models.translation import Translator, continued, source_of
from workbench.queries import query
from workbench.store import Store
from workbench.store.synthetic_translations import translations

CORPUS = """
name = "small"
title = "Small"
language = "fr"
licence = "CC0-1.0"
reader = "parallel"
[source]
text = "made for a test"
[[source.files]]
path = "small.fr"
role = "source"
[fields]
segments = { source = "source" }
"""


def of_store(store: Store, identifier: str) -> Contributions:
    """Stored contributions as the attribution room gives them."""
    rows = store.sql(
        """SELECT c.step, c.side::VARCHAR AS side, c.token, c.relevance, s.log_probability
           FROM contributions c JOIN steps s USING (explanation, step) JOIN documents d ON d.document = c.document
           WHERE d.identifier = $1 AND c.role <> 'source'""",
        [identifier],
    )
    steps = rows["step"].max() + 1  # type: ignore[operator]
    tokens = rows.filter(side="source")["token"].max() + 1  # type: ignore[operator]
    source, prefix, chance = np.zeros((steps, tokens)), np.zeros((steps, steps)), np.zeros(steps)
    for step, side, token, relevance, probability in rows.iter_rows():
        (source if side == "source" else prefix)[step, token] = relevance
        chance[step] = probability
    nothing, numbers = np.zeros(steps), np.zeros(steps, np.int64)
    return Contributions(np.zeros(tokens, np.int64), numbers, numbers, source, prefix, *(nothing,) * 7, chance, 0.0, "attnlrp", "argmax")


def test_signals_are_those_that_the_store_is_asked_for(tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    with Store.open(tmp_path / "s.duckdb", "write") as store:
        store.append(translations(names, model="weak"), 1)
        frame = query(store, "hallucination_signals")
        for name in names:
            found = of_store(store, name)
            special = [False] * (found.source.shape[1] - 1) + [True]
            told, row = signals(found, special), frame.filter(identifier=name).row(0, named=True)
            for signal in set(SUSPICIOUS) - {"similarity", "source_entropy"}:
                assert told[signal] == pytest.approx(row[signal], abs=1e-6), signal
        entropy = query(store, "contributions_by_group", by="system", measures="normalized_source_entropy", role="hypothesis")
        told = [signals(of_store(store, name), [False] * of_store(store, name).source.shape[1])["source_entropy"] for name in names]
        assert min(told) <= entropy["mean"].item() <= max(told)


def test_only_later_steps_are_judged(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.duckdb", "write") as store:
        store.append(translations(["a"], model="weak"), 1)
        found = of_store(store, "a")
    shares = np.abs(found.source).sum(1) / (np.abs(found.source).sum(1) + np.abs(found.prefix).sum(1))
    told = signals(found, [False] * found.source.shape[1], first=2)
    assert told["mean_share"] == pytest.approx(shares[2:].mean())
    assert told["log_probability"] == pytest.approx(found.log_probability[2:].mean())
    assert np.isnan(signals(found, [True] * found.source.shape[1])["omitted"])


def test_areas_and_their_draws() -> None:
    random = np.random.default_rng(0)
    own, left = random.integers(5, size=30) / 5, random.integers(6, size=30) / 5
    area, low, high = areas(own, left, 1)
    assert area == pytest.approx(roc_auc_score([0] * 30 + [1] * 30, [*own, *left]))
    assert low < area < high
    exact, draws = drawn_areas(own, left, 1)
    chosen = np.random.default_rng(1).integers(0, 30, size=(1000, 30))[0]
    assert draws[0] == pytest.approx(roc_auc_score([0] * 30 + [1] * 30, [*own[chosen], *left[chosen]]))
    assert exact == area
    assert np.isnan(areas(own[:5], left[:5], 0)[0])
    assert np.isnan(areas(own, np.full(30, np.nan), 0)[0])


def test_signals_together_gain_where_they_say_different_things() -> None:
    random = np.random.default_rng(0)
    own = {"log_probability": random.normal(0, 1, 80), "mean_share": random.normal(0, 1, 80)}
    left = {"log_probability": random.normal(-1, 1, 80), "mean_share": random.normal(-1, 1, 80)}
    asked = ("log_probability",), ("mean_share",), 0
    found = together(own, left, *asked)
    assert found["auroc"] > 0.75
    assert found["gain"] > 0.02
    assert found["gain_low"] < found["gain"] < found["gain_high"]
    assert found["auroc"] - found["gain"] == pytest.approx(drawn_areas(-own["log_probability"], -left["log_probability"], 0)[0])
    useless = {**left, "mean_share": own["mean_share"]}
    assert abs(together(own, useless, *asked)["gain"]) < 0.02
    assert together(own, {name: values * np.nan for name, values in left.items()}, *asked) == {}


def case(sentence: int, length: int) -> Case:
    return Case(sentence, f"text {sentence}", (sentence, 0), (False, True), tuple(range(length)))


def test_neighbours_have_about_the_same_length_and_are_others() -> None:
    pairs = neighbours([case(0, 9), case(1, 3), case(2, 5), case(3, 5)])
    told = [(one.sentence, other.sentence) for one, other in pairs]
    assert told == [(0, 3), (1, 2), (2, 0), (3, 0)]  # 2 and 3 have the same translation; the longest takes the next shorter one
    assert neighbours([case(0, 3)]) == []


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Translator:
    return tiny_translator(tmp_path_factory.mktemp("models") / "tiny", window=24)


def test_cases_are_what_they_say(translator: Translator) -> None:
    texts = ["le chat dort .", "le chat noir", "chat", "dort le chat noir .", "noir"]
    made = {one.condition: one for one in compared(translator, texts, [source_of(translator, text) for text in texts], 0, beams=1)}
    assert tuple(made) == CONDITIONS
    for one in made.values():
        assert [case.sentence for case in one.own] == [case.sentence for case in one.left]
        assert one.tried == 5
    wrong = made["wrong source"]
    assert all(left.target == own.target and left.source != own.source for own, left in zip(wrong.own, wrong.left, strict=True))
    for own, left in zip(made["random prefix"].own, made["random prefix"].left, strict=True):
        assert left.source == own.source
        assert left.target[:PREFIX] != own.target[:PREFIX]
    assert {one.first for one in made["behind a random prefix"].own} <= {PREFIX}
    inserted = made["inserted token"]
    for own, left in zip(inserted.own, inserted.left, strict=True):
        assert left.source[TIMES:] == own.source
        assert len(set(left.source[:TIMES])) == 1
        assert left.special == (False,) * TIMES + own.special
    assert not inserted.left or inserted.kept < LEFT


def test_a_translation_goes_on_from_its_beginning(translator: Translator) -> None:
    sources = [source_of(translator, text).ids for text in ("le chat dort .", "chat")]
    beginnings = [(6, 7), (8, 7, 6)]
    found = continued(translator, sources, beginnings, beams=2)
    assert [ids[: len(beginning)] for ids, beginning in zip(found, beginnings, strict=True)] == beginnings
    assert continued(translator, sources[1:], beginnings[1:], beams=2) == found[1:]  # whoever goes with it
    with pytest.raises(InputError, match="a beginning of 30 tokens"):
        continued(translator, sources[:1], [(6,) * 30])


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "corpora" / "small"
    folder.mkdir(parents=True)
    (folder / "corpus.toml").write_text(CORPUS, "utf-8")
    words = ("le", "chat", "dort", "noir", ".")
    texts = [" ".join(words[(place * step) % 5] for step in range(1, 3 + place % 4)) for place in range(20)]
    (folder / "small.fr").write_text("\n".join(texts) + "\n" + "le " * 40 + "\n", "utf-8")
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tmp_path / "corpora"))
    return "small"


def test_the_experiment_has_a_row_for_every_signal(translator: Translator, small: str) -> None:
    told: list[str] = []
    frame = hallucination(translator, None, small, methods=("attnlrp", "alti_plus"), progress=lambda stage, *_: told.append(stage))
    assert tuple(frame["condition"].unique(maintain_order=True)) == CONDITIONS
    assert frame["tried"].max() == 20  # the longest is left out
    wrong = frame.filter(condition="wrong source")
    single = wrong.filter(~pl.col("signal").str.contains("+", literal=True))
    assert len(single) == 2 * (len(SUSPICIOUS) - len(PLAIN)) + len(PLAIN)
    known = single.filter(pl.col("signal") != "similarity")
    assert known["auroc"].is_between(0, 1).all()
    assert (known["low"] <= known["high"]).all()
    assert single.filter(signal="similarity")["auroc"].is_null().all()
    assert len(wrong) - len(single) == 2 * (len(TOGETHER) - 1) + 1
    assert "explain inserted token" in told


def test_the_command(translator: Translator, small: str, tmp_path: Path) -> None:
    tiny_translator(tmp_path / "tiny", window=24)
    asked = ["evaluate", "hallucination", "--model", str(tmp_path / "tiny"), "--corpus", small, "--encoder", "", "--sentences", "20"]
    answer = CliRunner().invoke(app, [*asked, "--methods", "alti_plus"])
    assert answer.exit_code == 0, answer.output
    assert "wrong source" in answer.stdout
    assert max(map(len, answer.stdout.splitlines())) <= 100
    rows = json.loads(CliRunner().invoke(app, [*asked, "--methods", "alti_plus", "--json"]).stdout)
    assert {row["condition"] for row in rows} == set(CONDITIONS)
