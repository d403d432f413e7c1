"""Rights at their edges: accounts that move, people who are left out, entitlements that are over."""

import uuid
from datetime import timedelta

import pytest

from approvals.governed import Draft, Plan
from approvals.requests import services
from entitlements.directory.models import Person
from entitlements.grants.errors import NotInForce, NotServed
from entitlements.grants.services import take_seat
from foundation.errors import InvalidInput
from tests import given
from tests.approvals import world as building

pytestmark = pytest.mark.django_db


def at(days: int) -> str:
    """An instant so many days after NOW."""
    return (given.NOW + timedelta(days=days)).isoformat()


def plan(*drafts: Draft) -> Plan:
    """The plan of drafts."""
    return services.preview(drafts=list(drafts), user=given.user("requester"), now=given.NOW).plan


class TestMovingAnAccount:
    def test_out_from_under_its_agreement_is_told_in_the_plan(self) -> None:
        top = given.account()
        below = given.account(parent_id=top.id)
        agreement = given.agreement(top, covers_descendants=True)
        line = given.order_line(agreement, given.sku_revision(given.sku(given.product())))
        given.entitlement(line, account_id=below.id)

        assert plan(Draft("account.amend", {"parent_id": None}, below.id)).failures

    def test_whose_entitlements_have_ended_is_free(self) -> None:
        top = given.account()
        below = given.account(parent_id=top.id)
        agreement = given.agreement(top, covers_descendants=True)
        line = given.order_line(agreement, given.sku_revision(given.sku(given.product())))
        given.entitlement(line, account_id=below.id, ends_at=at(-1))

        assert not plan(Draft("account.amend", {"parent_id": None}, below.id)).failures


class TestOrderingOutsideTheAgreement:
    def test_is_told_in_the_plan_of_a_line_without_entitlements(self) -> None:
        line = given.ordered()
        payload = {
            "agreement_id": str(line.agreement_id),
            "reference": "early",
            "sku_revision_id": str(line.sku_revision_id),
            "starts_at": at(-900),
            "periods": [{"starts_at": at(-900), "quantity": 1, "unit_price": "1"}],
            "currency": "EUR",
        }

        assert plan(Draft("orderline.create", payload)).failures


class TestLeavingSomebodyOut:
    def test_is_said_of_a_holder_whose_seat_is_taken_back(self) -> None:
        world = building.make()
        person = world.people[0].id

        found = plan(Draft("entitlement.amend", {"release": [str(person)]}, world.trial.id))

        assert [row["person"] for row in found.document["people"]["lose"]] == [str(person)]
        assert found.new_gaps

    def test_is_not_said_of_a_holder_who_keeps_another_seat_of_the_product(self) -> None:
        world = building.make()
        person = world.people[0].id
        line = given.order_line(world.trial.order_line.agreement, world.trial.sku_revision)
        given.entitlement(line, holders=[str(person)])

        found = plan(Draft("entitlement.amend", {"release": [str(person)]}, world.trial.id))

        assert not found.document["people"]["lose"]

    def test_needs_a_waiver_where_the_successor_drops_a_holders_country(self) -> None:
        world = building.make()
        (person,) = given.people(1, of=world.account)
        Person.objects.filter(id=person.id).update(country="US")
        take_seat(entitlement_id=world.trial.id, actor=None, now=given.NOW, person_id=person.id)

        assert plan(world.grant(regions=["DE"])).new_gaps
        assert not plan(world.grant(regions=["DE", "US"])).new_gaps


class TestNamingPeople:
    def test_refuses_a_holder_who_does_not_exist(self) -> None:
        with pytest.raises(InvalidInput, match="Nobody is registered"):
            plan(building.make().grant(holders=[str(uuid.uuid4())]))

    def test_refuses_the_release_of_who_holds_no_seat(self) -> None:
        trial = building.make().trial

        with pytest.raises(InvalidInput, match="none can be released"):
            plan(Draft("entitlement.amend", {"release": [str(uuid.uuid4())]}, trial.id))

    def test_tells_of_holders_whom_the_entitlement_does_not_serve(self) -> None:
        (stranger,) = given.people(1, of=given.account())

        assert plan(building.make().grant(holders=[str(stranger.id)])).failures


class TestTakeSeat:
    def test_refuses_an_entitlement_that_has_ended(self) -> None:
        ended = given.entitlement(ends_at=at(-1))

        with pytest.raises(NotInForce):
            take_seat(entitlement_id=ended.id, actor=None, now=given.NOW, device="a")

    def test_refuses_an_entitlement_that_was_taken_back(self) -> None:
        taken_back = given.entitlement(starts_at=at(5))
        given.record("entitlement.retire", target_id=taken_back.id, ends_at=at(5))

        with pytest.raises(NotInForce):
            take_seat(entitlement_id=taken_back.id, actor=None, now=given.NOW, device="a")

    def test_refuses_a_person_whom_the_entitlement_does_not_serve(self) -> None:
        entitlement = given.entitlement()
        (stranger,) = given.people(1, of=given.account())

        with pytest.raises(NotServed):
            take_seat(entitlement_id=entitlement.id, actor=None, now=given.NOW, person_id=stranger.id)


class TestExtending:
    def test_revives_nothing_that_ended(self) -> None:
        ended = given.entitlement(ends_at=at(-5))

        with pytest.raises(InvalidInput, match="ended on"):
            given.record("entitlement.extend", target_id=ended.id, ends_at=at(10))
