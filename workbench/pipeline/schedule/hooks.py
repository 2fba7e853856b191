"""Commands that are told how a scheduled run ended."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

#: A hook that takes longer is ended: it must not hold up the next slot.
SECONDS = 300


def call(command: Sequence[str], record: Mapping[str, Any], store: str) -> str | None:
    """Runs a hook without a shell; what happened is in its environment (WORKBENCH_STATE and so on) and, as JSON, on its standard input.

    Returns a sentence where the hook failed; that changes nothing in the state of the slot.
    """
    if not command:
        return None
    told = {
        "WORKBENCH_STATE": str(record["state"]),
        "WORKBENCH_PIPELINE": str(record["pipeline"]),
        "WORKBENCH_SLOT": str(record["slot"]),
        "WORKBENCH_STORE": store,
        "WORKBENCH_MESSAGE": str(record.get("error", "")),
    }
    try:
        ended = subprocess.run(
            list(command), input=json.dumps(record, ensure_ascii=False), env=os.environ | told,
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the hook {command[0]} did not run: {error}"
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip()[-200:]
        return f"the hook {command[0]} ended with exit code {ended.returncode}{': ' + said if said else ''}"
    return None
