"""Recording: one event for one state change, in the transaction that makes it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from audit import contributors, subjects
from audit.ledger.models import Event
from foundation.canonical import canonical_bytes, jsonable
from foundation.identity.models import User

_ONCE = uuid.UUID("8f1d2a56-3c1e-4d53-9b4b-6f0f6f5a7c11")
# How many further records an event is found by.
MOST_RECORDS = 500


class RecordedOutsideTransaction(RuntimeError):
    """An event outside a transaction could be kept while its change is lost, or the reverse."""


class IncompleteEvent(ValueError):
    """The event lacks a field that its type's sentence names."""


@dataclass(frozen=True)
class Subject:
    """
    What an event is about: a type such as `entitlements.entitlement`, its id and its label at that time (no person's
    name). Without an id it is about several records of the type, which the event names.
    """

    type: str
    id: uuid.UUID | None
    label: str = ""


@dataclass(frozen=True)
class NewEvent:
    """
    What happened. `actor` is None when the system itself acted; `data` holds JSON values and what `jsonable` takes.

    `about` are further records of the subject's sort that it speaks of, besides the subject.
    """

    type: str
    actor: User | None
    subject: Subject | None = None
    change_request_id: uuid.UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    about: Sequence[uuid.UUID] = ()


def record(*, event: NewEvent, now: datetime) -> Event:
    """
    Write one event into the ledger, in the caller's transaction.

    `now` is timezone-aware and becomes the event's time.

    :raises RecordedOutsideTransaction: if no transaction is open
    :raises audit.contributors.UnknownEventType: if no app registered the type
    :raises audit.subjects.UnknownSubject: if no app registered where events about the subject belong
    :raises IncompleteEvent: if the data lacks a field that the type's sentence names

    Source: docs/invariants.md INV-4
    """
    return record_all(events=[event], now=now)[0]


def record_all(*, events: Iterable[NewEvent], now: datetime) -> list[Event]:
    """
    Write several events of one instant, in the order given.

    :raises RecordedOutsideTransaction: if no transaction is open
    :raises audit.contributors.UnknownEventType: if no app registered a type
    :raises audit.subjects.UnknownSubject: if no app registered where events about a subject belong
    :raises IncompleteEvent: if an event lacks a field that its sentence names
    """
    _check_in_transaction()
    return Event.objects.bulk_create([_row(event, now) for event in events])


def record_once(*, events: Iterable[tuple[NewEvent, str | None]], now: datetime) -> None:
    """
    Write events of one instant, each with a key: what was recorded under its key is not recorded again.

    The event's id is made of the key, so that the primary key decides, whoever records at the same moment. Without a
    key an event is always recorded.

    :raises RecordedOutsideTransaction: if no transaction is open
    """
    _check_in_transaction()
    rows = []
    for event, key in events:
        row_id = uuid.uuid4() if key is None else uuid.uuid5(_ONCE, key)
        rows.append(_row(event, now, row_id))
    Event.objects.bulk_create(rows, ignore_conflicts=True)


def _check_in_transaction() -> None:
    if not connection.in_atomic_block:
        raise RecordedOutsideTransaction(
            "An event was about to be recorded outside a transaction. Record it in the transaction of its change."
        )


def _row(event: NewEvent, now: datetime, row_id: uuid.UUID | None = None) -> Event:
    event_type = contributors.event_type(event.type)
    missing = event_type.fields - set(event.data)
    if missing:
        raise IncompleteEvent(f"An event {event.type} lacks {', '.join(sorted(missing))}, which its sentence names.")
    row = Event(
        id=row_id or uuid.uuid4(),
        type=event.type,
        recorded_at=now,
        actor_id=event.actor.id if event.actor else None,
        actor_human_id=event.actor.human_id if event.actor else None,
        change_request_id=event.change_request_id,
        subject_type=event.subject.type if event.subject else "",
        subject_id=event.subject.id if event.subject else None,
        subject_label=event.subject.label if event.subject else "",
        data=jsonable(dict(event.data)),
        **_concerned(event),
    )
    row.content = canonical_bytes(
        {
            "id": row.id,
            "type": row.type,
            "recorded_at": row.recorded_at,
            "actor": row.actor_id,
            "actor_human": row.actor_human_id,
            "change_request": row.change_request_id,
            "subject": {"type": row.subject_type, "id": row.subject_id, "label": row.subject_label},
            "data": row.data,
        }
    )
    return row


def _concerned(event: NewEvent) -> dict[str, Any]:
    """The columns by which the event is found and shown, as expressions for its INSERT."""
    if event.subject is None:
        return {"scope": None, "records": list(event.about)}
    own = () if event.subject.id is None else (event.subject.id,)
    known: dict[str, Any] = {
        "name": event.subject.type,
        "subjects": (*own, *event.about),
        "request_id": event.change_request_id,
    }
    further = None if event.about else subjects.records_of(**known)
    return {
        "scope": subjects.scope_of(**known),
        "records": list(event.about)[:MOST_RECORDS] if further is None else further,
    }
