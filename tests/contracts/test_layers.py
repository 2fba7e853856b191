"""Imports only go down, and the light half starts without the heavy libraries."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

LIGHT = ["workbench", "workbench.cli", "workbench.corpora", "workbench.store", "workbench.queries", "workbench.viz"]
HEAVY = {"torch", "transformers", "spacy", "sentence_transformers", "captum", "sklearn"}


def child(program: str, repository: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=repository, timeout=120, check=False)


def test_imports_only_go_down(repository: Path) -> None:
    answer = child("import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))", repository)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("room", LIGHT)
def test_light_rooms_load_nothing_heavy(room: str, repository: Path) -> None:
    if importlib.util.find_spec(room) is None:
        pytest.fail(f"{room} is not there")
    answer = child(f"import sys, {room}; print(*sys.modules)", repository)
    assert answer.returncode == 0, answer.stderr
    assert HEAVY & set(answer.stdout.split()) == set()


def test_the_package_itself_loads_nothing_at_all(repository: Path) -> None:
    answer = child("import sys; before = set(sys.modules); import workbench; print(*(set(sys.modules) - before))", repository)
    assert {name.split(".")[0] for name in answer.stdout.split()} <= {"workbench", *sys.stdlib_module_names}


def test_public_names_resolve(repository: Path) -> None:
    program = "import workbench; [getattr(workbench, name) for name in workbench.__all__]; print(len(workbench.__all__))"
    answer = child(program, repository)
    assert answer.returncode == 0, answer.stderr
    assert 6 <= int(answer.stdout) <= 36


def test_unknown_public_name_lists_the_known_ones() -> None:
    import workbench

    with pytest.raises(AttributeError, match="no attribute 'nothing'; public names: "):
        workbench.nothing  # noqa: B018
