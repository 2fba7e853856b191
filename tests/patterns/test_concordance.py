"""Hits in their context: what stands around them, and how a terminal shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from tests.patterns import corpus
from workbench.cli import find as command
from workbench.cli.kwic import lines
from workbench.errors import InputError
from workbench.patterns import concordance, find
from workbench.store import Store, synthetic_pairs
from workbench.viz.terminal import widest

TEXTS = corpus.corpus(41, 30, longest=30)
PATTERN = 'a:[upos="NOUN"] []? [upos="VERB"]'


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("concordance") / "store.duckdb"
    corpus.store(place, TEXTS).close()
    return place


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The same texts in a file of its own: one process opens a store once."""
    with corpus.store(tmp_path_factory.mktemp("again") / "store.duckdb", TEXTS) as opened:
        yield opened


@pytest.mark.parametrize("width", [0, 1, 5, 100])
def test_the_context_is_that_of_the_text(store: Store, width: int) -> None:
    hits = find(store, PATTERN)
    context = concordance(store, hits, width=width)
    assert len(context) == len(hits) > 10
    by_text = {(text.document, text.explained): text.words for text in TEXTS}
    for row, hit in zip(context.iter_rows(named=True), hits.frame.iter_rows(named=True), strict=True):
        words, start, end = by_text[row["identifier"], row["explained"]], hit["match_start"], hit["match_end"]
        spans = {"left": words[max(0, start - width) : start], "match": words[start : end + 1], "right": words[end + 1 : end + 1 + width]}
        for part, inside in spans.items():
            assert row[f"{part}_words"] == [w.form for w in inside]
            assert row[part] == " ".join(w.form for w in inside)
            assert row[f"{part}_relevances"] == pytest.approx([w.relevance for w in inside])
        assert hit["a"] == words[hit["a_start"]].form
        assert hit["a_lemma"] == (words[hit["a_start"]].lemma or words[hit["a_start"]].form)
        assert hit["a_relevance"] == pytest.approx(words[hit["a_start"]].relevance)
        assert hit["sentence"] == words[start].sentence
    assert context["relevance"].is_sorted(descending=True)


def test_no_hits_have_no_context(store: Store) -> None:
    context = concordance(store, find(store, '"nothing"'))
    assert len(context) == 0
    assert list(lines(context)) == []
    assert {"left", "match", "right", "left_relevances"} <= set(context.columns)
    with pytest.raises(InputError, match="a width of -1"):
        concordance(store, find(store, '"nothing"'), width=-1)


@pytest.mark.parametrize("width", [40, 60, 100])
def test_lines_stand_within_their_width_with_the_match_in_place(store: Store, width: int) -> None:
    context = concordance(store, find(store, PATTERN), width=12)
    shown = list(lines(context, width=width))
    assert len(shown) == len(context)
    for line, row in zip(shown, context.iter_rows(named=True), strict=True):
        assert widest(line.plain) <= width
        assert row["identifier"] in line.plain
        bold = "".join(line.plain[span.start : span.end] for span in line.spans if getattr(span.style, "bold", False))
        assert bold.replace("…", "") in row["match"].replace(" ", "")
    assert any(getattr(span.style, "bgcolor", None) for line in shown for span in line.spans)


def test_controls_in_a_text_do_not_reach_the_terminal() -> None:
    row = {"hit": [0], "identifier": ["d\x1b[31m"], "relevance": [1.0]}
    for part in ("left", "match", "right"):
        row |= {part: ["a\x1bb"], f"{part}_words": [["a\x1bb"]], f"{part}_relevances": [[0.5]]}
    (line,) = lines(pl.DataFrame(row))
    assert "\x1b" not in line.plain


app = typer.Typer()
app.command()(command.find)


def run(*arguments: str | Path, code: int = 0) -> tuple[str, str]:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert answer.exit_code == code, answer.output
    return answer.stdout, answer.stderr


def test_a_table_for_people(path: Path) -> None:
    out, _ = run(PATTERN, "--store", path, "--format", "table", "--limit", "5")
    head, said, *rest = out.splitlines()
    assert head == PATTERN
    assert "model m" in said
    assert rest[5].startswith("5 of ")
    assert rest[6].startswith("trust: ")
    assert all(widest(line) <= 100 for line in out.splitlines())


def test_formats_for_other_programs(path: Path, store: Store, tmp_path: Path) -> None:
    wanted = find(store, PATTERN, limit=4).frame
    out, said = run(PATTERN, "--store", path, "--limit", "4")
    assert "4 of " in said
    assert "--limit 0" in said
    table = pl.read_csv(BytesIO(out.encode()))
    assert table["match"].to_list() == wanted["match"].to_list()
    assert {"left", "right", "a_lemma"} <= set(table.columns)
    rows = json.loads(run(PATTERN, "--store", path, "--limit", "4", "--format", "json")[0])
    assert [row["relevance"] for row in rows] == wanted["relevance"].to_list()
    each = [json.loads(line) for line in run(PATTERN, "--store", path, "--limit", "4", "-f", "jsonl")[0].splitlines()]
    assert each == rows
    run(PATTERN, "--store", path, "--limit", "4", "--out", tmp_path / "hits.parquet")
    assert pl.read_parquet(tmp_path / "hits.parquet")["relevance"].to_list() == wanted["relevance"].to_list()
    markdown = run(PATTERN, "--store", path, "--limit", "4", "-f", "md")[0].splitlines()
    assert len(markdown) == 6
    assert {line.count(" | ") for line in markdown} == {len(rows[0]) - 1}


def test_the_sql_is_printed_and_not_run(path: Path, store: Store) -> None:
    out, _ = run("walk", "--store", path, "--sql", "--limit", "3")
    assert store.sql(out)["match_start"].to_list() == find(store, '"walk"', limit=3).frame["match_start"].to_list()


def test_pairs_at_the_terminal(tmp_path: Path) -> None:
    place = tmp_path / "pairs.duckdb"
    with Store.open(place, "write") as opened:
        opened.append(synthetic_pairs.pairs(["a", "b", "c"]), 1)
    pattern = 'a:[upos="NOUN"] ~> b:[]'
    out, _ = run(pattern, "--store", place, "--format", "table", "--limit", "3")
    assert [line.split()[2] for line in out.splitlines()[2:8]] == ["text_a", "text_b"] * 3
    assert out.splitlines()[8].startswith("3 of ")
    out, _ = run(pattern, "--store", place, "--limit", "3")
    table = pl.read_csv(BytesIO(out.encode()))
    assert (table["left_context"].str.contains("[", literal=True)).all()
    assert table["right_context"].null_count() == 0


def test_a_lexicon_at_the_command_line(path: Path, tmp_path: Path) -> None:
    (tmp_path / "lexicon.tsv").write_text("walk\tmotion\ngo away\tmotion\n")
    out, said = run('[lexicon="motion"]', "--store", path, "--lexicon", tmp_path / "lexicon.tsv", "-f", "jsonl", "--limit", "0")
    assert {json.loads(line)["match"] for line in out.splitlines()} == {"walk", "walks", "walked"}
    assert "several words" in said


def test_what_the_command_line_refuses(path: Path, tmp_path: Path) -> None:
    for arguments, said in (
        (["[nothing>1]"], "no attribute of a word"),
        (["walk", "--out", str(tmp_path / "hits.xml")], "the ending .xml"),
        (["walk", "--model", "k"], "no model k"),
    ):
        answer = CliRunner().invoke(app, [*arguments, "--store", str(path)])
        assert said in str(answer.exception)
    assert CliRunner().invoke(app, ["walk", "--order", "size", "--store", str(path)]).exit_code == 2
