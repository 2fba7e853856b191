"""Killed at random moments and run again, a store says what an undisturbed one says."""

from __future__ import annotations

from workbench.store import torture


def test_twenty_kills_leave_no_trace() -> None:
    report = torture.kill(20, seed=1)
    assert report.kills == 20
    assert report.stores >= 1
    assert report.findings == []
    assert report.same_content
    assert report.clean
