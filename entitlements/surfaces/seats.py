"""Seats given and taken back by people: the permission, then the service."""

import uuid
from datetime import datetime

from django.db import transaction

from entitlements.grants import permissions, services
from entitlements.grants.errors import SeatNotHeld
from entitlements.grants.models import Seat
from foundation.errors import NotFound
from foundation.identity.models import User


@transaction.atomic
def give(
    *, entitlement_id: uuid.UUID, user: User, now: datetime, person_id: uuid.UUID | None = None, device: str = ""
) -> Seat:
    """
    Give a seat in a user's name.

    :raises NotFound: if the entitlement or the person is not granted to the user
    :raises NotPermitted: if the user has no role that proposes
    :raises NoSeatFree: if every seat is held under hard enforcement
    :raises SeatAlreadyHeld: if the person or device holds one already
    """
    permissions.check_may_manage_seats(user=user, entitlement_id=entitlement_id, person_id=person_id)
    return services.take_seat(entitlement_id=entitlement_id, actor=user, now=now, person_id=person_id, device=device)


@transaction.atomic
def take_back(*, entitlement_id: uuid.UUID, seat_id: uuid.UUID, user: User, now: datetime) -> Seat:
    """
    Take a seat back in a user's name.

    :raises NotFound: if the entitlement is not granted to the user, or has no such seat
    :raises NotPermitted: if the user has no role that proposes
    :raises SeatNotHeld: if the seat was released before
    """
    permissions.check_may_manage_seats(user=user, entitlement_id=entitlement_id)
    seat = Seat.objects.select_for_update().filter(id=seat_id, entitlement_id=entitlement_id).first()
    if seat is None:
        raise NotFound("This entitlement has no such seat.")
    if seat.released_at is not None:
        raise SeatNotHeld("This seat was released before, so there is nothing to take back.")
    return services.release_seat(
        entitlement_id=entitlement_id, actor=user, now=now, person_id=seat.person_id, device=seat.device
    )
