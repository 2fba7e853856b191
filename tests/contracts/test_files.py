"""Files that can be read at a sitting, and nothing of one machine in them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

LONGEST = 300
#: Folders that only one person's machine has.
MACHINE = re.compile(r"(?<![\w.…\-*\]})])/(?:work|home|root|Users|farm|mnt)/[\w.]")


@pytest.fixture(scope="module")
def tracked(repository: Path) -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := repository / name).is_file()]


def test_files_can_be_read_at_a_sitting(tracked: list[Path], repository: Path) -> None:
    lengths = {
        path.relative_to(repository).as_posix(): len(path.read_bytes().splitlines()) for path in tracked if path.suffix in (".py", ".sql")
    }
    assert len(lengths) > 20
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_paths_of_one_machine(tracked: list[Path], repository: Path) -> None:
    found = []
    for path in tracked:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(repository)}: {match[0]}" for match in MACHINE.finditer(text)]
    assert found == []


def test_the_pattern_finds_such_paths() -> None:
    assert MACHINE.search("see /" + "work/data")
    assert MACHINE.search('"/' + 'home/someone/x"')
    assert not MACHINE.search("pipeline/" + "work/frames.py")


def test_no_file_is_named_utils(tracked: list[Path]) -> None:
    assert [path.name for path in tracked if path.stem in ("utils", "util", "helpers", "misc", "common")] == []
