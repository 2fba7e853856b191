"""Slots: the moments at which a pipeline is due, by the calendar of a time zone or by elapsed time.

A daily slot comes once a day, also on the day on which its hour is skipped or comes twice (the rule of Debian's cron, which cronsim
keeps): where the hour is skipped the slot is the first moment after the gap, where it comes twice the first of both. Hourly slots follow
elapsed time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

SECONDS = {"second": 1, "minute": 60, "hour": 3600}
CALENDAR = ("day", "week", "month")
EVERY = re.compile(r"(?:(?P<count>\d+) )?(?P<unit>second|minute|hour|day|week|month)s?")
ZERO = datetime(1970, 1, 1, tzinfo=UTC)
#: Slots are counted up to here: who was away for so many need not know how many exactly.
MOST = 10_000
#: Where many slots were missed, the latest is looked for in ever longer spans before now.
SPANS = (timedelta(hours=1), timedelta(days=2), timedelta(days=70), timedelta(days=800), timedelta(days=40000))


@dataclass(frozen=True, slots=True)
class Due:
    """Slots that are due together: one run completes them all."""

    first: datetime
    slot: datetime
    count: int


class Slots:
    """The slots of one schedule, all in UTC; `source` says them as cron would, where it can."""

    def __init__(self, after: Callable[[datetime], Iterator[datetime]], source: str | None, zone: tzinfo) -> None:
        self._after, self.source, self.zone = after, source, zone

    def after(self, moment: datetime) -> datetime:
        """The first slot after a moment."""
        return next(self._after(moment))

    def due(self, since: datetime, now: datetime) -> Due | None:
        """The slots after `since` up to `now`; None where there are none."""
        slots = self._after(since)
        first = slot = next(slots)
        if first > now:
            return None
        for count in range(1, MOST):
            following = next(slots)
            if following > now:
                return Due(first, slot, count)
            slot = following
        return Due(first, self._latest(slot, now), MOST)

    def _latest(self, known: datetime, now: datetime) -> datetime:
        for span in SPANS:
            slot = None
            for following in self._after(max(known, now - span)):
                if following > now:
                    break
                slot = following
            if slot is not None:
                return slot
        return known


def slots_of(every: str, at: str = "00:00", timezone: str | None = None) -> Slots:
    """The slots of `every` ("1 day", "90 minutes", "2 weeks", or five fields of cron); ValueError says what is wrong with it."""
    zone = zone_of(timezone)
    if match := EVERY.fullmatch(every.strip()):
        count, unit = int(match["count"] or 1), match["unit"]
        if count < 1:
            raise ValueError(f"every = {every!r}: count from 1")
        if unit in SECONDS:
            return Slots(elapsed(count * SECONDS[unit]), None, zone)
        hour, minute = at.split(":")
        source = {"day": f"{minute} {hour} * * *", "week": f"{minute} {hour} * * 1", "month": f"{minute} {hour} 1 * *"}[unit]
        return Slots(calendar(source, zone, lambda slot: number(slot, unit) % count == 0), source if count == 1 else None, zone)
    try:
        CronSim(every, datetime.now(zone))
    except CronSimError as error:
        hint = 'write "1 day", "6 hours", "2 weeks" or five fields of cron: "30 2 * * 1-5"'
        raise ValueError(f"every = {every!r} is no span and no cron expression ({error}): {hint}") from None
    if len(every.split()) != 5:
        raise ValueError(f"every = {every!r}: give five fields of cron")
    return Slots(calendar(every, zone, lambda _: True), every, zone)


def zone_of(name: str | None) -> tzinfo:
    """The time zone of this name, or the machine's."""
    if name is None:
        from tzlocal import get_localzone

        return get_localzone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f'timezone = {name!r} is not known: use a name such as "Europe/Berlin" or "UTC"') from None


def elapsed(seconds: int) -> Callable[[datetime], Iterator[datetime]]:
    """Slots every so many seconds of elapsed time, counted from 1970."""

    def after(moment: datetime) -> Iterator[datetime]:
        slot = ZERO + timedelta(seconds=((moment - ZERO) // timedelta(seconds=seconds) + 1) * seconds)
        while True:
            yield slot
            slot += timedelta(seconds=seconds)

    return after


def calendar(expression: str, zone: tzinfo, wanted: Callable[[datetime], bool]) -> Callable[[datetime], Iterator[datetime]]:
    """Slots of a cron expression by the clocks of a time zone, those that are wanted."""

    def after(moment: datetime) -> Iterator[datetime]:
        for slot in CronSim(expression, moment.astimezone(zone)):
            if wanted(slot) and slot.astimezone(UTC) > moment:
                yield slot.astimezone(UTC)

    return after


def number(slot: datetime, unit: str) -> int:
    """Which day, week or month a slot stands in, counted from a fixed one."""
    if unit == "month":
        return slot.year * 12 + slot.month
    return slot.toordinal() if unit == "day" else (slot.toordinal() - 1) // 7
