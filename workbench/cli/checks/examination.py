"""All checks of a machine, in the order in which a person would mend things."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from workbench.cli.checks import libraries, surroundings
from workbench.cli.checks.finding import Finding


def examine(store: Path | None = None, tokens: int = 1_000_000) -> list[Finding]:
    """Findings of all checks; libraries are loaded in child processes, two at a time, so that a broken one harms only its own line."""
    checks: list[Callable[[], Finding]] = [
        libraries.python,
        libraries.torch,
        libraries.torchvision,
        libraries.transformers,
        partial(libraries.present, "pyarrow", (24,)),
        partial(libraries.present, "polars", (2, 1), (3,)),
        partial(libraries.present, "duckdb", (2, 0), (3,)),
        libraries.spacy,
        surroundings.mirror,
        partial(surroundings.disk, store.parent if store else Path(), tokens),
    ]
    if store is not None:
        checks.append(partial(surroundings.store_holder, store))
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda check: check(), checks))
