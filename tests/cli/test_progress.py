"""The time that is left: by documents, and where documents are explained by their characters, of which the longest come first."""

from __future__ import annotations

import pytest

from workbench.cli.progress import Standing
from workbench.pipeline.run import Summary


def test_what_is_left_goes_by_documents_and_in_explaining_by_characters() -> None:
    now = 100.0
    counts = Summary()
    standing = Standing(counts, clock=lambda: now)
    standing.move("annotate", 10, 50)
    assert standing.left is None
    now += 20
    standing.move("annotate", 20, 50)
    assert standing.left == pytest.approx(20 / 10 * 30)
    counts.characters_wanted = 1_000
    standing.move("explain", 0, 50)
    now += 30
    assert standing.left is None
    counts.characters = 600  # in five documents, the longest
    standing.move("explain", 5, 50)
    assert standing.left == pytest.approx(30 / 600 * 400)
    assert standing.as_data()["left_seconds"] == 20.0
    standing.move("store", 0, 1)
    now += 5
    assert standing.left is None
