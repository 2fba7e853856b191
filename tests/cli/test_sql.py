"""`workbench sql`: a statement, a file, standard input, a prompt; answers in every format; what is said beside them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from workbench.cli import app
from workbench.cli.formats import Format
from workbench.cli.sql_prompt import Words, completer, finished, history, prompt
from workbench.errors import InputError, StoreError
from workbench.store import Store, synthetic
from workbench.store.confined import Confined, Limits

UPOS = "SELECT upos, count(*) AS n FROM word_relevance GROUP BY ALL ORDER BY n DESC, upos"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sql") / "store.duckdb"
    with Store.open(path, "write") as opened:
        opened.append(synthetic.batch([f"d{number:03}" for number in range(20)]), 1)
    return path


def run(*arguments: str | Path, given: str | None = None) -> Result:
    answer = CliRunner().invoke(app, ["sql", *map(str, arguments)], input=given, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet", "md", "table"])
def test_answers_in_every_format(store: Path, form: str) -> None:
    with Store.open(store) as opened:
        expected = opened.sql(UPOS)
    answer = run(UPOS, "--store", store, "--format", form)
    data = answer.stdout_bytes
    if form == "csv":
        assert pl.read_csv(io.BytesIO(data)).equals(expected)
    elif form == "json":
        assert json.loads(data) == expected.to_dicts()
    elif form == "jsonl":
        assert [json.loads(line) for line in data.splitlines()] == expected.to_dicts()
    elif form == "parquet":
        assert pl.read_parquet(io.BytesIO(data)).equals(expected)
    elif form == "md":
        assert answer.stdout.startswith("| upos | n |\n| --- | ---: |\n")
    else:
        assert "NOUN" in answer.stdout
        assert all(cell_len(line) <= 100 for line in answer.stdout.splitlines())
    said = answer.stdout if form == "table" else answer.stderr
    assert f"{len(expected)} rows" in said
    assert "association, not cause" in said.replace("\n", "")


def test_tables_show_fifty_rows_and_say_of_how_many_and_files_have_all(store: Path, tmp_path: Path) -> None:
    with Store.open(store) as opened:
        total = len(opened.sql("FROM word_relevance"))
    assert f"50 of {total:,} rows; all: --limit 0" in run("FROM word_relevance", "--store", store, "--format", "table").stdout
    assert len(run("FROM word_relevance", "--store", store).stdout.splitlines()) == total + 1
    assert f"7 of {total:,} rows" in run("FROM word_relevance", "--store", store, "--limit", "7").stderr
    run("FROM word_relevance", "--store", store, "--out", tmp_path / "all.parquet")
    assert len(pl.read_parquet(tmp_path / "all.parquet")) == total


def test_statements_come_from_a_file_or_standard_input(store: Path, tmp_path: Path) -> None:
    (tmp_path / "two.sql").write_text("SELECT 11 AS a; -- one\nSELECT 22 AS b;\n")
    shown = run("--file", tmp_path / "two.sql", "--store", store, "--format", "table").stdout
    assert "11" in shown
    assert "22" in shown
    for arguments in (["-"], []):
        assert run(*arguments, "--store", store, given="SELECT 33 AS c").stdout == "c\n33\n"
    with pytest.raises(InputError, match="2 answers"):
        run("--file", tmp_path / "two.sql", "--store", store)
    with pytest.raises(InputError, match="a statement and a file"):
        run("SELECT 1", "--file", tmp_path / "two.sql", "--store", store)
    (tmp_path / "bad.sql").write_bytes(b"\xff\xfe")
    for name in ("bad.sql", "nothing.sql"):
        with pytest.raises(InputError, match="UTF-8"):
            run("--file", tmp_path / name, "--store", store)
    assert run("SELECT 1", "--sql", "--store", tmp_path / "nowhere").stdout == "SELECT 1\n"


def test_a_plan_is_drawn_as_duckdb_draws_it(store: Path) -> None:
    assert "Seq Scan" in run("EXPLAIN SELECT form FROM words", "--store", store, "--format", "table").stdout


def test_nothing_but_questions(store: Path, tmp_path: Path) -> None:
    for statement in ("DELETE FROM kept.document", f"COPY documents TO '{tmp_path}/x.csv'", "SELECT 1; DROP VIEW words"):
        with pytest.raises(StoreError, match="a statement of the kind"):
            run(statement, "--store", store)
    with pytest.raises(StoreError, match=r"no answer within 0\.2 seconds"):
        run("SELECT sleep_ms(20000)", "--store", store, "--seconds", "0.2")
    with pytest.raises(StoreError, match="more memory needed"):
        run("SELECT repeat('x', 2000000000)", "--store", store, "--memory", "0.2")


FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", " =1", "a=1", "ক", "'x"]


def test_formulas_lose_their_power_in_csv_and_it_is_said(store: Path) -> None:
    listed = ", ".join("'" + text.replace("'", "''") + "'" for text in FORMULAS)
    answer = run(f"SELECT unnest([{listed}]) AS text, -1.5 AS number", "--store", store)
    rows = pl.read_csv(io.BytesIO(answer.stdout_bytes))
    assert rows["text"].to_list() == [f"'{text}" for text in FORMULAS[:12]] + FORMULAS[12:]
    assert set(rows["number"]) == {-1.5}
    assert "12 text(s) that a spreadsheet would run as a formula" in answer.stderr
    same = run(f"SELECT unnest([{listed}]) AS text", "--store", store, "--format", "json")
    assert [row["text"] for row in json.loads(same.stdout)] == FORMULAS
    assert "spreadsheet" not in same.stderr


@pytest.fixture(scope="module")
def confined(store: Path) -> Iterator[Confined]:
    with Confined(store, limits=Limits(seconds=60)) as opened:
        yield opened


def typed(confined: Confined, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a person sees who types this."""
    with create_pipe_input() as keys:
        keys.send_text(text)
        prompt(confined, limit=50, form=Format.table, input=keys, output=DummyOutput(), history=InMemoryHistory())
    seen = capsys.readouterr()
    return seen.out + seen.err


def test_a_sitting(confined: Confined, capsys: pytest.CaptureFixture[str]) -> None:
    seen = typed(confined, "SELECT 40 +\r 2 AS\r x;\rSELECT nope\r\r.limit 3\rFROM words;\r.quit\rSELECT 99;\r", capsys)
    assert "42" in seen
    assert "nope" in seen
    assert "3 of" in seen
    assert "99" not in seen


def test_commands_of_the_prompt(confined: Confined, capsys: pytest.CaptureFixture[str]) -> None:
    seen = typed(confined, ".help\r.views\r.columns words\r.format csv\rSELECT 7 AS seven;\r.format x\r.limit x\r.what\rexit\r", capsys)
    for part in ("Ctrl-R", "word_relevance", "dictionary form", "seven\n7\n", "formats here", "a number of rows", "no command .what"):
        assert part in seen, part


def test_the_end_of_input_ends_it(confined: Confined, capsys: pytest.CaptureFixture[str]) -> None:
    assert "read-only" in typed(confined, "\x04", capsys)


def completions(words: Words, text: str) -> list[str]:
    from prompt_toolkit.completion import CompleteEvent

    return [found.text for found in words.get_completions(Document(text), CompleteEvent())]


def test_views_columns_and_functions_are_completed(confined: Confined) -> None:
    words = completer(confined)
    assert "word_relevance" in completions(words, "SELECT * FROM wo")
    assert "upos" not in completions(words, "SELECT * FROM u")
    assert completions(words, "SELECT word_relevance.le") == ["lemma"]
    assert {"SELECT", "segments"} <= set(completions(words, "se"))
    assert "regexp_matches" in completions(words, "SELECT regexp_ma")
    assert completions(words, "SELECT ") == []
    assert "documents" in completions(words, "FROM ")


@pytest.mark.parametrize(
    ("text", "ends"), [("", True), ("SELECT 1", False), ("SELECT 1;", True), (".views", True), ("quit", True), ("SELECT 1\n", True)]
)
def test_when_enter_ends_a_statement(text: str, ends: bool) -> None:
    assert finished(text) == ends


def test_history_is_kept_for_this_person_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    history().append_string("SELECT 1;")
    file = tmp_path / "workbench" / "sql_history"
    assert "SELECT 1;" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert isinstance(history(), InMemoryHistory)
