"""Killed within every phase and run again, a store says what an undisturbed one says."""

from __future__ import annotations

import pytest

from workbench.errors import StoreError
from workbench.store.torture import kill as torture
from workbench.store.torture.phases import PHASES


def test_kills_within_every_phase_leave_no_trace() -> None:
    reports = torture.kill(2 * len(PHASES), seed=1)
    assert [report.phase for report in reports] == list(PHASES)
    assert sum(report.kills for report in reports) == 2 * len(PHASES)
    assert sum(report.inside for report in reports) >= len(PHASES) / 2
    for report in reports:
        assert report.findings == []
        assert report.passed, report


def test_a_phase_that_there_is_not() -> None:
    with pytest.raises(StoreError, match="checkpoint"):
        torture.kill(1, phases=["lunch"])
