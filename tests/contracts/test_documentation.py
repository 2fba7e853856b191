"""The front page says what is there: every command, every public name, the version."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench.cli.commands import COMMANDS
from workbench.cli.deferred import Deferred


def commands() -> Iterator[tuple[str, str]]:
    """Name and help of every command, groups included."""
    for name, (place, sentence) in COMMANDS.items():
        command = Deferred(name, place, sentence).load()
        below = getattr(command, "commands", None)
        for part, one in below.items() if below else [("", command)]:
            yield f"{name} {part}".strip(), one.help or ""


def example(repository: Path) -> ast.Module:
    blocks = re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text("utf-8"), flags=re.DOTALL)
    assert len(blocks) == 1
    return ast.parse(blocks[0])


def test_every_command_stands_in_the_readme(repository: Path) -> None:
    page = (repository / "README.md").read_text("utf-8")
    documented = set(re.findall(r"`workbench ([a-z]+)", page))
    assert {name.split()[0] for name, _ in commands()} - documented == set()
    for name, _ in commands():
        assert name.split()[-1] in page, name


def test_every_command_says_what_it_does() -> None:
    assert [name for name, text in commands() if not text.strip().endswith(".")] == []


def test_the_readme_names_no_command_that_is_not_there(repository: Path) -> None:
    documented = set(re.findall(r"`workbench ([a-z]+)", (repository / "README.md").read_text("utf-8")))
    assert documented - {name.split()[0] for name, _ in commands()} == set()


def test_the_ten_lines_use_public_names(repository: Path) -> None:
    imports = [node for node in ast.walk(example(repository)) if isinstance(node, ast.ImportFrom) and node.module == "workbench"]
    names = {alias.name for node in imports for alias in node.names}
    assert names
    assert names - set(workbench.__all__) == set()


def test_the_ten_lines_are_ten(repository: Path) -> None:
    source = ast.unparse(example(repository))
    assert len([line for line in source.splitlines() if line.strip()]) <= 10


def test_the_changelog_tells_of_this_version(repository: Path) -> None:
    version = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    versions = re.findall(r"^## (\S+)", (repository / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    assert versions[0] == version == workbench.__version__


def test_the_ten_lines_run(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (repository / "workbench" / "models" / "embedded" / "bengali-hate").is_dir():
        pytest.skip("the embedded ensemble is not there")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    with workbench.Store.open(tmp_path / "demo" / "relevance.duckdb", mode="write"):
        pass  # the store that `make demo` leaves behind, here without its content
    left: dict[str, Any] = {}
    exec(compile(example(repository), "README.md", "exec"), left)
    assert len(left["explained"]) > 10
    for explained in left["explained"]:
        assert explained.words["relevance"].sum() == pytest.approx(explained.ledger.accounts["tokens"], abs=1e-4)
        assert explained.ledger.relative_gap < 1e-4
