"""Questions about layers, positions and components against the same computation in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from workbench.queries import query
from workbench.store import Store, synthetic

ONE = {"model": "first", "label": "political"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("components") / "store.duckdb", "write") as opened:
        opened.append(synthetic.batch([f"d{number:03}" for number in range(12)]), 1)
        yield opened


def components(store: Store, kind: str) -> list[dict[str, Any]]:
    """Stored components of one model and class."""
    return store.sql(
        "SELECT * FROM component_relevance WHERE kind = $kind AND model = $model AND label = $label", {"kind": kind, **ONE}
    ).to_dicts()


def test_a_neuron_is_driven_by_documents_words_and_tokens(store: Store) -> None:
    answer = query(store, "neurons", layer=1, unit=1, limit=1000, **ONE)
    rows = [row for row in components(store, "neurons") if row["layer"] == 1 and row["unit"] == 1]
    tokens = {
        (row["document"], row["token"]): row for row in store.sql("SELECT * FROM tokens WHERE tokenizer = 'first'").iter_rows(named=True)
    }
    words = defaultdict(list)
    for word in store.sql("FROM words").iter_rows(named=True):
        words[word["document"]].append(word)
    named: dict[tuple[str, str], dict[tuple[int, int], float]] = defaultdict(lambda: defaultdict(float))
    names = dict(store.sql("SELECT document, identifier FROM documents").iter_rows())
    for row in rows:
        document, token = row["document"], tokens[row["document"], row["token"]]
        named["document", names[document]][document, row["token"]] += row["relevance"]
        overlaps = {
            word["word"]: (word["lemma"], min(token["char_end"], word["char_end"]) - max(token["char_start"], word["char_start"]))
            for word in words[document]
        }
        touched = {index: (lemma, size) for index, (lemma, size) in overlaps.items() if size > 0 and not token["special"]}
        for index, (lemma, size) in touched.items():
            share = size / sum(size for _, size in touched.values())
            named["word", lemma][document, index] += row["relevance"] * share
        if not touched:
            named["token", token["piece"]][document, row["token"]] += row["relevance"]
    assert {what for what, _ in named} == {"document", "word", "token"}
    found = {(row["what"], row["name"]): row for row in answer.iter_rows(named=True)}
    assert set(found) == set(named)
    for key, places in named.items():
        assert found[key]["relevance"] == pytest.approx(sum(places.values()), abs=1e-6)
        assert found[key]["mean"] == pytest.approx(sum(places.values()) / len(places), abs=1e-6)
        assert found[key]["occurrences"] == len(places)
        assert found[key]["documents"] == len({document for document, _ in places})
    for what in ("document", "word", "token"):
        part = answer.filter(pl.col("what") == what)
        assert part["relevance"].abs().is_sorted(descending=True)
        assert part["rank"].to_list() == list(range(1, len(part) + 1))
        total = sum(row["relevance"] for row in rows)
        if what == "document":
            assert part["relevance"].sum() == pytest.approx(total, abs=1e-5)
    assert query(store, "neurons", layer=1, unit=1, limit=1)["rank"].max() == 1
    assert query(store, "neurons", layer=9, unit=1).is_empty()
    assert set(query(store, "neurons", layer=0, unit=1, kind="heads")["model"]) == set(synthetic.MODELS)


def test_heads_are_averaged_over_all_explanations(store: Store) -> None:
    answer = query(store, "heads", **ONE)
    by_head: dict[tuple[int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    rows = components(store, "heads")
    for row in rows:
        by_head[row["layer"], row["unit"]][row["explanation"]] += row["relevance"]
    explanations = len({row["explanation"] for row in rows})
    assert len(answer) == len(by_head)
    for row in answer.iter_rows(named=True):
        sums = by_head[row["layer"], -1 if row["head"] is None else row["head"]]
        assert row["mean"] == pytest.approx(sum(sums.values()) / explanations)
        assert row["mean_size"] == pytest.approx(sum(map(abs, sums.values())) / explanations)
        assert (row["kept"], row["explanations"]) == (len(sums), explanations)
    assert answer["share"].sum() == pytest.approx(1.0)
    assert set(query(store, "heads")["label"]) == set(synthetic.LABELS)


def test_the_residual_stream_is_placed_on_words_special_tokens_and_the_rest(store: Store) -> None:
    answer = query(store, "residual", **ONE)
    rows = components(store, "residual")
    covered = {
        (document, token)
        for document, token in store.sql(
            "SELECT t.document, t.token FROM tokens t JOIN words w ON w.document = t.document AND w.char_start < t.char_end "
            "AND t.char_start < w.char_end WHERE t.tokenizer = 'first' AND NOT special"
        ).iter_rows()
    }
    special = set(store.sql("SELECT document, token FROM tokens WHERE tokenizer = 'first' AND special").iter_rows())
    sums: dict[tuple[int, str], list[float]] = defaultdict(list)
    for row in rows:
        place = (row["document"], row["token"])
        kind = "left out" if row["token"] < 0 else "special" if place in special else "word" if place in covered else "uncovered"
        sums[row["layer"], kind].append(row["relevance"])
    explanations = len({row["explanation"] for row in rows})
    found = {(row["layer"], row["placed"]): row for row in answer.iter_rows(named=True)}
    assert set(found) == set(sums)
    assert {kind for _, kind in sums} == {"word", "special", "uncovered", "left out"}
    for key, values in sums.items():
        assert found[key]["mean"] == pytest.approx(sum(values) / explanations)
        assert found[key]["mean_size"] == pytest.approx(sum(map(abs, values)) / explanations)
        assert found[key]["tokens"] == pytest.approx(0 if key[1] == "left out" else len(values) / explanations)
    assert answer.group_by("layer").agg(pl.col("share").sum())["share"].to_list() == pytest.approx([1.0, 1.0])
    assert query(store, "residual", kind="mlp").is_empty()


def test_softmax_by_layer_sums_to_the_account(store: Store) -> None:
    answer = query(store, "softmax_by_layer", **ONE)
    account = store.sql("SELECT avg(softmax) AS mean FROM explanations WHERE model = $model AND label = $label", ONE)["mean"][0]
    assert answer["layer"].to_list() == [-1, 0, 1]
    assert answer["mean"].sum() == pytest.approx(account)
    assert answer["share"].to_list() == pytest.approx([0.2, 0.5, 0.3])


def test_positions_are_averaged_over_the_explanations_that_have_them(store: Store) -> None:
    answer = query(store, "positions", **ONE)
    rows = store.sql("SELECT * FROM position_layers WHERE model = $model AND label = $label", ONE).to_dicts()
    values: dict[tuple[str, int, int], list[float]] = defaultdict(list)
    for row in rows:
        values[row["kind"], row["layer"], row["position"]].append(row["relevance"])
    found = {(row["kind"], row["layer"], row["position"]): row for row in answer.iter_rows(named=True)}
    assert set(found) == set(values)
    for key, numbers in values.items():
        assert found[key]["mean"] == pytest.approx(sum(numbers) / len(numbers))
        assert found[key]["explanations"] == len(numbers)
    assert answer.filter(pl.col("kind") == "relative")["position"].min() < 0  # type: ignore[operator]
    assert set(query(store, "positions", kind="absolute")["layer"]) == {-1}
    assert set(query(store, "positions", layer=1)["kind"]) == {"relative"}
