"""
Public holidays as spans of instants: a holiday lasts the local calendar day in the zone that a rule names. Pure.

The days come from the `holidays` library of this installation, so a law that moves a day arrives with its next version.

Source: docs/freezes.md
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from foundation.errors import InvalidInput

DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Span:
    """A half-open time `[starts_at, ends_at)`, and what it is called (a holiday, or nothing)."""

    starts_at: datetime
    ends_at: datetime
    name: str = ""

    def holds_at(self, moment: datetime) -> bool:
        """Whether it lasts at an instant."""
        return self.starts_at <= moment < self.ends_at

    def overlaps(self, since: datetime, until: datetime) -> bool:
        """Whether it has an instant of `[since, until)`."""
        return self.starts_at < until and since < self.ends_at


def check_places(places: Iterable[str]) -> None:
    """
    Refuse countries and subdivisions whose holidays are not known.

    :raises InvalidInput: naming them
    """
    known = _known_places()
    for place in places:
        country, _, subdivision = place.partition("-")
        if country not in known:
            raise _unknown(f"The public holidays of “{place}” are not known. Name a country such as DE, or DE-BY.")
        if subdivision and subdivision not in known[country]:
            listed = ", ".join(f"{country}-{name}" for name in known[country]) or "none"
            raise _unknown(f"“{place}” is not a part of {country} with holidays of its own. Known are: {listed}.")


def holiday_spans(*, places: Sequence[str], zone: str, since: datetime, until: datetime) -> list[Span]:
    """The holidays of these countries and subdivisions that overlap `[since, until)`, in order, one a local day."""
    local = ZoneInfo(zone)
    # A day more on either side: no zone is further from UTC.
    first, last = (since - 2 * DAY).astimezone(UTC).date(), (until + 2 * DAY).astimezone(UTC).date()
    named: dict[date, list[str]] = {}
    for place in places:
        for year in range(first.year, last.year + 1):
            for day, name in _holidays(place, year):
                if first <= day <= last:
                    named.setdefault(day, []).append(f"{name}, {place}")
    spans = [
        Span(first_instant(day, local), first_instant(day + DAY, local), "; ".join(names))
        for day, names in sorted(named.items())
    ]
    return [span for span in spans if span.starts_at < span.ends_at and span.overlaps(since, until)]


@lru_cache(maxsize=4096)
def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """
    The instant at which a local calendar day begins, in UTC, to the second.

    Midnight need not exist: clocks may skip it, or a whole day, and then the day begins when they show the next time.
    """
    early = datetime.combine(day, time(), tzinfo=UTC) - 2 * DAY
    low, high = 0, int((4 * DAY).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (early + timedelta(seconds=middle)).astimezone(zone).date() >= day:
            high = middle
        else:
            low = middle + 1
    return early + timedelta(seconds=low)


def merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans joined where they touch or overlap, in order, without their names."""
    current: Span | None = None
    for span in sorted(spans):
        if current is not None and span.starts_at <= current.ends_at:
            current = Span(current.starts_at, max(current.ends_at, span.ends_at))
        else:
            if current is not None:
                yield current
            current = Span(span.starts_at, span.ends_at)
    if current is not None:
        yield current


@lru_cache(maxsize=4096)
def _holidays(place: str, year: int) -> tuple[tuple[date, str], ...]:
    country, _, subdivision = place.partition("-")
    found = holidays.country_holidays(country, subdiv=subdivision or None, years=year, language="en_US")
    return tuple(sorted((day, str(name)) for day, name in found.items()))


@lru_cache(maxsize=1)
def _known_places() -> dict[str, list[str]]:
    return {country: list(parts) for country, parts in holidays.list_supported_countries(include_aliases=False).items()}


def _unknown(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors=[{"field": "holidays_of", "message": sentence}])
