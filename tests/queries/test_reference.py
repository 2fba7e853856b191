"""The page of the SQL surface is what the store says of itself, and every query on it and on the front page runs."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.queries.pairs_by_hand import by_another
from workbench.batch import Batch
from workbench.cli import app
from workbench.errors import StoreError
from workbench.queries import describe, names, query
from workbench.queries.reference import COLUMNS, VIEWS, page
from workbench.store import Store, synthetic, synthetic_pairs, synthetic_translations

#: Commands of the front page that answer a question about a store.
ASKING = ("query", "sql", "find", "keyness", "collocates", "shortcuts", "clusters", "compare")
#: Two models of each kind of store, in the place of … on the front page.
TWO = {"compared-encoders": ("encoder", "other"), "compared-systems": ("strong", "weak")}
#: Questions of the front page that ask for a name which any store has another of.
IDENTIFIER = "SELECT min(identifier){} FROM documents"
NAMES = {"identifier": IDENTIFIER.format(""), "left": IDENTIFIER.format(" || ':text_a'"), "right": IDENTIFIER.format(" || ':text_b'")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demos have been: stores of labelled posts, of pairs and of translations."""
    made = tmp_path_factory.mktemp("demos")
    (made / "demo").mkdir()
    for name, batch in (
        ("relevance", synthetic.batch([f"post-{number:03}" for number in range(60)])),
        ("similarity-biomedical", synthetic_pairs.pairs([f"p{number:02}" for number in range(20)])),
        ("translation-contributions", synthetic_translations.translations([f"t{number}" for number in range(6)], model="strong")),
    ):
        with Store.open(made / "demo" / f"{name}.duckdb", "write") as store:
            store.append(batch, 1)
            for table in ("document", "prediction"):
                store.connection.execute(f"UPDATE kept.{table} SET label = 'religious' WHERE label = 'personal'")
    identifiers = [f"t{number}" for number in range(6)]
    compared = (
        ("compared-encoders", [encoded := synthetic_pairs.pairs(identifiers), by_another(encoded, TWO["compared-encoders"][1])]),
        ("compared-systems", [synthetic_translations.translations(identifiers, model=model) for model in TWO["compared-systems"]]),
        ("searched", [searched(identifiers)]),
    )
    for name, batches in compared:
        with Store.open(made / "demo" / f"{name}.duckdb", "write") as store:
            for batch in batches:
                store.append(batch, 1)
    (made / "relevance.duckdb").hardlink_to(made / "demo" / "relevance.duckdb")
    return made


def searched(identifiers: list[str]) -> Batch:
    """Pairs of a query and a passage that was found for it, as a search leaves them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(synthetic_pairs, "ROLES", ("query", "passage"))
        batch = synthetic_pairs.pairs(identifiers)
    about = [json.dumps({"query": f"q{number % 2}", "passage": name, "rank": str(number // 2)}) for number, name in enumerate(identifiers)]
    return Batch({**batch.frames, "document": batch["document"].with_columns(metadata=pl.Series(about))})


@pytest.fixture(scope="module")
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text("utf-8")


def test_the_page_is_up_to_date_and_names_every_view_and_column(repository: Path, folder: Path) -> None:
    written = (repository / "workbench" / "queries" / "SQL.md").read_text("utf-8")
    assert written == page(), "make it anew: workbench sql --reference > workbench/queries/SQL.md"
    with Store.open(folder / "demo" / "relevance.duckdb") as store:
        for view, meaning in store.sql(VIEWS).iter_rows():
            assert f"### {view}\n" in written
            assert meaning
        for view, name, _, meaning in store.sql(COLUMNS).iter_rows():
            section = written.split(f"### {view}\n")[1].split("\n### ")[0]
            assert f"| `{name}` |" in section
            assert meaning
    assert all(f"| `{name}` |" in written for name in names())


def test_every_statement_of_the_page_runs_and_most_have_answers(repository: Path, folder: Path) -> None:
    written = (repository / "workbench" / "queries" / "SQL.md").read_text("utf-8")
    statements = re.findall(r"```sql\n(.*?)```", written, flags=re.DOTALL)
    assert len(statements) >= 12
    answered = set()
    for path in sorted((folder / "demo").glob("*.duckdb")):
        with Store.open(path) as store:
            answered |= {number for number, statement in enumerate(statements) if len(store.sql(statement))}
    assert len(answered) >= len(statements) - 3, "empty: no run, no negation, no faithfulness in these stores"


def console(text: str) -> list[list[str]]:
    """The commands of console blocks that ask a store, as arguments; comments left out."""
    lines = [line for block in re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL) for line in block.splitlines()]
    commands = [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]
    return [command[1:] for command in commands if Path(command[0]).name == "workbench" and command[1] in ASKING]


def test_every_query_of_the_front_page_runs(readme: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    commands = console(readme)
    assert len(commands) >= 7
    for command in commands:
        quick = {"keyness": ["--permutations", "99", "--shuffles", "1"], "collocates": ["--permutations", "99", "--controls", "1"]}
        model = ["--model", "ensemble"] if command[0] in ("find", "keyness", "collocates") and "~>" not in " ".join(command) else []
        answer = CliRunner().invoke(app, [*command, *quick.get(command[0], []), *model], catch_exceptions=False)
        assert answer.exit_code == 0, command
        assert "trust: " in answer.stderr, command


def test_every_question_of_the_front_page_is_answered(readme: str, folder: Path) -> None:
    tables = re.findall(r"^\| question \| \|\n\| *---.*?\n(.*?)\n\n", readme, flags=re.DOTALL | re.MULTILINE)
    cells = [line.split(" | ", 1)[1] for table in tables for line in table.splitlines()]
    texts = [text for cell in cells for text in re.findall(r"`(?:workbench query )?([^`]+)`", cell)]
    asked = [words for text in texts if (words := text.split())[0] in set(names())]
    assert {words[0] for words in asked} >= {"retrieval", "model_difference", "translation_difference", "alignments"}
    answered: set[str] = set()
    for path in sorted((folder / "demo").glob("*.duckdb")):
        with Store.open(path) as store:
            for words in asked:
                if " ".join(words) in answered:
                    continue
                with suppress(StoreError):
                    if len(query(store, words[0], **given(store, path.stem, words))):
                        answered.add(" ".join(words))
    assert {" ".join(words) for words in asked} == answered


def given(store: Store, name: str, words: list[str]) -> dict[str, object]:
    """What a question of the front page is asked with: its settings, a model for each …, and a name of this store where one is needed."""
    known = describe(words[0]).parameters
    found: dict[str, object] = dict(word.split("=", 1) for word in words if "=" in word)
    models = iter(TWO.get(name, ("", "")))
    found |= {key: next(models) for key, value in found.items() if value == "…"}
    for one in known:
        if one.required and one.name not in found:
            found[one.name] = store.sql(NAMES[one.name]).item()
    return found | ({"resamples": 20} if any(one.name == "resamples" for one in known) else {})
