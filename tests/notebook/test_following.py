"""A row of an answer leads to its words in context, its documents and its queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.patterns import corpus
from workbench.errors import InputError
from workbench.notebook import ask, follow


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("following") / "store.duckdb"
    corpus.store(found, corpus.corpus(11, 12)).close()
    return found


def test_a_row_leads_to_its_words_and_documents(path: Path) -> None:
    answer = ask(path, "top_terms", minimum_documents=1, limit=3)
    term = answer.frame["term"][0]
    page = follow(path, answer, row=1, contexts=2, documents=1)
    assert 'class="concordance"' in page
    assert page.count('<td class="match"') <= 2
    assert term in page
    assert "documents, the strongest first" in page
    assert "FROM word_relevance" in page
    assert page._repr_html_() == page


def test_an_answer_is_shown_with_its_trust(path: Path) -> None:
    page = ask(path, "relevance_by_upos")._repr_html_()
    assert '<table class="data">' in page
    assert "association, not cause" in page


def test_there_is_no_row_beyond_the_last(path: Path) -> None:
    answer = ask(path, "top_terms", minimum_documents=1, limit=1)
    with pytest.raises(InputError, match="count rows from 1"):
        follow(path, answer, row=len(answer) + 1)
