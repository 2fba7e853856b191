"""Reading verbs at the terminal: what a person sees of a store, and what is said of one that is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from workbench.cli import app
from workbench.cli.read import setting
from workbench.errors import InputError
from workbench.store import Store, synthetic, synthetic_pairs


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 20 synthetic documents."""
    path = tmp_path_factory.mktemp("cli") / "store.duckdb"
    with Store.open(path, "write") as opened:
        opened.append(synthetic.batch([f"d{number:03}" for number in range(20)]), 1)
    return path


def run(*arguments: str | Path) -> str:
    """What a command prints; its error is raised."""
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    assert all(cell_len(line) <= 100 for line in answer.output.splitlines())
    return answer.output


def table(*arguments: str | Path) -> str:
    """What a person sees of an answer."""
    return run(*arguments, "--format", "table")


def test_questions_are_listed_and_answered(store: Path) -> None:
    listed = run("query")
    assert "top_terms" in listed
    assert "concordance" in listed
    rows = json.loads(machine("query", "top_terms", "--set", "limit=2", "--store", store, "--format", "json"))
    assert {row["side"] for row in rows} == {"for", "against"}
    assert "1 of" in table("query", "top_terms", "--limit", "1", "--store", store)


def test_a_question_loads_nothing_that_only_computing_needs(store: Path) -> None:
    program = "import sys\nfrom workbench.cli import main\ntry:\n    main()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    asked = [sys.executable, "-c", program, "query", "top_terms", "--store", str(store)]
    child = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    assert child.stdout.startswith("model,")
    heavy = {"torch", "transformers", "spacy", "sentence_transformers", "scipy", "sklearn", "altair", "fsspec", "tenacity", "http.client"}
    assert heavy.isdisjoint(child.stderr.split())


@pytest.mark.parametrize("name", ["conservation", "heads", "residual", "softmax_by_layer", "positions"])
def test_layers_and_components_fit_the_terminal(store: Path, name: str) -> None:
    assert "first" in table("query", name, "--store", store)


def test_a_neuron_is_asked_about(store: Path) -> None:
    assert "document" in table("query", "neurons", "--set", "layer=1", "--set", "unit=1", "--store", store)


def machine(*arguments: str | Path) -> str:
    """What a command prints on standard output for other programs, of any width."""
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert answer.exit_code == 0
    return answer.stdout


def test_a_concordance_shows_the_word_between_its_neighbours(store: Path) -> None:
    with Store.open(store) as opened:
        form = str(opened.sql("SELECT form FROM words WHERE word = 1 ORDER BY document LIMIT 1")["form"][0])
    assert f"[{form}]" in table("query", "concordance", "--set", f"term={form}", "--set", "limit=2", "--store", store)


def test_a_document_is_shown_word_by_word(store: Path) -> None:
    output = table("show", "d003", "--store", store)
    assert "d003" in output
    assert "words by relevance" in output
    with pytest.raises(InputError, match="no such document"):
        run("show", "nobody", "--store", store)


def test_tables_leave_the_store_whole(store: Path, tmp_path: Path) -> None:
    for ending in ("csv", "jsonl", "parquet"):
        target = tmp_path / f"words.{ending}"
        written = CliRunner().invoke(app, ["export", "words", str(target), "--store", str(store)])
        assert f"rows written to {target}" in written.stderr
        assert written.stdout == ""
        assert target.stat().st_size > 0
    with pytest.raises(InputError, match="no view or question"):
        run("export", "words; DROP TABLE x", tmp_path / "x.csv", "--store", store)


def test_a_setting_is_a_name_and_a_value() -> None:
    assert setting("term=a=b") == ("term", "a=b")
    with pytest.raises(InputError, match="name=value"):
        setting("term")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 12 synthetic pairs of texts."""
    path = tmp_path_factory.mktemp("cli") / "pairs.duckdb"
    with Store.open(path, "write") as opened:
        opened.append(synthetic_pairs.pairs([f"p{number:03}" for number in range(12)]), 1)
    return path


def test_a_pair_of_texts_is_shown_with_the_words_that_carry_it(pairs: Path) -> None:
    output = table("show", "p003", "--store", pairs)
    with Store.open(pairs) as opened:
        pair = opened.sql("FROM pairs WHERE identifier = 'p003'").row(0, named=True)
        cells = opened.sql("SELECT left_form, right_form, relevance FROM interactions WHERE explanation = $1", [pair["explanation"]])
    assert pair["left_text"] in output
    assert pair["right_text"] in output
    assert "interactions of words" in output
    best = cells.drop_nulls().sort(cells.drop_nulls()["relevance"].abs(), descending=True).row(0)
    assert f"{best[0]} × {best[1]}" in output
    shown = json.loads(machine("show", "p003", "--store", pairs, "--format", "json"))
    assert sum(cell["relevance"] for cell in shown) == pytest.approx(pair["similarity"], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("similarities", []), ("pos_pairs", []), ("matched_by", []), ("insensitivity_parts", []), ("strongest_interactions", ["limit=3"]),
        ("all_pairs", ["by=lemma", "minimum=1"]), ("top_interactions", ["k=3"]), ("pair", ["identifier=p003"]),
        ("pair_interactions", ["left=p003:text_a", "right=p005:text_b"]),
    ],
)  # fmt: skip
def test_questions_about_pairs_fit_the_terminal(pairs: Path, name: str, settings: list[str]) -> None:
    output = table("query", name, *(part for text in settings for part in ("--set", text)), "--store", pairs)
    assert ("×" in output) == (name not in ("similarities", "pos_pairs", "matched_by", "insensitivity_parts"))
