"""Recording what somebody read, once an hour for the same records."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import transaction

from audit import events, subjects
from audit.reads.collecting import Given
from audit.reads.registry import Sort
from audit.services import NewEvent, Subject, record_once
from foundation.identity.models import User

# How many records an event names one by one; of more it says how many.
MOST_NAMED = 500
_TYPES = {
    Sort.PRICES: events.PRICES_READ,
    Sort.DETAILS: events.DETAILS_READ,
    Sort.FILE: events.FILE_DOWNLOADED,
}


@transaction.atomic(savepoint=False)
def record_reads(*, given: Given, reader: User, where: str, now: datetime) -> None:
    """
    Record what a request gave out, in one INSERT: an event for each sort and type of record and for each file made.

    The same human reading the same records on the same surface is recorded once in an hour of the clock (UTC); files
    made are recorded each time.
    """
    made: list[tuple[NewEvent, str | None]] = list(_reads(given, reader, where, now))
    made += [(NewEvent(type=events.EXPORT_MADE, actor=reader, data=dict(told)), None) for told in given.exports]
    record_once(events=made, now=now)


def _reads(given: Given, reader: User, where: str, now: datetime) -> Iterable[tuple[NewEvent, str | None]]:
    hour = now.astimezone(UTC).strftime("%Y-%m-%dT%H")
    for (sort, subject_type), records in sorted(given.records.items()):
        keys = sorted(records)
        alone = keys[0] if len(keys) == 1 else None
        label = records[alone] if alone else _words(subject_type, len(keys))
        event = NewEvent(
            type=_TYPES[sort],
            actor=reader,
            subject=Subject(subject_type, alone, label[:300]) if subject_type else None,
            data={"what": label, "where": where, "count": len(keys), "records": keys[:MOST_NAMED]},
            about=() if alone else keys,
        )
        yield event, "|".join([sort, subject_type, str(reader.human_id), where, hour, *map(str, keys)])


def _words(subject_type: str, count: int) -> str:
    words = subjects.subject_type(subject_type).words
    return f"{count:,} {'people' if words == 'person' else words + 's'}"
