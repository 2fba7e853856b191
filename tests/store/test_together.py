"""Writers and readers of one store, all at once."""

from __future__ import annotations

from workbench.store.torture.writers import together


def test_all_rows_arrive_and_refusals_name_the_holder() -> None:
    report = together(writers=3, readers=2, jobs=4)
    assert report.findings == []
    assert report.stored == report.wanted == 12
    assert report.looks > 0
    assert report.passed
