"""Instants: aware datetimes in any zone outside, UTC inside. Periods are half-open, an end of None is open."""

from __future__ import annotations

from datetime import UTC, datetime

#: Sorts before and after every instant that occurs.
BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


def check_aware(name: str, instant: datetime | None) -> None:
    """
    Refuse an instant that does not say where on the time line it lies; None, an open end, passes.

    :raises ValueError: if `instant` has no time zone or its zone gives no offset
    """
    if instant is not None and instant.utcoffset() is None:
        raise ValueError(
            f"{name} is {instant.isoformat()} without a time zone, so it names no instant: "
            "attach the zone it was meant in, e.g. instant.replace(tzinfo=ZoneInfo('Europe/Berlin'))."
        )


def check_order(earlier_name: str, earlier: datetime, later_name: str, later: datetime | None) -> None:
    """
    Refuse a period that ends before it begins; one that ends where it begins is empty and passes.

    :raises ValueError: if `later` lies before `earlier`
    """
    if later is not None and utc(later) < utc(earlier):
        raise ValueError(
            f"{later_name} {later.isoformat()} lies before {earlier_name} {earlier.isoformat()}: swap or mend them."
        )


def utc(instant: datetime) -> datetime:
    """
    Return the same instant in UTC, where equality is exact and no hour happens twice.

    Comparing in local zones would not do: an ambiguous local time never equals the same instant in another zone (PEP
    495).
    """
    return instant if instant.tzinfo is UTC else instant.astimezone(UTC)
