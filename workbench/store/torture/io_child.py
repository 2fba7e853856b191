"""The process whose calls fail: it forks for each trial, arms the library before it and does a small run."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.errors import StoreError
from workbench.store import synthetic
from workbench.store.parts import part as one_part
from workbench.store.parts.parts import Parts
from workbench.store.prepared import Prepared
from workbench.store.store import Store

KINDS = ("write", "fsync", "rename")
#: A trial that takes longer waits for something that never comes.
SECONDS = 600
OLD, NEW = ["document-0", "document-1"], "document-2"


def stores(path: Path) -> list[Path]:
    """The stores of a trial: one that was there, one that the run makes."""
    return [path, path.with_name("new.duckdb")]


def prepare(path: Path) -> set[str]:
    """What stands before a trial; returns what it holds."""
    with Store.open(path, "write") as store:
        store.append(synthetic.batch(OLD), 1)
    return {f"{path.name} {name}" for name in OLD}


def work(path: Path, kept: Callable[[str], None]) -> None:
    """A small run: a batch, new words, snapshots, a checkpoint, a new store, a part. It can be done again."""
    old, new = stores(path)
    with Store.open(old, "write") as store:
        run = store.begin_run("torture", {}, {})
        store.publish()
        store.append(synthetic.batch([NEW]), run)
        kept(f"{old.name} {NEW}")
        store.replace_words(synthetic.batch(OLD, annotator="second"), run)
        store.checkpoint()
        store.publish()
        store.end_run(run, "finished", {})
    with Store.open(new, "write") as store:
        store.append(synthetic.failing(NEW), 1)
        kept(f"{new.name} {NEW}")
    parts = Parts(path.parent / "parts")
    parts.adopt()
    if not parts.state.parts:
        registered: dict[str, list[str]] = {"corpora": [], "models": [], "composites": []}
        numbers = parts.begin_run("torture", {}, {}, registered, documents=0, explanations=0)
        prepared = Prepared({"failure": synthetic.failing(NEW)["failure"]}, "", 0)
        parts.commit([one_part.write(parts.place, prepared, numbers, "work", {})])
    kept(f"parts {NEW}")


def holds(path: Path) -> set[str]:
    """What is there at this moment, in the words of `kept`."""
    found = set()
    for one in stores(path):
        if one.exists():
            with Store.open(one, "read", itself=True) as store:
                names = store.sql("SELECT identifier FROM documents UNION SELECT identifier FROM failures")["identifier"]
                found |= {f"{one.name} {name}" for name in names}
    place = Parts(path.parent / "parts")
    for part in place.state.parts.values():
        found |= {f"parts {name}" for name in one_part.read(place.place, part).frames["failure"]["identifier"]}
    return found


def trial(library: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """One run with a call that fails."""
    path, kept = Path(asked["path"]), list[str]()
    outcome, error = "done", ""
    library.workbench_arm(str(path.parent).encode(), KINDS.index(asked["kind"]), asked["nth"], asked["errno"], int(asked["lasting"]))
    try:
        work(path, kept.append)
    except (StoreError, OSError) as refusal:
        outcome, error = "refused", f"{type(refusal).__name__}: {refusal}"
    except BaseException as defect:  # noqa: BLE001 - whatever it is, it is no clear error
        outcome, error = "broken", f"{type(defect).__name__}: {defect}"
    calls = {kind: library.workbench_count(number) for number, kind in enumerate(KINDS)}
    fired = library.workbench_fired() > 0
    library.workbench_arm(b"", -1, 0, 0, 0)
    return {"outcome": outcome, "error": error, "kept": kept, "calls": calls, "fired": fired}


def forked(library: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """A trial in a process of its own."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # answers go there
        signal.alarm(SECONDS)
        os.write(theirs, json.dumps(trial(library, asked)).encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if answer:
        return dict(json.loads(answer))
    return {"outcome": "broken", "error": f"ended by signal {os.WTERMSIG(status)}", "kept": [], "calls": {}, "fired": True}


def main() -> None:
    """Trials asked for on standard input, one a line; answers on standard output."""
    library = ctypes.CDLL(None)
    library.workbench_arm.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_long, ctypes.c_int, ctypes.c_int]
    library.workbench_count.restype = library.workbench_fired.restype = ctypes.c_long
    for line in sys.stdin:
        sys.stdout.write(json.dumps(forked(library, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
