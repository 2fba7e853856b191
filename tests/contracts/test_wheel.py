"""A wheel carries the things: corpora, pipelines, models, SQL; an installed workbench finds its own."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder


@pytest.fixture(scope="module")
def names(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    builder = WheelBuilder(str(repository))
    (wheel,) = builder.build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_things_stand_inside_the_package(names: set[str], repository: Path) -> None:
    for folder, pattern in (("corpora", "*/*.toml"), ("notebooks", "*.py"), ("pipelines", "*.toml")):
        things = [path.relative_to(repository).as_posix() for path in (repository / folder).glob(pattern)]
        assert things
        assert {f"workbench/_things/{name}" for name in things} <= names


def test_what_is_no_code_comes_along(names: set[str], repository: Path) -> None:
    package = repository / "workbench"
    ours = {f"workbench/{path.relative_to(package).as_posix()}" for ending in ("*.sql", "py.typed") for path in package.rglob(ending)}
    assert ours - names == set()
    for embedded in package.glob("*/embedded"):
        files = {
            f"workbench/{path.relative_to(package).as_posix()}"
            for path in embedded.rglob("*")
            if path.is_file() and path.parent.name != "__pycache__"
        }
        assert files - names == set()


def test_nothing_else_comes_along(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"workbench"}
    assert not [name for name in names if "__pycache__" in name or name.startswith("workbench/_things/pipelines/training")]
    assert any(name.endswith("licenses/LICENSE") for name in names)
