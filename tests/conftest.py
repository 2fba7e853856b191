"""What all tests share: calm settings, and the local mirror of corpora where there is one."""

from __future__ import annotations

import os
from pathlib import Path

# Before torch is imported: one thread a process, no look at the network.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import hypothesis
import pytest

REPOSITORY = Path(__file__).parents[1]

hypothesis.settings.register_profile("calm", deadline=None, derandomize="CI" in os.environ, print_blob=True)
hypothesis.settings.load_profile("calm")


def _mirror() -> Path | None:
    named = os.environ.get("WORKBENCH_MIRROR")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None


if (_found := _mirror()) is not None:
    os.environ["WORKBENCH_MIRROR"] = str(_found)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of real corpora; the test skips where there is none."""
    found = _mirror()
    if found is None:
        pytest.skip("no mirror of real corpora here: name its folder in WORKBENCH_MIRROR")
    return found
