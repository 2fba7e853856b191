"""Words chosen by SQL or by lemma, in their context at the terminal and on a page; the person's SQL can reach nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.patterns import corpus
from tests.viz.test_security import audit
from workbench.cli import app
from workbench.errors import InputError, StoreError
from workbench.patterns import concordance, find, where
from workbench.store import Store

TEXTS = corpus.corpus(6, 30)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("where") / "store.duckdb"
    corpus.store(path, TEXTS).close()
    with Store.open(path) as opened:
        yield opened


def run(store: Store, *arguments: str) -> list[dict[str, object]]:
    answer = CliRunner().invoke(app, ["find", *arguments, "--store", str(store.path), "--format", "json"], catch_exceptions=False)
    assert answer.exit_code == 0
    found: list[dict[str, object]] = json.loads(answer.stdout)
    return found


def test_a_condition_finds_what_the_same_pattern_finds(store: Store) -> None:
    expected = find(store, '[upos="NOUN" & relevance>0.1]', limit=5)
    found = where(store, "upos = 'NOUN' AND relevance > 0.1::FLOAT", limit=5)
    assert found.total == expected.total > 5
    assert found.frame["relevance"].to_list() == pytest.approx(expected.frame["relevance"].to_list())
    every = where(store, "upos = 'NOUN' AND relevance > 0.1::FLOAT -- a comment", limit=0, order="document").frame
    same = find(store, '[upos="NOUN" & relevance>0.1]', limit=0, order="document").frame
    columns = ["identifier", "role", "explained", "sentence", "match_start", "match_end", "match"]
    assert set(every.select(columns).rows()) == set(same.select(columns).rows())
    assert concordance(store, found)["match"].to_list() == found.frame["match"].to_list()


def test_a_statement_says_which_words(store: Store) -> None:
    best = """SELECT explanation, word FROM word_relevance WHERE kind = 'word'
    QUALIFY row_number() OVER (PARTITION BY explanation ORDER BY relevance DESC, word) = 1;"""
    found = where(store, best, limit=0)
    seen = [[float(np.float32(word.relevance)) for word in text.words if word.seen] for text in TEXTS]
    values = [max(values) for values in seen if values]
    assert found.frame["relevance"].to_list() == pytest.approx(sorted(values, reverse=True))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("SELECT 1 AS x", "explanation"), ("relevance >", "syntax error"), ("SELECT * FROM read_csv('/etc/passwd')", "disabled"),
        ("true); DROP TABLE kept.word; SELECT (1", "."), ("  ;", "empty"),
    ],
)  # fmt: skip
def test_other_sql_is_refused(store: Store, condition: str, said: str) -> None:
    with pytest.raises((StoreError, InputError), match=said):
        where(store, condition)


def test_a_lemma_finds_all_its_forms_and_the_page_holds_them(store: Store, tmp_path: Path) -> None:
    page = tmp_path / "walk.html"
    rows = run(store, "--lemma", "Walk", "--limit", "0", "--html", str(page))
    expected = sum((word.lemma or word.form).lower() == "walk" and word.seen for text in TEXTS for word in text.words)
    assert len(rows) == expected > 5
    assert {str(row["match"]) for row in rows} > {"walk"}
    html = page.read_text("utf-8")
    assert audit(html).wrong == []
    assert html.count("<tr>") == expected
    assert "association, not cause" in html
    assert run(store, "--where", "relevance > 0.3", "--limit", "2")[0]["relevance"] >= 0.3  # type: ignore[operator]


def test_one_way_to_say_it_is_enough(store: Store) -> None:
    wrong = ((["walk", "--lemma", "walk"], "several"), ([], "nothing to look for"), (["walk", "--html", "x.pdf"], "end it in .html"))
    for asked, said in wrong:
        answer = CliRunner().invoke(app, ["find", *asked, "--store", str(store.path)])
        assert isinstance(answer.exception, InputError)
        assert said in str(answer.exception)
