"""Is a pipeline due, and when next? From its slots, its journal and the clock; nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from workbench.pipeline.schedule.choice import ScheduleChoice
from workbench.pipeline.schedule.journal import Journal, moment
from workbench.pipeline.schedule.slots import Due, slots_of

#: A failed run is tried again after a minute, then after four times as long, at most after an hour.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is due now (None: nothing, or not yet again), as which attempt, and when to look again."""

    due: Due | None
    attempt: int
    next: datetime


def standing(choice: ScheduleChoice, journal: Journal, now: datetime) -> Standing:
    """How a schedule stands at a moment.

    Slots count from the latest that is closed, or from when the schedule was seen first; a first sight ahead of the clock is void.
    """
    slots = slots_of(choice.every, choice.at, choice.timezone)
    known = journal.known if journal.known is not None and journal.known <= now else now
    due = slots.due(journal.closed_until(now) or known, now)
    following = slots.after(now)
    if due is None:
        return Standing(None, 1, following)
    attempts = journal.attempts(due.slot)
    if not attempts:
        return Standing(due, 1, following)
    failed = moment(attempts[-1].get("begun", attempts[-1]["at"]))  # of a crash only its beginning is known
    pause = min(FIRST_PAUSE * 4 ** (len(attempts) - 1), LONGEST_PAUSE)
    again = failed + pause
    if failed <= now < again:
        return Standing(None, len(attempts) + 1, min(again, following))
    return Standing(due, len(attempts) + 1, following)
