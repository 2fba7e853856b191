from __future__ import annotations

import errno
import re
import resource
import subprocess
import sys

import pytest

from workbench.cli import application
from workbench.cli.commands import COMMANDS
from workbench.cli.deferred import Deferred
from workbench.cli.failure import as_error
from workbench.errors import StoreError

#: What the command line loads of itself before it knows which command is meant.
OWN = {"application", "commands", "deferred", "failure"}
HEAVY = {"torch", "transformers", "spacy", "polars", "duckdb", "numpy", "pydantic", "scipy", "altair"}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "workbench", *arguments], capture_output=True, text=True, timeout=60, check=False)


def end_of_main(monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> int:
    def command() -> None:
        raise failure

    monkeypatch.setattr(application, "app", command)
    with pytest.raises(SystemExit) as leaving:
        application.main()
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


def test_help_names_every_command() -> None:
    answer = run("--help")
    assert answer.returncode == 0
    assert [line.split()[1] for line in answer.stdout.partition("Commands")[2].splitlines() if re.match(r"│ \w", line)] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_of_a_command_what_it_says_itself(name: str) -> None:
    place, sentence = COMMANDS[name]
    command = Deferred(name, place, sentence).load()
    assert command.name == name
    assert " ".join((command.help or "").split("\n\n")[0].split()) == sentence


def test_help_loads_nothing_heavy() -> None:
    program = """
import sys
sys.argv = ["workbench", "--help"]
from workbench.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(child.stderr.split())
    assert HEAVY.isdisjoint(loaded)
    assert "typer" in loaded
    assert {name for name in loaded if name.startswith("workbench.cli.")} == {f"workbench.cli.{own}" for own in OWN}


def test_help_comes_at_once() -> None:
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.35  # processor seconds; on an idle machine 0.2 seconds of waiting


def test_version_is_the_package_version() -> None:
    from importlib.metadata import version

    assert run("--version").stdout == f"workbench {version('workbench-nlp')}\n"


def test_wrong_usage_is_explained() -> None:
    answer = run("corpus", "shwo")
    assert answer.returncode == 2
    assert "No such command" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_unknown_corpus_is_one_clear_answer() -> None:
    answer = run("corpus", "show", "no-such-corpus")
    assert answer.returncode == 2
    assert [line.split()[0] for line in answer.stderr.splitlines() if not line.startswith(" ")] == ["asked", "found", "do"]
    assert "Traceback" not in answer.stderr


def test_reader_that_goes_away_is_quiet() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "workbench", "corpus", "list", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    complaint = child.stderr.read()
    child.stderr.close()
    child.wait(timeout=60)
    assert complaint == b""


def test_errors_show_what_was_asked_found_and_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code = end_of_main(monkeypatch, StoreError("open the store [bold]x\x1b[2J", "no file \ud800 there", "make one"))
    assert code == 2
    shown = capsys.readouterr().err
    assert "asked open the store [bold]x␛[2J" in shown  # neither markup nor control characters act
    assert "found no file \\ud800 there" in shown
    assert "do    make one" in shown


def test_interruption_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    assert end_of_main(monkeypatch, KeyboardInterrupt()) == 130


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOENT, errno.EISDIR])
def test_failures_of_the_system_are_answers(number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert end_of_main(monkeypatch, OSError(number, "what the system says", "some/file")) == 2
    assert "found what the system says: some/file" in capsys.readouterr().err


def test_no_memory_is_an_answer() -> None:
    error = as_error(MemoryError())
    assert error is not None
    assert "smaller batches" in error.remedy


def test_a_defect_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def command() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(application, "app", command)
    with pytest.raises(ZeroDivisionError):
        application.main()
