"""
Pages of events by keyset: a page begins after the last row of another one, so what is recorded meanwhile moves nothing.

A cursor names the row and the direction; it is made here and never built by hand.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from audit.ledger.models import Event, EventQuerySet
from foundation.errors import InvalidInput

ROWS = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Page:
    """Events, newest first, and the cursors of the pages of older and newer ones; None where there are none."""

    events: Sequence[Event]
    older: str | None
    newer: str | None


@dataclass(frozen=True)
class _Place:
    is_older: bool
    recorded_at: datetime
    position: int


def page_of(events: EventQuerySet, *, cursor: str = "", rows: int = ROWS) -> Page:
    """
    One page of so many rows, in one query.

    :raises InvalidInput: if the cursor names no place
    """
    place = _read(cursor) if cursor else None
    if place is None:
        found = list(events.newest_first()[: rows + 1])
        return Page(found[:rows], _cursor(found[rows - 1], older=True) if len(found) > rows else None, None)
    at, position = place.recorded_at, place.position
    if place.is_older:
        below = Q(recorded_at__lte=at) & (Q(recorded_at__lt=at) | Q(position__lt=position))
        found = list(events.filter(below).newest_first()[: rows + 1])
        shown, older, newer = found[:rows], len(found) > rows, bool(found)
    else:
        above = Q(recorded_at__gte=at) & (Q(recorded_at__gt=at) | Q(position__gt=position))
        found = list(events.filter(above).order_by("recorded_at", "position")[: rows + 1])
        shown, older, newer = found[:rows][::-1], bool(found), len(found) > rows
    return Page(
        shown,
        _cursor(shown[-1], older=True) if older and shown else None,
        _cursor(shown[0], older=False) if newer and shown else None,
    )


def _cursor(event: Event, *, older: bool) -> str:
    microseconds = (event.recorded_at - _EPOCH) // timedelta(microseconds=1)
    text = f"{'o' if older else 'n'}:{microseconds}:{event.position}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str) -> _Place:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        direction, microseconds, position = text.split(":")
        if direction not in ("o", "n") or not -(2**63) <= int(position) < 2**63:
            raise ValueError
        return _Place(direction == "o", _EPOCH + timedelta(microseconds=int(microseconds)), int(position))
    except (ValueError, OverflowError, binascii.Error):
        sentence = "“cursor” does not name a place in this list. Begin again without it."
        raise InvalidInput(sentence, errors=[{"param": "cursor", "code": "invalid", "detail": sentence}]) from None
