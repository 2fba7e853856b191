"""What is imported is declared, what is declared is imported, and what is declared is pinned."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

#: Declared for the person, or for a library of ours that needs it to hand on frames or draw pictures.
FOR_PEOPLE = {"jupyterlab", "pyarrow", "vl-convert-python", "sentence-transformers"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def project(repository: Path) -> dict[str, list[str]]:
    declared = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    return {"base": declared["dependencies"], **declared["optional-dependencies"]}


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return canonical(found[0])


def imported(folder: Path) -> dict[str, set[str]]:
    """Top-level modules that are imported anywhere in the folder, and where."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            for name in names:
                found.setdefault(name.split(".")[0], set()).add(path.relative_to(folder).as_posix())
    return {name: places for name, places in found.items() if name not in sys.stdlib_module_names and name not in ("workbench", "tests")}


def test_what_is_imported_is_declared(repository: Path) -> None:
    declared = {name_of(requirement) for name, extra in project(repository).items() if name != "dev" for requirement in extra}
    providers = packages_distributions()
    undeclared = {
        name: sorted(places)
        for name, places in imported(repository / "workbench").items()
        if not {canonical(provider) for provider in providers.get(name, [name])} & declared
    }
    assert undeclared == {}


def test_what_is_declared_is_imported(repository: Path) -> None:
    providers = packages_distributions()
    modules = {**imported(repository / "pipelines"), **imported(repository / "workbench")}
    used = {canonical(provider) for name in modules for provider in providers.get(name, [name])}
    assert {name_of(requirement) for requirement in project(repository)["base"]} - used - FOR_PEOPLE == set()


def test_everything_declared_is_pinned(repository: Path) -> None:
    pins = dict(line.split("==") for line in (repository / "constraints.txt").read_text("utf-8").split())
    wanted = {name_of(requirement) for requirements in project(repository).values() for requirement in requirements}
    assert wanted - set(map(canonical, pins)) == set()
    assert pins["torch"] == "2.13.0"  # exact and without a local part: it fits the CPU and the GPU build alike
    assert "rfc3987-syntax" not in pins  # of jsonschema from 4.25 on: every process of Ray would take a second more to begin
    assert not any(name.startswith(("nvidia", "cuda", "triton", "torchvision")) for name in pins)
