"""
Seats: taken and released by people and devices, each with its event. The counter and its limit are the database's.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from audit.services import NewEvent, Subject, record, record_all
from entitlements.directory.models import AccountClosure, Person
from entitlements.grants import events
from entitlements.grants.errors import NoSeatFree, NotInForce, NotServed, SeatAlreadyHeld, SeatNotHeld
from entitlements.grants.models import Entitlement, Seat, SeatPool
from foundation.errors import NotFound
from foundation.identity.models import User
from foundation.integrity import refine_integrity_error


def _subject(entitlement: Entitlement) -> Subject:
    return Subject(type="entitlements.entitlement", id=entitlement.id, label=entitlement.reference)


@transaction.atomic
def take_seat(
    *,
    entitlement_id: uuid.UUID,
    actor: User | None,
    now: datetime,
    person_id: uuid.UUID | None = None,
    device: str = "",
) -> Seat:
    """
    Give a seat of an entitlement to a person or a device.

    Exact under concurrency: a trigger counts, and a CHECK on the pool's one row refuses the seat too many. Under soft
    enforcement the excess is recorded on the seat.

    :raises NotFound: if there is no such entitlement or person
    :raises NoSeatFree: if every seat is held under hard enforcement
    :raises SeatAlreadyHeld: if the person or device holds one already
    :raises NotInForce: if the entitlement ended or was taken back
    :raises NotServed: if it does not serve the person's account

    Source: docs/invariants.md INV-6, INV-7
    """
    entitlement = Entitlement.objects.select_related("order_line__agreement").filter(id=entitlement_id).first()
    if entitlement is None:
        raise NotFound("There is no such entitlement.")
    _check_gives_a_right(entitlement, now)
    if person_id is not None:
        _check_serves(entitlement, person_id)
    holder = f"person {person_id}" if person_id else f"device {device}"
    with refine_integrity_error(
        seat_pool_within_grant=(
            NoSeatFree,
            f"Every seat of {entitlement.reference} is held. Release one, or propose more seats.",
        ),
        seat_once_per_person=(SeatAlreadyHeld, f"This person holds a seat of {entitlement.reference} already."),
        seat_once_per_device=(SeatAlreadyHeld, f"This device holds a seat of {entitlement.reference} already."),
    ):
        seat = Seat.objects.create(entitlement=entitlement, person_id=person_id, device=device, taken_at=now)
    seat.refresh_from_db(fields=["over_granted"])
    record(
        event=NewEvent(
            type=events.SEAT_TAKEN,
            actor=actor,
            subject=_subject(entitlement),
            data={"holder": holder, "seat_id": seat.id, "over_granted": seat.over_granted},
        ),
        now=now,
    )
    return seat


@transaction.atomic
def release_seat(
    *,
    entitlement_id: uuid.UUID,
    actor: User | None,
    now: datetime,
    person_id: uuid.UUID | None = None,
    device: str = "",
) -> Seat:
    """
    Take a seat back.

    :raises SeatNotHeld: if the person or device holds none of this entitlement
    """
    seat = (
        Seat.objects.held()
        .select_for_update(of=("self",))
        .select_related("entitlement")
        .filter(Q(person_id=person_id) if person_id else Q(person__isnull=True), device=device)
        .filter(entitlement_id=entitlement_id)
        .first()
    )
    if seat is None:
        raise SeatNotHeld("No such seat of this entitlement is held, so there is nothing to release.")
    seat.released_at = now
    seat.save(update_fields=["released_at"])
    record(
        event=NewEvent(
            type=events.SEAT_RELEASED,
            actor=actor,
            subject=_subject(seat.entitlement),
            data={"holder": f"person {person_id}" if person_id else f"device {device}", "seat_id": seat.id},
        ),
        now=now,
    )
    return seat


def _check_gives_a_right(entitlement: Entitlement, now: datetime) -> None:
    over = entitlement.ends_at is not None and entitlement.ends_at <= now
    if over or entitlement.withdrawn_at is not None:
        raise NotInForce(f"{entitlement.reference} gives no right any more, so no seat of it is taken. Ask its owner.")


def _check_serves(entitlement: Entitlement, person_id: uuid.UUID) -> None:
    person = Person.objects.filter(id=person_id).first()
    if person is None:
        raise NotFound("There is no such person.")
    below = AccountClosure.objects.filter(ancestor=entitlement.account_id, descendant=person.account_id).exists()
    served = below and (
        entitlement.order_line.agreement.covers_descendants or person.account_id == entitlement.account_id
    )
    if not served:
        raise NotServed(f"{entitlement.reference} does not serve the person's account.", invariant="INV-13")


def hold_seats(
    *,
    entitlement: Entitlement,
    person_ids: Sequence[uuid.UUID],
    actor: User | None,
    now: datetime,
    change_request_id: uuid.UUID,
) -> None:
    """Give seats to named people as part of a change request, one event each; those who hold one keep it."""
    held = set(
        Seat.objects.held()
        .filter(entitlement=entitlement, person_id__in=person_ids)
        .values_list("person_id", flat=True)
    )
    seats = [
        Seat(entitlement=entitlement, person_id=person_id, taken_at=now)
        for person_id in dict.fromkeys(person_ids)
        if person_id not in held
    ]
    Seat.objects.bulk_create(seats, batch_size=2_000)
    _record_seats(events.SEAT_TAKEN, entitlement, seats, actor, now, change_request_id)


def release_seats(
    *,
    entitlement: Entitlement,
    person_ids: Sequence[uuid.UUID],
    actor: User | None,
    now: datetime,
    change_request_id: uuid.UUID,
) -> None:
    """Take seats back from named people as part of a change request, one event each."""
    seats = list(
        Seat.objects.held().select_for_update().filter(entitlement=entitlement, person_id__in=person_ids).order_by("id")
    )
    Seat.objects.filter(id__in=[seat.id for seat in seats]).update(released_at=now)
    _record_seats(events.SEAT_RELEASED, entitlement, seats, actor, now, change_request_id)


def write_pool(*, entitlement: Entitlement) -> None:
    """Bring the operational counter to the entitlement's terms; the pool's trigger demands the applying request."""
    hard = entitlement.enforcement == Entitlement.Enforcement.HARD
    SeatPool.objects.update_or_create(
        entitlement=entitlement,
        defaults={"granted": entitlement.seats, "hard": hard},
        create_defaults={"granted": entitlement.seats, "hard": hard, "used": 0},
    )


def over_use(*, entitlement_id: uuid.UUID) -> int:
    """Seats held beyond the grant; zero where it is unlimited."""
    pool = SeatPool.objects.filter(entitlement_id=entitlement_id, granted__isnull=False, used__gt=F("granted")).first()
    return 0 if pool is None or pool.granted is None else pool.used - pool.granted


def _record_seats(
    event_type: str,
    entitlement: Entitlement,
    seats: Sequence[Seat],
    actor: User | None,
    now: datetime,
    change_request_id: uuid.UUID,
) -> None:
    record_all(
        events=[
            NewEvent(
                type=event_type,
                actor=actor,
                subject=_subject(entitlement),
                change_request_id=change_request_id,
                data={"holder": f"person {seat.person_id}", "seat_id": seat.id, "over_granted": seat.over_granted},
            )
            for seat in seats
        ],
        now=now,
    )
