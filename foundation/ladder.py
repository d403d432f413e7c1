"""
When somebody is reminded of what waits for them: instants in, instants out. Pure.

Spans are elapsed time, so a change of the clocks moves nothing. Only the latest rung that has passed counts: whoever
was not reminded in time, because nothing ran, is reminded once.

Source: docs/reminders.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
REPEATS = 3
# Where nothing says when something is due.
WAITING = (DAY, 3 * DAY, 7 * DAY, 14 * DAY)
DIGEST_AT = time(8, 0)
ESCALATION = "escalation"


@dataclass(frozen=True)
class Rung:
    """A step of a ladder, and when it is reached."""

    step: str
    at: datetime


def ladder(*, since: datetime, due_at: datetime | None) -> tuple[Rung, ...]:
    """
    The rungs of what waits since an instant, in their order.

    With a due instant: half of the time, a day before, due, then three times a day apart, and the escalation. Where
    less than a day was given, that much stands for a day.
    """
    if due_at is None:
        return tuple(Rung(f"waiting_{span.days}_days", since + span) for span in WAITING)
    given = due_at - since
    step = min(DAY, given)
    rungs = [Rung("half", since + given / 2)]
    if given > 2 * DAY:
        rungs.append(Rung("day_before", due_at - DAY))
    rungs.append(Rung("due", due_at))
    rungs += [Rung(f"overdue_{number}", due_at + number * step) for number in range(1, REPEATS + 1)]
    rungs.append(Rung(ESCALATION, due_at + (REPEATS + 1) * step))
    return tuple(rungs)


def reached(rungs: Sequence[Rung], *, now: datetime) -> Rung | None:
    """The latest rung that has passed, or None."""
    passed = [rung for rung in rungs if rung.at <= now]
    return passed[-1] if passed else None


def escalates_at(*, since: datetime, due_at: datetime) -> datetime:
    """When a stage that is still open is escalated."""
    return ladder(since=since, due_at=due_at)[-1].at


def latest_digest_time(*, now: datetime, zone: ZoneInfo) -> datetime:
    """The latest instant, not after now, at which the clocks of a zone showed eight in the morning; in UTC."""
    today = now.astimezone(zone).date()
    for day in (today, today - DAY):
        at = datetime.combine(day, DIGEST_AT, tzinfo=zone).astimezone(UTC)
        if at <= now:
            return at
    raise ValueError(f"No morning of {zone.key} lies within a day before {now}.")
