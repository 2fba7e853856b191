"""Studies become notebooks where a person works on them, and nothing of that person's is lost."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.cli.lab import command
from workbench.errors import InputError
from workbench.notebook import studies


def test_every_study_is_a_notebook_without_output(tmp_path: Path) -> None:
    found = list(studies.copied(tmp_path / "studies"))
    assert found
    for study, new in found:
        assert new
        notebook = json.loads((tmp_path / "studies" / f"{study.name}.ipynb").read_text("utf-8"))
        assert notebook["metadata"]["kernelspec"]["name"] == "python3"
        assert study.title != study.name
        for cell in notebook["cells"]:
            assert not cell.get("outputs")


def test_what_a_person_changed_stays(tmp_path: Path) -> None:
    name = studies.studies()[0].name
    (tmp_path / f"{name}.ipynb").write_text("mine", "utf-8")
    assert {study.name: new for study, new in studies.copied(tmp_path)}[name] is False
    assert (tmp_path / f"{name}.ipynb").read_text("utf-8") == "mine"


def test_the_command_copies_and_says_what_there_is(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["lab", str(tmp_path / "own"), "--only-copy"], catch_exceptions=False)
    assert answer.exit_code == 0
    for study in studies.studies():
        assert study.name in answer.output
        assert (tmp_path / "own" / f"{study.name}.ipynb").is_file()
    with pytest.raises(InputError, match="no study of that name"):
        CliRunner().invoke(app, ["lab", str(tmp_path), "--study", "nothing", "--only-copy"], catch_exceptions=False)


def test_the_server_is_this_environments_own_and_stays_on_this_machine(tmp_path: Path) -> None:
    found = command(tmp_path, "first_steps", browser=False, port=0)
    assert found[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={tmp_path.resolve()}" in found
    assert "--ServerApp.ip=localhost" in found
    assert "--no-browser" in found
    assert "--LabApp.default_url=/lab/tree/first_steps.ipynb" in found
