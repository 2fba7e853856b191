from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli import app, checks
from workbench.cli.checks import Finding, libraries, surroundings
from workbench.cli.checks.finding import in_child


def plant(folder: Path, name: str, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library of that name that child processes, and this one, find before the real one."""
    (folder / f"{name}.py").write_text(content, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(str(folder))


@pytest.fixture(scope="module")
def findings() -> dict[str, Finding]:
    return {finding.check: finding for finding in checks.examine()}


def test_this_machine_is_fit(findings: dict[str, Finding]) -> None:
    assert [finding for finding in findings.values() if finding.state == "broken"] == []
    assert {"Python", "torch", "torchvision", "transformers", "pyarrow", "duckdb", "spaCy", "disk", "mirror"} <= set(findings)


def test_torch_names_its_build_and_device(findings: dict[str, Finding]) -> None:
    assert "runs on" in findings["torch"].found
    assert "CUDA" in findings["torch"].found


def test_old_python_is_broken() -> None:
    found = libraries.python((3, 10, 14))
    assert found.state == "broken"
    assert found.found.startswith("3.10.14")


def test_torchvision_of_another_torch_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "torchvision", "raise RuntimeError('operator torchvision::nms does not exist')", monkeypatch)
    found = libraries.torchvision()
    assert found.state == "broken"
    assert "nms does not exist" in found.found
    assert found.remedy == "pip uninstall torchvision"


def test_fitting_torchvision_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "torchvision", "__version__ = '9.9'", monkeypatch)
    assert libraries.torchvision() == Finding("torchvision", "ok", "9.9, fits")


def test_transformers_that_does_not_load_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "transformers", "raise ImportError('half an installation')", monkeypatch)
    found = libraries.transformers()
    assert (found.state, found.found) == ("broken", "ImportError: half an installation")


@pytest.mark.parametrize(
    ("version", "build", "cuda", "state"),
    [
        ("2.13.0", "13.0", False, "note"),
        ("2.13.0", "13.0", True, "ok"),
        ("2.5.1", None, False, "broken"),
        ("2.13.0+cpu", None, False, "ok"),
    ],
)
def test_builds_of_torch(version: str, build: str | None, cuda: bool, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = f"""
from types import SimpleNamespace as Space
__version__ = {version!r}
version = Space(cuda={build!r})
cuda = Space(is_available=lambda: {cuda}, get_device_name=lambda index: 'a GPU')
backends = Space(mps=Space(is_available=lambda: False))
"""
    plant(tmp_path, "torch", fake, monkeypatch)
    assert libraries.torch().state == state


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("__version__ = '1.4.1'", "1.4.1, but duckdb>=2.0,<3 is needed"),
        ("__version__ = '3.0.0'", "3.0.0, but duckdb>=2.0,<3 is needed"),
        ("raise ImportError('no such symbol')", "ImportError: no such symbol"),
        ("import os; os.abort()", "the process ended with code -6"),
    ],
)
def test_duckdb_that_does_not_do(content: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "duckdb", content, monkeypatch)
    found = libraries.present("duckdb", (2, 0), (3,))
    assert (found.state, found.found) == ("broken", expected)
    assert found.remedy


def test_missing_library_is_broken() -> None:
    found = libraries.present("no_such_library", (1,))
    assert found.state == "broken"
    assert "No module named" in found.found


def test_damaged_embedded_pipeline_is_broken(tmp_path: Path) -> None:
    (tmp_path / "xx").mkdir()
    (tmp_path / "xx" / "meta.json").write_text('{"lang": "xx", "name": "cut", "pipeline": ["tagger"]}', encoding="utf-8")
    assert libraries.spacy(tmp_path).state == "broken"


def test_mirror_that_is_not_there_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_MIRROR", str(tmp_path / "nowhere"))
    assert surroundings.mirror().state == "broken"
    monkeypatch.setenv("WORKBENCH_MIRROR", str(tmp_path))
    assert surroundings.mirror() == Finding("mirror", "ok", str(tmp_path))
    monkeypatch.delenv("WORKBENCH_MIRROR")
    assert surroundings.mirror().state == "ok"


def test_small_disk_is_broken(tmp_path: Path) -> None:
    assert surroundings.disk(tmp_path / "not" / "yet", 10).state == "ok"
    found = surroundings.disk(tmp_path, 10**15)
    assert found.state == "broken"
    assert "1,000,000,000,000,000 tokens" in found.found


def test_stores_that_cannot_be_opened(tmp_path: Path) -> None:
    assert surroundings.store_holder(tmp_path / "none.duckdb").state == "note"
    foreign = tmp_path / "foreign.duckdb"
    foreign.write_text("this is a letter, not a database", encoding="utf-8")
    found = surroundings.store_holder(foreign)
    assert found.state == "broken"
    assert found.remedy


def test_holder_of_a_store_is_named(tmp_path: Path) -> None:
    from workbench.store import Store

    path = tmp_path / "held.duckdb"
    with Store.open(path, mode="write"):
        pass
    assert surroundings.store_holder(path).state == "ok"
    program = "import sys, duckdb; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        found = surroundings.store_holder(path)
        holder.communicate("")
    assert found.state == "note"
    assert str(holder.pid) in found.found


def test_child_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.cli.checks.finding.SECONDS", 0.2)
    assert in_child("import time; time.sleep(30)") == (False, "no answer in 0.2 seconds")


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("note", 0), ("broken", 1)])
def test_exit_code_and_json(state: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "examine", lambda store, tokens: [Finding("roof", state, "what is there", "what to do")])  # type: ignore[arg-type]
    answer = CliRunner().invoke(app, ["doctor", "--json"])
    assert answer.exit_code == code
    told = json.loads(answer.stdout)
    assert told["fit"] is (code == 0)
    assert told["findings"] == [{"check": "roof", "state": state, "found": "what is there", "remedy": "what to do"}]


def test_table_fits_a_hundred_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(checks, "examine", lambda store, tokens: [Finding("roof", "broken", "leaks " * 60, "mend it " * 30)])
    answer = CliRunner().invoke(app, ["doctor"])
    assert answer.exit_code == 1
    assert max(map(len, answer.stdout.splitlines())) <= 100
    assert "→ mend it" in answer.stdout
