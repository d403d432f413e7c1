"""
How far back a change reaches: the time that it changes, and by how many days that begins before the change is planned.

Source: docs/backdating.md
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from approvals.governed import FactType, FactUnit
from approvals.records.rows import instant

Row = Mapping[str, Any]
END = datetime.max.replace(tzinfo=UTC)

FACTS = (
    FactType(
        "backdated_days",
        FactUnit.INTEGER,
        "days",
        "Whole days by which what it changes takes effect before the change was planned; 0 if it does not.",
        says="it reaches {value} days back",
    ),
    FactType(
        "effective_from", FactUnit.INSTANT, "UTC", "From when on it changes something; when planned, if not said."
    ),
    FactType("effective_until", FactUnit.INSTANT, "UTC", "Until when it changes something; absent if it is open."),
)


def facts(*, before: Row | None, after: Row, now: datetime) -> dict[str, Any]:
    """The facts of an item with `starts_at` and `ends_at`, and the `periods` of an order line."""
    changed = list(_changed(before, after))
    first = min((since for since, _until in changed), default=now)
    last = max((until for _since, until in changed), default=None)
    told: dict[str, Any] = {"backdated_days": max((now - first).days, 0), "effective_from": first}
    if last is not None and last != END:
        told["effective_until"] = last
    return told


def _changed(before: Row | None, after: Row) -> Iterator[tuple[datetime, datetime]]:
    """The times in which something is another than before."""
    if before is None:
        yield _start(after), _end(after)
        return
    for one, two in ((_start(before), _start(after)), (_end(before), _end(after))):
        if one != two:
            yield min(one, two), max(one, two)
    former, later = before.get("periods") or [], after.get("periods") or []
    for period in [*(one for one in former if one not in later), *(one for one in later if one not in former)]:
        yield _start(period), _end(period)


def _start(row: Row) -> datetime:
    return instant(row["starts_at"]) or END


def _end(row: Row) -> datetime:
    return instant(row["ends_at"]) or END
