"""Whose relevance counts, what a limit and an order do, and stores without relevance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patterns import corpus
from tests.patterns.brute import equal, hits, sequence, times, word
from tests.patterns.test_hits import found
from workbench.errors import InputError, StoreError
from workbench.patterns import find, sql_of
from workbench.store import Store, synthetic
from workbench.store.synthetic import frames

TEXTS = corpus.corpus(21, 12)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two models, one of them by two composites."""
    with corpus.store(tmp_path_factory.mktemp("several") / "store.duckdb", TEXTS) as opened:
        halved = [
            type(text)(
                text.document,
                text.role,
                text.explained,
                [type(w)(**{**vars(w), "relevance": w.relevance and w.relevance / 2}) for w in text.words],
            )
            for text in TEXTS
        ]
        for run, (model, composite) in enumerate((("m", "other.v1"), ("n", "attnlrp.v1")), start=2):
            rows = corpus.tables(halved, model, composite)
            for row in rows["explanation"]:
                row["fingerprint"] += model + composite
            opened.append(frames(rows), run)
        yield opened


def test_several_models_must_be_chosen_from(several: Store) -> None:
    with pytest.raises(StoreError, match="several models and none chosen: m, n") as caught:
        find(several, '"walk"')
    assert "--model" in caught.value.remedy
    with pytest.raises(StoreError, match=r"several composites and none chosen: attnlrp\.v1, other\.v1"):
        find(several, '"walk"', model="m")
    with pytest.raises(StoreError, match="no model k with relevance"):
        find(several, '"walk"', model="k")
    with pytest.raises(StoreError, match=r"no composite other\.v1"):
        find(several, '"walk"', model="n", composite="other.v1")


def test_a_choice_answers_as_if_there_were_nothing_else(several: Store) -> None:
    pattern, part = '[relevance>0.25] []? [upos="NOUN"]', (word(lambda w: w.relevance > 0.25), times(word(), 0, 1))
    noun = word(lambda w: equal(w.upos, "NOUN"))
    whole = hits(TEXTS, sequence(*part, noun))
    assert whole
    assert found(find(several, pattern, model="m", composite="attnlrp.v1", limit=None)) == pytest.approx(whole)
    assert find(several, pattern, model="n", limit=None).total == 0  # its relevance is half as large
    half = find(several, '[relevance>0.125] []? [upos="NOUN"]', model="n", limit=None)
    assert found(half) == pytest.approx({key: value / 2 for key, value in whole.items()})
    assert (half.model, half.composite) == ("n", "attnlrp.v1")


def test_a_run_is_chosen(several: Store) -> None:
    second = find(several, '[upos="NOUN"]', run=2, limit=None)
    assert (second.model, second.composite) == ("m", "other.v1")
    third = find(several, '[upos="NOUN"]', run=3, limit=None)
    assert third.model == "n"
    assert third.frame.equals(find(several, '[upos="NOUN"]', model="n", limit=None).frame)
    assert find(several, '[upos="NOUN"]', model="n", run=3).sql.count("b.run = 3") == 1
    with pytest.raises(StoreError, match="no relevance of run 9"):
        find(several, '"walk"', run=9)
    with pytest.raises(StoreError, match="no model n"):
        find(several, '"walk"', model="n", run=2)
    for pattern in ("a:[] -amod-> b:[]", 'a:[upos="NOUN"] []? [upos="VERB"]'):
        assert find(several, pattern, run=3, limit=None).frame.equals(find(several, pattern, model="n", limit=None).frame)


def test_members_of_an_ensemble_are_not_meant_unless_they_are_named(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(synthetic.batch([f"d{number}" for number in range(9)]), 1)
        assert find(store, '[upos="NOUN"]').model == "ensemble"
        mine = find(store, '[upos="NOUN"]', model="first", limit=None)
        assert mine.model == "first"
        own = store.sql("SELECT sum(relevance::DOUBLE) AS s, count(*) AS n FROM word_relevance WHERE model = 'first' AND upos = 'NOUN'")
        assert (mine.frame["relevance"].sum(), mine.total) == (pytest.approx(own["s"][0]), own["n"][0])


def test_limit_and_order(several: Store) -> None:
    def ask(limit: int | None, order: str, pattern: str = '[upos="NOUN"] []?') -> list[tuple[object, ...]]:
        answer = find(several, pattern, model="n", limit=limit, order=order)  # type: ignore[arg-type]
        return answer.frame.select("document", "explanation", "match_start", "match_end", "relevance").rows()

    for pattern in ('[upos="NOUN"] []?', '[upos="NOUN"] []? []{0,2} [upos="VERB"]'):
        everything = ask(None, "relevance", pattern)
        by_place = ask(0, "document", pattern)
        assert by_place == sorted(by_place)
        assert everything == sorted(by_place, key=lambda row: (-row[4], *row[:4]))  # type: ignore[operator]
        assert ask(3, "relevance", pattern) == everything[:3]
        assert ask(3, "document", pattern) == by_place[:3]
    answer = find(several, '[upos="NOUN"]', model="n", limit=3)
    assert answer.shown == f"3 of {answer.total:,} hits"
    assert find(several, '"nothing"', model="n").shown == "0 hits"


def test_the_sql_is_complete_in_itself(several: Store) -> None:
    pattern = 'a:[upos="NOUN"] []{0,2} b:[upos="VERB"] :: a.relevance > b.relevance'
    answer = find(several, pattern, model="n", limit=7)
    assert answer.sql == sql_of(pattern, store=several, model="n", limit=7)
    again = several.sql(answer.sql)
    assert again.select("document", "match_start", "relevance").rows() == answer.frame.select("document", "match_start", "relevance").rows()
    blind = several.sql(sql_of(pattern, model="n", composite="attnlrp.v1", limit=7))
    assert blind.equals(again)
    with pytest.raises(InputError, match="the role text_a"):
        sql_of('"a" ~> "b"', role="text_a")


def test_a_store_with_words_alone_is_searched_without_relevance(tmp_path: Path) -> None:
    rows = corpus.tables(TEXTS)
    with Store.open(tmp_path / "store.duckdb", "write") as store:
        store.append(frames({name: rows[name] for name in ("document", "segment", "word")}), 1)
        texts = [text for text in TEXTS if text.explained == "political"]
        for text in texts:
            for w in text.words:
                w.seen, w.relevance = True, 0.0
        for pattern, part in (
            (
                '[upos="NOUN"] []? [xpos="VE"]',
                (word(lambda w: equal(w.upos, "NOUN")), times(word(), 0, 1), word(lambda w: equal(w.xpos, "VE"))),
            ),
            ('[role="text" & label="political"] "walk"', (word(lambda w: w.label == "political"), word(lambda w: w.form == "walk"))),
        ):
            answer = find(store, pattern, limit=None)
            rows_found = answer.frame.select("identifier", "match_start", "match_end").rows()
            assert rows_found == sorted((key[0], key[3], key[4]) for key in hits(texts, sequence(*part)))
            assert rows_found
            assert answer.frame["relevance"].null_count() == answer.total
        assert find(store, "a:[] -amod-> b:[]").total > 0
        with pytest.raises(InputError, match="the store has no relevance"):
            find(store, "[relevance>0]")
        with pytest.raises(InputError, match="the store has no relevance"):
            find(store, 'a:"walk" :: a.relevance > 0')
        with pytest.raises(StoreError, match="no relevance in this store"):
            find(store, '"walk"', model="m")
