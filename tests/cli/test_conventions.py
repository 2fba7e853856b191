"""Every reading verb has the same manners: the same options, rows for programs, a table for people, and what must be known beside it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import Result
from rich.cells import cell_len
from rich.text import Text
from typer.main import get_command
from typer.testing import CliRunner

from tests.patterns.corpus import tables
from tests.queries.shortcut_corpus import texts
from workbench.cli import app
from workbench.errors import WorkbenchError
from workbench.store import Store
from workbench.store.synthetic import frames

#: Each verb with a request that the store below can answer by more than two rows.
VERBS: dict[str, tuple[str, ...]] = {
    "query": ("query", "relevance_by_sentence_position", "--set", "resamples=20"),
    "sql": ("sql", "SELECT form, relevance FROM word_relevance ORDER BY ALL"),
    "find": ("find", "w1"),
    "show": ("show", "d003"),
    "export": ("export", "words"),
    "keyness": ("keyness", "a", "--permutations", "99", "--shuffles", "1", "--side", "both"),
    "collocates": ("collocates", "w1", "--permutations", "99", "--controls", "1", "--side", "both"),
    "shortcuts": ("shortcuts", "--permutations", "99", "--minimum-documents", "5"),
    "clusters": ("clusters", "--vectors", "corpus", "--terms", "10", "--minimum-size", "2"),
    "compare": ("compare", "m", "second", "--what", "documents"),
    "diff": ("diff", "1", "2", "--what", "texts"),
}
#: Verbs that ask a model again: what they answer is tested where there is one.
COMPUTING = ("counterfactual",)
#: The arguments of these are runs or sides of their own; both sides of `compare` stand in one run here.
OF_RUNS = ("diff",)
OPTIONS = {"--store", "--run", "--limit", "--format", "--out", "--sql"}
RUN = {"clusters": (), "compare": (), "diff": ()}
ENDINGS = ("csv", "json", "jsonl", "parquet", "md")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one pipeline, the second by another model."""
    path = tmp_path_factory.mktemp("conventions") / "store.duckdb"
    with Store.open(path, "write") as opened:
        for run, model in enumerate(("m", "second"), start=1):
            assert opened.begin_run("posts", {}, {}) == run
            rows = tables(texts(1, 40), model=model)
            for row in rows["explanation"]:
                row["fingerprint"] += model
            for value in rows["token_relevance"]:
                value["relevance"] *= 1 + (run - 1) * (value["token"] % 3)
            opened.append(frames(rows), run)
            opened.end_run(run, "finished", {})
    return path


def run(store: Path, verb: str, *arguments: str) -> Result:
    of_run = RUN.get(verb, ("--run", "1"))
    return CliRunner().invoke(app, [*VERBS[verb], "--store", str(store), *of_run, *arguments], catch_exceptions=False)


def rows(data: bytes, form: str) -> int:
    """How many rows an answer has; fails where it is no answer in that format."""
    if form == "parquet":
        return len(pl.read_parquet(io.BytesIO(data)))
    if form == "csv":
        return len(pl.read_csv(io.BytesIO(data), infer_schema=False))
    if form == "json":
        return len(json.loads(data))
    if form == "jsonl":
        return len([json.loads(line) for line in data.splitlines()])
    lines = data.decode().splitlines()
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    return len(lines) - 2


def test_no_reading_verb_is_forgotten() -> None:
    taken = {name for name, command in commands().items() if {"--store", "--format"} <= options(command)}
    assert taken == set(VERBS) | set(COMPUTING)


def commands() -> dict[str, object]:
    return {name: command.load() for name, command in get_command(app).commands.items()}  # type: ignore[attr-defined]


def options(command: object) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", [*VERBS, *COMPUTING])
def test_options_have_the_same_names_everywhere(verb: str) -> None:
    assert OPTIONS - ({"--run"} if verb in OF_RUNS else set()) <= options(commands()[verb])


@pytest.mark.parametrize("verb", VERBS)
def test_rows_for_programs_a_table_for_people_and_sql(store: Path, tmp_path: Path, verb: str) -> None:
    form, target = ENDINGS[list(VERBS).index(verb) % len(ENDINGS)], tmp_path / "answer"
    if form in ("csv", "json"):  # CSV when piped, without being asked
        answer = run(store, verb, "--limit", "2", *([] if form == "csv" else ["--format", form]))
        data = answer.stdout_bytes
    else:
        target = target.with_suffix(f".{form}")
        answer = run(store, verb, "--limit", "2", "--out", str(target))
        data = target.read_bytes()
        assert answer.stdout == ""
    assert answer.exit_code == 0
    assert rows(data, form) == 2
    said = answer.stderr.replace("\n", " ")
    assert re.search(r"\b2 of [\d,]+ (rows|hits); all: --limit 0", said)
    assert "trust: " in said
    assert "association, not cause" in said

    page = run(store, verb, "--limit", "2", "--format", "table")
    assert page.stderr == ""
    lines = [line for line in page.stdout.splitlines() if not line.startswith("  workbench ")]  # a command is copied whole
    assert all(cell_len(line) <= 100 for line in lines)
    assert "association, not cause" in " ".join(page.stdout.split())
    assert re.search(r"\b2 of [\d,]+ (rows|hits|words); all: --limit 0", page.stdout)

    statement = run(store, verb, "--sql").stdout
    assert re.search(r"\b(SELECT|FROM)\b", statement)
    duckdb.extract_statements(statement)


@pytest.mark.parametrize("verb", VERBS)
def test_what_cannot_be_is_refused_with_two(tmp_path: Path, verb: str) -> None:
    missing = CliRunner().invoke(app, [*VERBS[verb], "--store", str(tmp_path / "none.duckdb")])
    assert isinstance(missing.exception, WorkbenchError)
    assert missing.exception.exit_code == 2
    assert missing.stdout == ""
    wrong = CliRunner().invoke(app, [*VERBS[verb], "--limit", "-1"])
    assert wrong.exit_code == 2
    assert "--limit" in wrong.stderr


def test_a_gate_that_fails_ends_with_one(store: Path) -> None:
    gated = run(store, "shortcuts", "--gate", "--format", "json")
    assert gated.exit_code == 1
    assert any(row["passes"] for row in json.loads(gated.stdout))
    assert CliRunner().invoke(app, ["compare", "m", "second", "--store", str(store), "--fail-below", "1"]).exit_code == 1


def test_help_shows_the_brackets_of_patterns() -> None:
    """Help is markup: a bracket that is no mark has a backslash before it, or it is lost on the screen."""
    all_of_them = [found for command in commands().values() for found in every(command)]
    texts = [help_of(parameter) for command in all_of_them for parameter in (command, *command.params)]  # type: ignore[attr-defined]
    assert sum("[" in text for text in texts) >= 8
    assert [text for text in texts if Text.from_markup(text).plain != text.replace("\\[", "[")] == []


def help_of(subject: object) -> str:
    return str(getattr(subject, "help", None) or "")


def every(command: object) -> list[object]:
    """A command and all that stand below it."""
    return [command, *(found for child in getattr(command, "commands", {}).values() for found in every(child))]
