"""Seats: exact under concurrency, recorded beyond a soft grant, one for each person."""

import os
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from approvals.governed import Draft
from approvals.requests import services as requests
from audit.models import Event
from entitlements.grants import services
from entitlements.grants.errors import NoSeatFree, SeatAlreadyHeld, SeatNotHeld
from entitlements.grants.models import Entitlement, Seat, SeatPool
from foundation.errors import NotFound
from tests import given
from tests.approvals.conftest import LedgerDown, break_ledger

__all__ = ["break_ledger"]

THREADS, SEATS = 32, 100
RUNS = 50 if os.environ.get("TENURE_SOAK") == "1" else 3


def take(entitlement: Entitlement, **holder: Any) -> Seat:
    return services.take_seat(entitlement_id=entitlement.id, actor=None, now=given.NOW, **holder)


@pytest.mark.django_db
class TestTakeSeat:
    def test_gives_a_seat_to_a_person_or_a_device_with_its_event(self) -> None:
        granted = given.entitlement()
        person = given.people(1, of=granted.account)[0]

        seats = [take(granted, person_id=person.id), take(granted, device="laptop-7")]

        assert SeatPool.objects.get(entitlement=granted).used == 2
        events = Event.objects.of_subject(granted.id).filter(type="entitlements.seat.taken")
        assert {event.data["seat_id"] for event in events} == {str(seat.id) for seat in seats}

    def test_refuses_the_seat_too_many_under_hard_enforcement(self) -> None:
        granted = given.entitlement(seats=1)
        take(granted, device="a")

        with pytest.raises(NoSeatFree, match=granted.reference):
            take(granted, device="b")

        assert Seat.objects.filter(entitlement=granted).count() == 1

    def test_records_the_excess_under_soft_enforcement(self) -> None:
        granted = given.entitlement(seats=1, enforcement="soft")

        seats = [take(granted, device=name) for name in "abc"]

        assert [seat.over_granted for seat in seats] == [False, True, True]
        assert services.over_use(entitlement_id=granted.id) == 2

    def test_knows_no_excess_where_seats_are_unlimited(self) -> None:
        granted = given.entitlement(given.ordered(None), seats="unlimited")

        assert not take(granted, device="a").over_granted
        assert services.over_use(entitlement_id=granted.id) == 0

    def test_gives_a_person_one_seat(self) -> None:
        granted = given.entitlement()
        person = given.people(1, of=granted.account)[0]
        take(granted, person_id=person.id)

        with pytest.raises(SeatAlreadyHeld):
            take(granted, person_id=person.id)

    def test_gives_a_seat_again_after_its_release(self) -> None:
        granted = given.entitlement(seats=1)
        person = given.people(1, of=granted.account)[0]
        take(granted, person_id=person.id)
        services.release_seat(entitlement_id=granted.id, actor=None, now=given.NOW, person_id=person.id)

        take(granted, person_id=person.id)

        assert SeatPool.objects.get(entitlement=granted).used == 1

    def test_knows_no_entitlement_and_no_person_that_do_not_exist(self) -> None:
        granted = given.entitlement()

        with pytest.raises(NotFound):
            services.take_seat(entitlement_id=uuid.uuid4(), actor=None, now=given.NOW, device="a")
        with pytest.raises(NotFound):
            take(granted, person_id=uuid.uuid4())

    def test_gives_nothing_if_the_event_cannot_be_recorded(self, break_ledger: Callable[..., None]) -> None:
        granted = given.entitlement()
        break_ledger()

        with pytest.raises(LedgerDown):
            take(granted, device="a")

        assert SeatPool.objects.get(entitlement=granted).used == 0


@pytest.mark.django_db
class TestReleaseSeat:
    def test_takes_the_seat_back_with_its_event(self) -> None:
        granted = given.entitlement()
        take(granted, device="a")

        seat = services.release_seat(entitlement_id=granted.id, actor=None, now=given.NOW, device="a")

        assert (seat.released_at, SeatPool.objects.get(entitlement=granted).used) == (given.NOW, 0)
        assert Event.objects.of_subject(granted.id).filter(type="entitlements.seat.released").count() == 1

    def test_refuses_a_seat_that_is_not_held(self) -> None:
        with pytest.raises(SeatNotHeld):
            services.release_seat(entitlement_id=given.entitlement().id, actor=None, now=given.NOW, device="a")

    def test_keeps_the_seat_if_the_event_cannot_be_recorded(self, break_ledger: Callable[..., None]) -> None:
        granted = given.entitlement()
        take(granted, device="a")
        break_ledger()

        with pytest.raises(LedgerDown):
            services.release_seat(entitlement_id=granted.id, actor=None, now=given.NOW, device="a")

        assert SeatPool.objects.get(entitlement=granted).used == 1


@pytest.mark.soak
@pytest.mark.django_db(transaction=True)
class TestSeatsUnderContention:
    def test_are_held_exactly_as_often_as_granted(self) -> None:
        for run in range(RUNS):
            granted = given.entitlement(seats=SEATS)
            refusals = contend(granted)

            assert Seat.objects.held().filter(entitlement=granted).count() == SEATS, f"run {run}"
            assert SeatPool.objects.get(entitlement=granted).used == SEATS
            assert len(refusals) == THREADS * 4 - SEATS
            assert set(refusals) == {NoSeatFree}
            assert Event.objects.of_subject(granted.id).filter(type="entitlements.seat.taken").count() == SEATS


def contend(granted: Entitlement) -> list[type[Exception]]:
    """Let every thread try four seats at the same moment; answers what they were refused with."""
    start, refusals = threading.Barrier(THREADS), []

    def work(thread: int) -> None:
        try:
            start.wait(timeout=60)
            for n in range(4):
                try:
                    take(granted, device=f"device-{thread}-{n}")
                except Exception as error:  # noqa: BLE001  every refusal is looked at
                    refusals.append(type(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return refusals


@pytest.mark.django_db
class TestReduction:
    def test_needs_the_names_of_those_who_give_a_seat_up_before_review(self) -> None:
        granted = given.entitlement(seats=3)
        people = given.people(3, of=granted.account)
        for person in people:
            take(granted, person_id=person.id)

        told = planned(Draft("entitlement.amend", {"seats": 2}, granted.id)).failures
        named = planned(Draft("entitlement.amend", {"seats": 2, "release": [str(people[0].id)]}, granted.id))

        assert any("3 seats would be held of 2" in failure for failure in told)
        assert named.failures == ()
        assert [row["person"] for row in named.document["people"]["lose"]] == [str(people[0].id)]
        assert named.new_gaps


def planned(*drafts: Draft) -> Any:
    return requests.preview(drafts=list(drafts), user=given.user("requester"), now=given.NOW).plan
