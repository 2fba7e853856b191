"""SQL cells, charts and errors in a notebook, in a shell of the tests' own process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import RichOutput, capture_output
from traitlets.config import Config

from workbench.errors import StoreError
from workbench.notebook import drawing
from workbench.store import Store, synthetic


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("magic") / "store.duckdb"
    with Store.open(found, "write") as opened:
        opened.append(synthetic.batch([f"d{number}" for number in range(6)]), opened.begin_run("one", {}, {}))
    return found


@pytest.fixture(scope="module")
def one_shell() -> Iterator[InteractiveShell]:
    config = Config()
    config.HistoryManager.enabled = False
    yield InteractiveShell.instance(config=config)
    InteractiveShell.clear_instance()
    alt.renderers.enable("default")


@pytest.fixture
def shell(one_shell: InteractiveShell, path: Path) -> InteractiveShell:
    one_shell.run_line_magic("reload_ext", "workbench")  # which forgets the store that was asked last
    one_shell.user_ns |= {"store": str(path), "label": "it's political", "least": 3}
    return one_shell


def shown(shell: InteractiveShell, line: str, cell: str) -> list[RichOutput]:
    with capture_output() as captured:
        shell.run_cell_magic("sql", line, cell)
    return list(captured.outputs)


def test_a_cell_shows_its_answer_and_how_far_to_trust_it(shell: InteractiveShell) -> None:
    frame, beside = shown(shell, "store >> kept", "SELECT upos, count(*) AS words FROM words GROUP BY upos ORDER BY upos")
    assert "NOUN" in frame.data["text/html"]
    assert "association, not cause" in beside.data["text/html"]
    assert isinstance(shell.user_ns["kept"], pl.DataFrame)
    assert shell.user_ns["kept"].columns == ["upos", "words"]


def test_variables_are_values_never_sql(shell: InteractiveShell) -> None:
    shown(shell, "store >> kept", "SELECT $label AS label, $least + 1 AS more")
    assert shell.user_ns["kept"].row(0) == ("it's political", 4)
    with pytest.raises(StoreError, match=r"\$nothing, and no variable"):
        shell.run_cell_magic("sql", "store", "SELECT $nothing")
    shell.user_ns["odd"] = object()
    with pytest.raises(StoreError, match="which is a object"):
        shell.run_cell_magic("sql", "store", "SELECT $odd")


def test_the_store_is_a_variable_a_path_or_the_last_one(shell: InteractiveShell, path: Path) -> None:
    with pytest.raises(UsageError, match="which store"):
        shell.run_cell_magic("sql", "", "SELECT 1")
    with Store.open(path, "read") as opened:
        shell.user_ns["opened"] = opened
        assert len(shown(shell, "opened", "SELECT 1 AS one")) == 2
    assert len(shown(shell, "", "SELECT 1 AS one")) == 2
    shell.user_ns["number"] = 7
    with pytest.raises(UsageError, match="number is a int"):
        shell.run_cell_magic("sql", "number", "SELECT 1")
    with pytest.raises(UsageError, match="write >> NAME"):
        shell.run_cell_magic("sql", "store >> 1st", "SELECT 1")
    with pytest.raises(UsageError, match="unrecognized arguments"):
        shell.run_cell_magic("sql", "store --fast", "SELECT 1")
    with pytest.raises(UsageError, match="no statement"):
        shell.run_cell_magic("sql", "store", " ")


def test_a_cut_is_said(shell: InteractiveShell) -> None:
    _, beside = shown(shell, "store --limit 2", "SELECT * FROM words")
    assert "2 of" in beside.data["text/html"]
    assert "--limit 0" in beside.data["text/html"]


def test_a_line_gives_the_frame(shell: InteractiveShell) -> None:
    found = shell.run_line_magic("sql", "store SELECT count(*) AS n FROM documents")
    assert found.row(0) == (6,)
    found = shell.run_line_magic("sql", "store SELECT $label AS label")  # a value here too: the shell puts no text in its place
    assert found.row(0) == ("it's political",)


def test_nothing_can_be_changed(shell: InteractiveShell, path: Path) -> None:
    for hostile in ("DROP VIEW words", "COPY words TO 'out.csv'", "ATTACH 'other.duckdb'"):
        with pytest.raises(StoreError):
            shell.run_cell_magic("sql", "store", hostile)
    with Store.open(path, "read") as opened:
        assert len(opened.sql("FROM documents")) == 6


def test_errors_are_told_without_a_stack(shell: InteractiveShell) -> None:
    with capture_output() as captured:
        result = shell.run_cell("%%sql store\nSELECT * FROM nowhere")
    assert not result.success
    page = "".join(output.data.get("text/html", "") for output in captured.outputs)
    assert "<b>found</b>" in page
    assert "nowhere" in page
    assert "Traceback" not in captured.stdout


def test_charts_are_ink_on_paper(shell: InteractiveShell) -> None:
    assert alt.renderers.active == drawing.NAME
    chart: Any = alt.Chart(pl.DataFrame({"word": ["কাক", "b"], "mean": [1.0, -2.0]})).mark_bar().encode(x="mean:Q", y="word:N")
    picture = chart.configure_axis(labelColor="currentColor")._repr_mimebundle_(None, None)
    data = picture[0] if isinstance(picture, tuple) else picture
    assert "কাক" in data["image/svg+xml"]
    assert drawing.INK in data["image/svg+xml"]
    assert "currentColor" not in data["image/svg+xml"]
