"""Slots by calendar and by elapsed time, on days that have 23 and 25 hours too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from workbench.pipeline.schedule.slots import MOST, Slots, slots_of

BERLIN = ZoneInfo("Europe/Berlin")


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN).astimezone(UTC)


def run_of(slots: Slots, since: datetime, count: int) -> list[str]:
    return [f"{slot.astimezone(BERLIN):%d %H:%M %z}" for slot in islice(slots._after(since), count)]


@pytest.mark.parametrize("every", ["30 2 * * *", "1 day"])
def test_a_daily_slot_comes_once_a_day_when_clocks_change(every: str) -> None:
    slots = slots_of(every, "02:30", "Europe/Berlin")
    assert run_of(slots, local(2026, 3, 28, 0, 0), 3) == ["28 02:30 +0100", "29 03:00 +0200", "30 02:30 +0200"]
    assert run_of(slots, local(2026, 10, 24, 0, 0), 3) == ["24 02:30 +0200", "25 02:30 +0200", "26 02:30 +0100"]


def test_hours_are_elapsed_time_when_clocks_change() -> None:
    for every in ("1 hour", "0 * * * *"):
        slots = slots_of(every, timezone="Europe/Berlin")
        night = list(islice(slots._after(local(2026, 10, 25, 0, 30)), 6))
        assert {after - before for before, after in pairwise(night)} == {timedelta(hours=1)}
    assert run_of(slots_of("6 hours", timezone="Europe/Berlin"), local(2026, 3, 28, 23, 0), 2) == ["29 01:00 +0100", "29 08:00 +0200"]


def test_spans_of_days_weeks_and_months_keep_their_rhythm() -> None:
    three = slots_of("3 days", "04:00", "Europe/Berlin")
    whole = list(islice(three._after(local(2026, 1, 1)), 60))
    assert {(after.astimezone(BERLIN).date() - before.astimezone(BERLIN).date()).days for before, after in pairwise(whole)} == {3}
    assert {slot.astimezone(BERLIN).hour for slot in whole} == {4}
    assert list(islice(three._after(whole[9]), 1)) == [whole[10]]  # counted from a fixed day, not from when one looks
    weeks = [slot.astimezone(BERLIN) for slot in islice(slots_of("2 weeks", timezone="Europe/Berlin")._after(local(2026, 1, 1)), 3)]
    assert [slot.weekday() for slot in weeks] == [0, 0, 0]
    assert (weeks[1].date() - weeks[0].date()).days == 14
    months = [slot.astimezone(BERLIN) for slot in islice(slots_of("1 month", timezone="Europe/Berlin")._after(local(2026, 1, 15)), 3)]
    assert [(slot.month, slot.day) for slot in months] == [(2, 1), (3, 1), (4, 1)]


def test_what_is_due_is_counted_and_the_latest_is_found_after_years() -> None:
    slots = slots_of("1 minute", timezone="UTC")
    now = datetime(2026, 5, 5, 12, 0, 30, tzinfo=UTC)
    due = slots.due(now - timedelta(minutes=3), now)
    assert due is not None
    assert (due.count, due.slot, due.first) == (3, now.replace(second=0), now.replace(second=0) - timedelta(minutes=2))
    assert slots.due(now.replace(second=0), now) is None
    years = slots.due(now - timedelta(days=1500), now)
    assert years is not None
    assert (years.count, years.slot) == (MOST, now.replace(second=0))


@pytest.mark.parametrize(
    ("every", "zone", "said"),
    [("sometimes", None, "five fields"), ("0 days", None, "count from 1"), ("99 * * * *", None, "minute"),
     ("* * * * * *", None, "five fields"), ("1 day", "Europe/Nowhere", "Europe/Berlin")],
)  # fmt: skip
def test_what_no_one_can_keep_is_refused(every: str, zone: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        slots_of(every, timezone=zone)
