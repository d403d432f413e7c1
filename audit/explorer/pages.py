"""
Pages of events by keyset: a page begins after the last row of another one, so what is recorded meanwhile moves nothing.

A cursor names the row and the direction; it is made here and never built by hand.

*Walking and gathering.* What a GIN index finds has no order, and nobody knows beforehand whether walking the list until
a page is full is quicker than sorting all that fits: statistics of words and arrays are guesses, and a wrong one costs
a second among a million events. So neither is left to them. The next few thousand events are walked; where they do not
fill the page, what fits is rare there, and all of it is gathered through the index and sorted.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import DateTimeField, F, Func, Q, Value
from django.db.models.functions import Coalesce

from audit.ledger.models import Event, EventQuerySet
from foundation.errors import InvalidInput

ROWS = 50
WALKED = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Found:
    """
    The events that fit, for indexes to find; `walked` are the same for walking, compared row by row (filters.compared),
    or None where none is needed.
    """

    indexed: EventQuerySet
    walked: EventQuerySet | None


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

    @property
    def beyond(self) -> Q:
        """What comes after the place, in its direction."""
        at, position = self.recorded_at, self.position
        if self.is_older:
            return Q(recorded_at__lte=at) & (Q(recorded_at__lt=at) | Q(position__lt=position))
        return Q(recorded_at__gte=at) & (Q(recorded_at__gt=at) | Q(position__gt=position))


def page_of(found: Found, *, cursor: str = "", rows: int = ROWS) -> Page:
    """
    One page of so many rows, in one query or two.

    :raises InvalidInput: if the cursor names no place
    """
    place = _read(cursor) if cursor else None
    is_older = place is None or place.is_older
    beyond = Q() if place is None else place.beyond
    events = _walked(found.walked, beyond, is_older, rows + 1) if found.walked is not None else None
    if events is None:
        gathered = found.indexed.filter(beyond)
        events = list(_ordered(gathered, is_older, by_index=found.walked is None)[: rows + 1])
    more, shown = len(events) > rows, events[:rows] if is_older else events[:rows][::-1]
    # On this side there is more; on the other at least the row that the cursor names.
    older, newer = (more, place is not None) if is_older else (bool(shown), more)
    return Page(
        shown,
        _cursor(shown[-1], older=True) if older and shown else None,
        _cursor(shown[0], older=False) if newer and shown else None,
    )


def _walked(events: EventQuerySet, beyond: Q, is_older: bool, rows: int) -> list[Event] | None:
    """The rows as far as the next few thousand events fill them; None if they do not."""
    window = _ordered(Event.objects.filter(beyond), is_older).values("recorded_at")[WALKED : WALKED + 1]
    far = datetime.min.replace(tzinfo=UTC) if is_older else datetime.max.replace(tzinfo=UTC)
    edge = Coalesce(window, Value(far), output_field=DateTimeField())
    within = Q(recorded_at__gte=edge) if is_older else Q(recorded_at__lte=edge)
    found = list(_ordered(events.filter(beyond & within), is_older)[:rows])
    return found if len(found) == rows else None


def _ordered(events: EventQuerySet, is_older: bool, by_index: bool = True) -> EventQuerySet:
    """In the direction asked for; not by an index where all that fits is to be gathered first."""
    at = F("recorded_at") if by_index else Func(F("recorded_at"), template="(%(expressions)s + INTERVAL '0')")
    position = F("position")
    return events.order_by(at.desc(), position.desc()) if is_older else events.order_by(at.asc(), position.asc())


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
