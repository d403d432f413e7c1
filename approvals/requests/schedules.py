"""
When a request is to be applied: at once (no schedule), or by the clock in a window. Pure: values in, values out.

Source: docs/scheduling.md
"""

import enum
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from approvals.requests.errors import UnclearLocalTime
from foundation.errors import InvalidInput

# How long the window of "at an instant" stays open.
TOLERANCE = timedelta(hours=1)
# Far enough from the ends of the calendar that every zone can show what is stored.
YEARS = range(1970, 9001)


class Former(enum.Enum):
    """Stands where a schedule could be given and none is: the former one is kept. None clears it."""

    KEPT = "kept"


@dataclass(frozen=True)
class Schedule:
    """
    The window `[opens_at, closes_at)` in which the clock applies a request.

    Both are timezone-aware; `zone` is the IANA zone in which the author said them, and decides nothing.

    :raises InvalidInput: if an instant has no time zone, or the window does not open before it closes
    """

    opens_at: datetime
    closes_at: datetime
    zone: str

    def __post_init__(self) -> None:
        """Refuse what is no window."""
        for name in ("opens_at", "closes_at"):
            if getattr(self, name).utcoffset() is None:
                raise _invalid(name, "An instant of a schedule has a time zone. Send it with one, such as Z or +01:00.")
        if self.opens_at >= self.closes_at:
            raise _invalid("closes_at", "The window closes before it opens. Let it close after it opens.")

    def has_opened(self, now: datetime) -> bool:
        """Whether the window is open, or was."""
        return self.opens_at <= now

    def is_over(self, now: datetime) -> bool:
        """Whether the window is closed for good."""
        return self.closes_at <= now

    @property
    def local(self) -> str:
        """The window as its author said it: between 1 Apr 2026, 09:00 and 1 Apr 2026, 10:00 (Europe/Berlin)."""
        zone = _known(self.zone) or UTC
        opens_at, closes_at = self.opens_at.astimezone(zone), self.closes_at.astimezone(zone)
        # The clocks change within it, or it lies where they show an hour twice: only offsets tell the times apart.
        offsets = {_twin(moment).utcoffset() for moment in (opens_at, closes_at)}
        pattern = "%H:%M" if len(offsets | {opens_at.utcoffset(), closes_at.utcoffset()}) == 1 else "%H:%M %Z"
        told = [f"{moment.day} {moment:%b %Y}, {moment.strftime(pattern)}" for moment in (opens_at, closes_at)]
        return f"between {told[0]} and {told[1]} ({self.zone if zone is not UTC else 'UTC'})"

    @property
    def in_utc(self) -> str:
        """The window in UTC, as sentences have it: pages move such instants to the reader's zone."""
        return f"between {utc_text(self.opens_at)} and {utc_text(self.closes_at)}"


def utc_text(moment: datetime) -> str:
    """An instant within a sentence: 2026-04-01 07:00 UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def said(*, opens_at: str, closes_at: str | None, zone: str) -> Schedule:
    """
    A schedule as its author wrote it: instants with a UTC offset, or local times of the zone.

    Without an end, it closes TOLERANCE after it opens.

    :raises UnclearLocalTime: if a local time does not exist, or exists twice, in the zone
    :raises InvalidInput: if a time cannot be read, the zone is unknown, or the window does not open before it closes
    """
    check_zone(zone)
    opening = instant_said(opens_at, zone=zone, field="opens_at")
    closing = instant_said(closes_at, zone=zone, field="closes_at") if closes_at else opening + TOLERANCE
    return Schedule(opens_at=opening, closes_at=closing, zone=zone)


def instant_said(text: str, *, zone: str, field: str) -> datetime:
    """
    One instant, in UTC, from a text with a UTC offset or with the zone's local time.

    :raises UnclearLocalTime: if a local time does not exist, or exists twice, in the zone
    :raises InvalidInput: if it cannot be read
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.year not in YEARS:
            raise _invalid(field, f"“{text}” is beyond the calendar. Choose a year from 1970 to 9000.")
        if moment.utcoffset() is not None:
            return moment.astimezone(UTC)
        return _resolved(moment, ZoneInfo(zone), field)
    except ValueError:
        raise _invalid(
            field, f"“{text}” is not a date and time. Write it as 2026-04-01T09:00, or with an offset: …+02:00."
        ) from None


def check_zone(zone: str) -> None:
    """
    Refuse a name that is not in the IANA time-zone database.

    :raises InvalidInput: if it is not
    """
    if _known(zone) is None:
        raise _invalid("zone", f"“{zone}” is not a time zone. Use a name such as Europe/Berlin or America/New_York.")


def of(document: Mapping[str, Any]) -> Schedule | None:
    """The schedule of a stored revision's document; None: at once."""
    stored = document["schedule"]
    if stored is None:
        return None
    return Schedule(
        opens_at=datetime.fromisoformat(stored["opens_at"]),
        closes_at=datetime.fromisoformat(stored["closes_at"]),
        zone=stored["zone"],
    )


def _resolved(local: datetime, zone: ZoneInfo, field: str) -> datetime:
    # PEP 495: fold 0 and 1 agree on a time's offset unless clocks skip it or show it twice.
    readings = [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    instants = sorted(reading.astimezone(UTC) for reading in readings)
    if instants[0] == instants[1]:
        return instants[0]
    candidates = [moment.astimezone(zone) for moment in instants]
    skipped = any(candidate.replace(tzinfo=None, fold=0) != local for candidate in candidates)
    first, second = (candidate.isoformat(timespec="minutes") for candidate in candidates)
    what = "skip" if skipped else "show twice"
    # Not as `first` and `second`: pages would move an instant that ends in +00:00 to the reader's zone.
    told = " or ".join(f"{text[:10]} {text[11:16]} ({text[16:]})" for text in (first, second))
    raise UnclearLocalTime(
        f"The clocks of {zone.key} {what} {local:%Y-%m-%d %H:%M}. It could be {told}: "
        "write the one you mean, with its UTC offset right after the minutes.",
        errors={"schedule": {field: [f"Write {first} or {second}."]}},
        candidates=[first, second],
    )


def _twin(moment: datetime) -> datetime:
    return moment.replace(fold=1 - moment.fold)


def _known(zone: str) -> ZoneInfo | None:
    return ZoneInfo(zone) if zone in _zones() else None


@cache
def _zones() -> frozenset[str]:
    # "localtime" is another zone on every machine.
    return frozenset(zoneinfo.available_timezones() - {"localtime"})


def _invalid(field: str, message: str) -> InvalidInput:
    return InvalidInput(message, errors={"schedule": {field: [message]}})
