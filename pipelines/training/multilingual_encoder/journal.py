"""What was done to a folder of training: seed, steps, what was reached and CPU seconds of each stage, for the card."""

from __future__ import annotations

import json
import time
from pathlib import Path


def note(out: Path, stage: str, **facts: int | bool | dict[str, float]) -> None:
    """Writes the facts of a stage, and the CPU seconds of this process, to journal.json; a stage done again replaces its facts."""
    path = out / "journal.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept[stage] = facts | {"cpu_seconds": round(time.process_time())}
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
