"""What one check found, and a child process to find it in."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Literal

SECONDS = 120


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination: ok, note (works, but know this) or broken; a remedy where there is one."""

    check: str
    state: Literal["ok", "note", "broken"]
    found: str
    remedy: str = ""


def in_child(program: str, *arguments: str) -> tuple[bool, str]:
    """Run a line of Python in a process of its own: whether it went well, and its output or the last line of its complaint.

    A library that is broken can end a process, not only raise; here it ends the child.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer in {SECONDS} seconds"
    if child.returncode == 0:
        return True, child.stdout.strip()
    said = child.stderr.strip().splitlines()
    return False, (said[-1] if said else f"the process ended with code {child.returncode}")[:300]
