"""Categories of a lexicon that comes with the query."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.patterns import corpus
from tests.patterns.brute import Part, equal, hits, sequence, word
from tests.patterns.test_hits import agree
from workbench.patterns import find
from workbench.store import Store

TEXTS = corpus.corpus(31, 30)
LEXICON = pl.DataFrame(
    {"term": ["walk", "good", "café", "ভালো", "walk", "two words"], "category": ["motion", "value", "place", "value", "verb", "place"]}
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with corpus.store(tmp_path_factory.mktemp("lexicon") / "store.duckdb", TEXTS) as opened:
        yield opened


def of(*terms: str) -> Part:
    return word(lambda w: w.form in terms or w.lemma in terms)


ACCENTED = "cafe\u0301"  # as the corpus writes it; the lexicon has the composed letter
QUERIES = {
    '[lexicon="motion"]': of("walk"),
    '[lexicon="value"]': of("good", "ভালো"),
    '[lexicon="place"]': of(ACCENTED),
    '[lexicon="motion|place"]': of("walk", ACCENTED),
    '[lexicon="v.*"]': of("good", "ভালো", "walk"),
    "[lexicon]": of("walk", "good", ACCENTED, "ভালো"),
    '[lexicon!="value"]': word(lambda w: w.form not in ("good", "ভালো") and w.lemma not in ("good", "ভালো")),
    "[!lexicon]": word(lambda w: not {w.form, w.lemma} & {"walk", "good", ACCENTED, "ভালো"}),
    '[lexicon="value" & relevance>0] [upos="NOUN"]': sequence(
        word(lambda w: (w.form in ("good", "ভালো") or w.lemma == "good") and w.relevance > 0), word(lambda w: equal(w.upos, "NOUN"))
    ),
}


@pytest.mark.parametrize("query", QUERIES)
def test_categories_of_words(store: Store, query: str) -> None:
    wanted = hits(TEXTS, QUERIES[query])
    assert wanted
    answer = find(store, query, lexicon=LEXICON, limit=None)
    agree(answer, wanted)
    assert answer.notices == ("1 lexicon terms of several words match no single word",)
    assert store.sql(answer.sql)["total"][0] == answer.total  # the SQL brings the lexicon along


def test_a_file_is_read_as_a_frame_is(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "lexicon.tsv"
    rows = "\n".join(f"{term}\t{category}" for term, category in LEXICON.rows())
    path.write_text(f"term\tcategory\n# a remark\n\n{rows}\n", "utf-8")
    for given in (path, str(path)):
        assert found_in(store, given) == found_in(store, LEXICON)


def found_in(store: Store, lexicon: pl.DataFrame | Path | str) -> list[tuple[object, ...]]:
    return find(store, '[lexicon="value"]', lexicon=lexicon, limit=None).frame.rows()


def test_a_lexicon_that_is_not_asked_for_changes_nothing(store: Store) -> None:
    assert "VALUES" not in find(store, '"walk"', lexicon=LEXICON).sql
