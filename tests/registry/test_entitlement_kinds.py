"""Granting, amending, extending, retiring and moving entitlements."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from entitlements.directory.models import Person
from entitlements.grants.models import Entitlement, Seat
from entitlements.grants.services import take_seat
from foundation.errors import ConstraintViolated, InvalidInput
from tests import given

pytestmark = pytest.mark.django_db


def at(days: float) -> str:
    return (given.NOW + timedelta(days=days)).isoformat()


def holders(of: Entitlement) -> set[uuid.UUID | None]:
    return set(Seat.objects.held().filter(entitlement=of).values_list("person_id", flat=True))


class TestGrant:
    def test_follows_the_sku_revision_where_nothing_is_said(self) -> None:
        granted = given.entitlement()

        assert granted.sku_revision == granted.order_line.sku_revision
        assert granted.support_level == "business_hours"
        assert granted.environments == ["trial", "staging", "production"]

    def test_keeps_a_trial_out_of_production_unless_said(self) -> None:
        line = given.ordered()

        assert given.entitlement(line, phase="trial").environments == ["trial", "staging"]
        said = given.entitlement(line, phase="bridge", environments=["production"])
        assert said.environments == ["production"]

    def test_makes_its_pool_and_serves_everybody(self) -> None:
        granted = given.entitlement(seats=7, enforcement="soft")

        pool = granted.pool
        assert (pool.granted, pool.hard, pool.used) == (7, False, 0)
        assert str(granted.activation) == "everybody"

    def test_takes_unlimited_seats_only_in_words(self) -> None:
        line = given.ordered(None)

        assert given.entitlement(line, seats="unlimited").seats is None
        with pytest.raises(InvalidInput, match="seats"):
            given.entitlement(line, seats=None)

    def test_registers_people_and_gives_them_seats(self) -> None:
        line = given.ordered()
        person = {"person_id": str(uuid.uuid4()), "human_id": str(uuid.uuid4()), "country": "DE"}

        granted = given.entitlement(line, people=[person], holders=[person["person_id"]])

        stored = Person.objects.get(id=person["person_id"])
        assert (stored.account_id, stored.country, str(stored.human_id)) == (
            line.agreement.licensee_id,
            "DE",
            person["human_id"],
        )
        assert holders(granted) == {stored.id}

    def test_carries_the_holders_of_its_predecessor_over(self) -> None:
        trial, people = trial_with_holders()

        successor = given.entitlement(
            given.order_line(trial.order_line.agreement, trial.sku_revision), replaces_id=trial.id
        )

        assert holders(successor) == {person.id for person in people} == holders(trial)

    def test_carries_nobody_over_if_told_so(self) -> None:
        trial, _people = trial_with_holders()

        successor = given.entitlement(
            given.order_line(trial.order_line.agreement, trial.sku_revision), replaces_id=trial.id, carry_over=False
        )

        assert holders(successor) == set()

    def test_refuses_to_carry_over_without_a_predecessor(self) -> None:
        with pytest.raises(InvalidInput, match="no predecessor"):
            given.entitlement(carry_over=True)

    def test_refuses_a_holder_who_does_not_exist(self) -> None:
        with pytest.raises((ConstraintViolated, InvalidInput)):
            given.entitlement(holders=[str(uuid.uuid4())])

    def test_refuses_more_holders_than_seats(self) -> None:
        line = given.ordered()
        people = given.people(3, of=line.agreement.licensee)

        with pytest.raises(Exception, match="seat"):
            given.entitlement(line, seats=2, holders=[str(person.id) for person in people])

    @pytest.mark.parametrize("regions", [["Atlantis"], []])
    def test_refuses_regions_that_do_not_exist(self, regions: list[str]) -> None:
        with pytest.raises(InvalidInput):
            given.entitlement(regions=regions)

    def test_refuses_an_instant_without_a_time_zone(self) -> None:
        with pytest.raises(InvalidInput, match="starts_at"):
            given.entitlement(starts_at="2026-03-02T10:00:00")


class TestAmend:
    def test_changes_what_is_given_and_keeps_the_rest(self) -> None:
        granted = given.entitlement(grace_seconds=60, notes="first")

        changed = given.record("entitlement.amend", target_id=granted.id, seats=12, regions=["DE"])

        assert (changed.seats, changed.countries, changed.grace_seconds, changed.notes) == (12, ["DE"], 60, "first")
        assert changed.pool.granted == 12

    def test_opens_an_end_only_if_told_so(self) -> None:
        granted = given.entitlement()

        assert given.record("entitlement.amend", target_id=granted.id, seats=9).ends_at == granted.ends_at
        assert given.record("entitlement.amend", target_id=granted.id, ends_at=None).ends_at is None

    def test_gives_and_takes_named_seats(self) -> None:
        trial, people = trial_with_holders()
        newcomer = given.people(1, of=trial.account)[0]

        given.record("entitlement.amend", target_id=trial.id, holders=[str(newcomer.id)], release=[str(people[0].id)])

        assert holders(trial) == {people[1].id, people[2].id, newcomer.id}

    def test_reduces_below_use_only_with_names(self) -> None:
        trial, people = trial_with_holders()

        with pytest.raises(Exception, match="granted seat is held"):
            given.record("entitlement.amend", target_id=trial.id, seats=2)

        changed = given.record("entitlement.amend", target_id=trial.id, seats=2, release=[str(people[0].id)])
        assert (changed.pool.granted, changed.pool.used) == (2, 2)

    def test_moves_no_start_that_has_passed(self) -> None:
        granted = given.entitlement()

        with pytest.raises(InvalidInput, match="has started"):
            given.record("entitlement.amend", target_id=granted.id, starts_at=at(1))

    def test_moves_a_start_to_come(self) -> None:
        granted = given.entitlement(starts_at=at(5))

        assert given.record("entitlement.amend", target_id=granted.id, starts_at=at(6)).starts_at.isoformat() == at(6)

    def test_ends_nothing_in_the_past(self) -> None:
        granted = given.entitlement()

        with pytest.raises(InvalidInput, match="past"):
            given.record("entitlement.amend", target_id=granted.id, ends_at=at(-1))

    def test_leaves_alone_what_was_taken_back(self) -> None:
        granted = taken_back()

        with pytest.raises(InvalidInput, match="taken back"):
            given.record("entitlement.amend", target_id=granted.id, seats=11)


class TestExtend:
    def test_moves_the_end_later(self) -> None:
        granted = given.entitlement()

        assert given.record("entitlement.extend", target_id=granted.id, ends_at=at(400)).ends_at.isoformat() == at(400)

    @pytest.mark.parametrize("days", [335, 100])
    def test_refuses_an_end_that_is_not_later(self, days: int) -> None:
        with pytest.raises(InvalidInput, match="not after the present one"):
            given.record("entitlement.extend", target_id=given.entitlement().id, ends_at=at(days))

    def test_refuses_an_open_end(self) -> None:
        with pytest.raises(InvalidInput, match="open-ended"):
            given.record("entitlement.extend", target_id=given.entitlement(ends_at=None).id, ends_at=at(400))

    def test_leaves_alone_what_was_taken_back(self) -> None:
        with pytest.raises(InvalidInput, match="taken back"):
            given.record("entitlement.extend", target_id=taken_back().id, ends_at=at(500))


class TestRetire:
    def test_moves_the_end_earlier(self) -> None:
        granted = given.entitlement()

        assert given.record("entitlement.retire", target_id=granted.id, ends_at=at(10)).ends_at.isoformat() == at(10)

    def test_takes_back_what_has_not_started(self) -> None:
        granted = taken_back()

        assert granted.withdrawn_at == given.NOW
        assert not Entitlement.objects.in_force_at(given.NOW + timedelta(days=10)).filter(id=granted.id).exists()

    def test_takes_back_once(self) -> None:
        with pytest.raises(InvalidInput, match="taken back"):
            given.record("entitlement.retire", target_id=taken_back().id, ends_at=at(1))

    def test_refuses_a_past_end(self) -> None:
        with pytest.raises(InvalidInput, match="past"):
            given.record("entitlement.retire", target_id=given.entitlement().id, ends_at=at(-1))

    def test_refuses_to_take_back_what_has_started(self) -> None:
        with pytest.raises(InvalidInput, match="has started"):
            given.record("entitlement.retire", target_id=given.entitlement().id, ends_at=at(-40))

    def test_refuses_a_later_end(self) -> None:
        with pytest.raises(InvalidInput, match="earlier already"):
            given.record("entitlement.retire", target_id=given.entitlement().id, ends_at=at(400))


class TestMove:
    def test_moves_to_another_revision_with_its_regions(self) -> None:
        granted = given.entitlement()
        revision = given.sku_revision(granted.sku, countries=["FR"])

        moved = given.record("entitlement.move", target_id=granted.id, sku_revision_id=revision.id, regions=["FR"])

        assert (moved.sku_revision, moved.countries) == (revision, ["FR"])

    def test_refuses_a_revision_of_another_sku(self) -> None:
        revision = given.sku_revision(given.sku(given.product()))

        with pytest.raises(InvalidInput, match="another SKU"):
            given.record("entitlement.move", target_id=given.entitlement().id, sku_revision_id=revision.id)

    def test_leaves_alone_what_was_taken_back(self) -> None:
        granted = taken_back()
        revision = given.sku_revision(granted.sku)

        with pytest.raises(InvalidInput, match="taken back"):
            given.record("entitlement.move", target_id=granted.id, sku_revision_id=revision.id)


def taken_back() -> Entitlement:
    """An entitlement that was withdrawn before it started."""
    granted = given.entitlement(starts_at=at(5))
    return given.record("entitlement.retire", target_id=granted.id, ends_at=at(5))


def trial_with_holders() -> tuple[Entitlement, list[Any]]:
    """A trial of three people, one of whom took the seat later."""
    trial = given.entitlement(phase="trial", seats=4)
    people = given.people(3, of=trial.account)
    for person in people:
        take_seat(entitlement_id=trial.id, actor=None, now=given.NOW, person_id=person.id)
    return trial, people
