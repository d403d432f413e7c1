"""Recording events: in the transaction of their change, whole, and explained."""

import json
import uuid
from typing import Any

import pytest
from django.db import connection, transaction

from approvals import events
from audit import contributors
from audit.contributors import EventType, UnknownEventType
from audit.models import Event
from audit.services import IncompleteEvent, NewEvent, RecordedOutsideTransaction, Subject, record, record_all
from tests import given

SUBJECT = Subject("approvals.changerequest", uuid.UUID(int=7), "change 7")


def event(**changes: Any) -> NewEvent:
    return NewEvent(
        **({"type": events.REQUEST_WITHDRAWN, "actor": None, "subject": SUBJECT, "data": {"number": 7}} | changes)
    )


@pytest.mark.django_db
class TestRecord:
    def test_keeps_the_canonical_bytes_that_the_columns_repeat(self) -> None:
        user = given.user("requester")
        row = record(event=event(actor=user, change_request_id=uuid.UUID(int=9)), now=given.NOW)

        stored = Event.objects.get(id=row.id)
        told = json.loads(bytes(stored.content))
        assert told == {
            "id": str(stored.id),
            "type": stored.type,
            "recorded_at": "2026-03-02T10:00:00Z",
            "actor": str(user.id),
            "actor_human": str(user.human_id),
            "change_request": str(uuid.UUID(int=9)),
            "subject": {"type": SUBJECT.type, "id": str(SUBJECT.id), "label": "change 7"},
            "data": {"number": 7},
        }
        assert (stored.recorded_at, stored.actor_id, stored.data) == (given.NOW, user.id, {"number": 7})

    def test_notes_the_transaction(self) -> None:
        row = record(event=event(), now=given.NOW)

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text::bigint")
            assert Event.objects.get(id=row.id).transaction_id == cursor.fetchone()[0]

    def test_refuses_a_type_that_nobody_registered(self) -> None:
        with pytest.raises(UnknownEventType):
            record(event=event(type="approvals.change_request.enchanted"), now=given.NOW)

    def test_refuses_data_without_what_the_sentence_names(self) -> None:
        with pytest.raises(IncompleteEvent, match="number"):
            record(event=event(data={}), now=given.NOW)

    def test_takes_all_or_none_of_several(self) -> None:
        before = Event.objects.count()

        with pytest.raises(IncompleteEvent):
            record_all(events=[event(), event(data={})], now=given.NOW)

        assert Event.objects.count() == before

    def test_takes_none_gladly(self) -> None:
        assert record_all(events=[], now=given.NOW) == []


@pytest.mark.django_db(transaction=True)
class TestRecordOutsideATransaction:
    def test_is_refused(self) -> None:
        with pytest.raises(RecordedOutsideTransaction):
            record(event=event(), now=given.NOW)

    def test_goes_with_the_transaction_that_is_rolled_back(self) -> None:
        with transaction.atomic():
            record(event=event(), now=given.NOW)
            transaction.set_rollback(True)

        assert not Event.objects.of_subject(SUBJECT.id).exists()


class TestEventType:
    def test_needs_the_fields_of_its_sentence_but_for_actor_and_subject(self) -> None:
        assert EventType("a.b.c", "{actor} did {what} to {subject}.").fields == {"what"}

    def test_is_told_as_a_sentence(self) -> None:
        told = contributors.sentence(
            type_name=events.REQUEST_WITHDRAWN, data={"number": 7}, actor="Ada", subject="change 7"
        )

        assert told == "Ada withdrew change 7."

    def test_has_one_sentence(self) -> None:
        with pytest.raises(ValueError, match="registered already"):
            contributors.register_event_types([EventType(events.REQUEST_WITHDRAWN, "Another sentence.")])
