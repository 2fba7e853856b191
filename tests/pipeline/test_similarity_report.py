"""The page and the demo of similarities, from a run to what a person reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.pipeline import tiny_pairs
from tests.pipeline.page_commands import rows_lead_on
from workbench.cli import app
from workbench.pipeline.declaration import find
from workbench.pipeline.reporting import page
from workbench.pipeline.run import run

DECLARED = """
name = "tiny"
title = "Tiny pairs explained"
notes = ["Made up."]
[corpus]
name = "{corpus}"
[model]
name = "{encoder}"
[similarity]
{more}
[annotation]
pipeline = "blank:en"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An encoder, a corpus of pairs and one to search, and a pipeline over each."""
    encoder = tiny_pairs.save_encoder(tmp_path / "encoders")
    tiny_pairs.save_pairs(tmp_path / "corpora", tiny_pairs.pairs(6))
    tiny_pairs.save_search(tmp_path / "corpora")
    monkeypatch.setenv("WORKBENCH_CORPORA", str(tmp_path / "corpora"))
    (tmp_path / "tiny.toml").write_text(DECLARED.format(corpus="tiny-pairs", encoder=encoder, more=""), "utf-8")
    searched = DECLARED.format(corpus="tiny-queries", encoder=encoder, more="strongest = 5\n[retrieval]\ntop = 2")
    (tmp_path / "search.toml").write_text(searched, "utf-8")
    return tmp_path


def test_the_page_says_what_was_explained_and_that_it_closes(folder: Path) -> None:
    store = folder / "s.duckdb"
    run(find(str(folder / "tiny.toml")), store)
    html = page(store)
    assert "Tiny pairs explained" in html
    assert "6 pairs" in html
    assert "all sums close to 0.0001" in html
    assert "<svg" in html
    assert "Pairs of words, to sort and to filter" in html
    assert rows_lead_on(html) == 6  # five tables, and the long one; no pair flips its meaning
    table = html[html.index("Pairs of words, to sort") :]
    assert table.count("<summary>follow</summary>") == table[: table.index("</table>")].count("<tr>") - 1
    assert "script-src" in html  # by the digest of this one script


def test_the_page_of_a_search_shows_queries_and_passages(folder: Path) -> None:
    store = folder / "s.duckdb"
    run(find(str(folder / "search.toml")), store)
    html = page(store)
    assert "the heart stops" in html
    assert "judged relevant" in html


def test_the_demo_prints_figures_and_one_pair(folder: Path) -> None:
    answer = CliRunner().invoke(app, ["demo", str(folder / "tiny.toml"), "--folder", str(folder / "demo")])
    assert answer.exit_code == 0, answer.output
    assert "6 pairs, mean similarity" in answer.output
    assert "p00: similarity" in answer.output
    assert max(map(len, answer.output.splitlines())) <= 100
    assert (folder / "demo" / "tiny.html").is_file()


def test_contrasts_in_several_languages_are_shown_in_one(folder: Path) -> None:
    rows: list[dict[str, object]] = [
        {
            **row,
            "identifier": f"{row['identifier']}-{language}",
            "contrast": ["negation", "paraphrase", "unrelated"][place % 3],
            "languages": {"text_a": language, "text_b": language},
        }
        for place, row in enumerate(tiny_pairs.pairs(9))
        for language in ("de", "en")
    ]
    tiny_pairs.corpus(
        folder / "corpora" / "tiny-pairs", rows, '{ text_a = "text_a", text_b = "text_b" }', fields='metadata = ["contrast", "languages"]'
    )
    answer = CliRunner().invoke(app, ["demo", str(folder / "tiny.toml"), "--folder", str(folder / "demo")])
    assert answer.exit_code == 0, answer.output
    assert "similarity by contrast" in answer.output
    assert answer.output.count("negation") == 1
    html = (folder / "demo" / "tiny.html").read_text("utf-8")
    assert "Pairs in <bdi>en</bdi>" in html
