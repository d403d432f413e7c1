"""Whether a change request is wholly applied or wholly not, whatever one looks at."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q

from approvals import events, governed
from approvals.governed import Operation, PreparedItem
from approvals.records.rows import row_of
from approvals.requests import revisions
from approvals.requests.models import Authorization, ChangeRequest
from approvals.requests.states import Status
from audit.models import Event
from entitlements.directory import events as directory_events
from entitlements.directory.models import Person
from entitlements.grants import events as grant_events
from entitlements.grants.models import Activation, Entitlement, Seat, SeatPool
from foundation.api.models import IdempotencyRecord

REVIEWED = Counter(
    {
        events.REQUEST_PROPOSED: 1,
        events.REQUEST_SUBMITTED: 1,
        events.REQUEST_APPROVAL_GIVEN: 4,
        events.REQUEST_APPROVED: 1,
    }
)


def check_whole(change_request_id: UUID, *, key: str | None) -> bool:
    """Answer whether the request is applied, having checked that all of it is, or nothing of it."""
    request = ChangeRequest.objects.select_related("current_revision").get(id=change_request_id)
    assert request.status in {Status.APPROVED, Status.APPLIED}, request.status
    assert request.current_revision is not None
    applied = request.status == Status.APPLIED
    items = revisions.items_of(request.current_revision)
    check_records(items, request, applied=applied)
    check_operational(items, applied=applied)
    check_events(items, request, applied=applied)
    authorizations = Authorization.objects.filter(change_request=request)
    assert [found.digest for found in authorizations] == ([request.current_revision.digest] if applied else [])
    assert IdempotencyRecord.objects.filter(key=key).count() == (1 if applied and key else 0)
    assert (request.applied_at is not None) == applied
    return applied


def check_records(items: Sequence[PreparedItem], request: ChangeRequest, *, applied: bool) -> None:
    """Rows, versions and values; one history row for each, with the request's number."""
    for name in sorted({item.kind for item in items}):
        model = governed.kind(name).model
        of_kind = {item.record_id: item for item in items if item.kind == name}
        stored = {row.pk: row_of(row) for row in model._default_manager.filter(pk__in=of_kind)}
        expected = {key: item.after if applied else item.before for key, item in of_kind.items()}
        assert stored == {key: row for key, row in expected.items() if row is not None}, name
        written = model.history.filter(change_request_number=request.number)  # type: ignore[attr-defined]
        histories = Counter(written.filter(id__in=of_kind).values_list("id", "version"))
        after = {key: (item.after or {})["version"] for key, item in of_kind.items()}
        assert histories == Counter(after.items() if applied else []), name


def check_operational(items: Sequence[PreparedItem], *, applied: bool) -> None:
    """People, pools, seats and activations."""
    registered = {UUID(row["person_id"]) for item in items for row in item.effects.get("register", [])}
    assert Person.objects.filter(id__in=registered).count() == (len(registered) if applied else 0)
    for item in (item for item in items if item.table == Entitlement._meta.db_table):
        pool = SeatPool.objects.filter(entitlement_id=item.record_id).first()
        row = item.after if applied else item.before
        held = set(Seat.objects.held().filter(entitlement_id=item.record_id).values_list("person_id", flat=True))
        comes, goes = (set(map(UUID, item.effects[name])) for name in ("hold", "release"))
        assert comes <= held if applied else not comes & held, item.label
        assert not goes & held if applied else goes <= held, item.label
        assert Activation.objects.filter(entitlement_id=item.record_id).count() == (1 if row else 0)
        if row is None:
            assert pool is None
        else:
            assert pool is not None
            assert (pool.granted, pool.used, pool.hard) == (row["seats"], len(held), row["enforcement"] == "hard")


def check_events(items: Sequence[PreparedItem], request: ChangeRequest, *, applied: bool) -> None:
    """Exactly the expected events, each saying what was written, in bytes as in columns."""
    found = list(Event.objects.filter(change_request_id=request.id))
    expected = REVIEWED.copy()
    if applied:
        expected += Counter(
            {
                events.REQUEST_APPLIED: 1,
                events.RECORD_CREATED: sum(item.operation is Operation.INSERT for item in items),
                events.RECORD_CHANGED: sum(item.operation is Operation.UPDATE for item in items),
                directory_events.PERSON_REGISTERED: total(items, "register"),
                grant_events.SEAT_TAKEN: total(items, "hold"),
                grant_events.SEAT_RELEASED: total(items, "release"),
            }
        )
    assert Counter(event.type for event in found) == expected
    assert {event.id for event in found} == {UUID(json.loads(bytes(event.content))["id"]) for event in found}
    rows = {event.subject_id: event.data["after"] for event in found if event.type.startswith("approvals.record.")}
    assert rows == ({item.record_id: item.after for item in items} if applied else {})
    holders = Counter(
        (event.type, event.subject_id, event.data["holder"])
        for event in found
        if event.type in {grant_events.SEAT_TAKEN, grant_events.SEAT_RELEASED}
    )
    assert holders == Counter(moved(items) if applied else [])
    people = {event.subject_id for event in found if event.type == directory_events.PERSON_REGISTERED}
    assert people == {UUID(row["person_id"]) for item in items for row in item.effects.get("register", []) if applied}


def total(items: Sequence[PreparedItem], effect: str) -> int:
    return sum(len(item.effects.get(effect, [])) for item in items)


def moved(items: Sequence[PreparedItem]) -> list[tuple[Any, ...]]:
    """What the seat events of these items say: type, entitlement, holder."""
    names = {"hold": grant_events.SEAT_TAKEN, "release": grant_events.SEAT_RELEASED}
    return [
        (event_type, item.record_id, f"person {person_id}")
        for item in items
        for effect, event_type in names.items()
        for person_id in item.effects.get(effect, [])
    ]


def check_everything() -> None:
    """What must hold of the whole database at the end."""
    assert not ChangeRequest.objects.filter(status=Status.APPLYING).exists()
    held = Count("entitlement__held_seats", filter=Q(entitlement__held_seats__released_at__isnull=True))
    assert not SeatPool.objects.annotate(held=held).exclude(used=F("held")).exists()
    applied = ChangeRequest.objects.filter(status=Status.APPLIED).count()
    assert Event.objects.filter(type=events.REQUEST_APPLIED).count() == applied == Authorization.objects.count()
