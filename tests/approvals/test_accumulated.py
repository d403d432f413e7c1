"""Thresholds add up over twelve months, under one agreement and across authors: a change is not split under them."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.governed import Draft
from approvals.requests import application, revisions, services
from approvals.requests.errors import PolicyStricter
from approvals.requests.models import ChangeRequest
from approvals.requests.states import Status
from entitlements.grants.models import Entitlement
from entitlements.planning import history
from tests import given
from tests.approvals.world import World, approve, fresh, revision_of

pytestmark = pytest.mark.django_db
_number = itertools.count(1)
WHY = "finance reads growth"


@pytest.fixture
def other(world: World) -> Entitlement:
    """Have another entitlement of five seats under the trial's agreement, and finance asked above 20 % a year."""
    given.user("finance")
    policy("seats_added_year_percent", "more_than", 20)
    line = given.order_line(world.trial_line.agreement, world.trial_line.sku_revision, 100)
    return given.entitlement(line, seats=5)


def policy(field: str, operator: str, value: Any, *more: dict[str, Any]) -> None:
    conditions = [{"field": field, "operator": operator, "value": value}, *more]
    stages = [{"position": 2, "role": "finance", "quorum": 1, "why": WHY}]
    given.record("policy.create", name=f"{field} {value}", conditions=conditions, stages=stages)


def seats(of: Entitlement, count: int | str) -> Draft:
    return Draft("entitlement.amend", {"seats": count}, of.id)


def ordering(world: World, *, quantity: int) -> Draft:
    """An order line from tomorrow on, at 100 euros a seat and year: 400 a year for four, to the end of the third."""
    tomorrow = (given.NOW + timedelta(days=1)).isoformat()
    terms = {
        "agreement_id": str(world.line.agreement_id),
        "reference": f"OL-more-{next(_number)}",
        "sku_revision_id": str(world.line.sku_revision_id),
        "starts_at": tomorrow,
        "periods": [{"starts_at": tomorrow, "ends_at": None, "quantity": quantity, "unit_price": "100"}],
        "currency": "EUR",
    }
    return Draft("orderline.create", terms)


def approved_by_finance(world: World, of: Entitlement, count: int) -> ChangeRequest:
    request = world.submit(seats(of, count))
    approve(request, world.first, world.second, given.user("finance"))
    return fresh(request)


def roles(request: ChangeRequest) -> list[str]:
    return [stage["role"] for stage in revision_of(request).document["policy"]]


def reasons(request: ChangeRequest) -> str:
    return " ".join(reason for stage in revision_of(request).document["policy"] for reason in stage["reasons"])


class TestSeatsOfTheYear:
    def test_ask_for_the_parts_what_they_ask_for_the_whole(self, world: World, other: Entitlement) -> None:
        assert roles(world.propose(seats(world.trial, 9))) == ["licensing", "finance"]
        first = world.approved(seats(world.trial, 7))
        assert roles(first) == ["licensing"]
        world.apply(first)

        second = world.propose(seats(other, 7), author=given.user("requester"))

        assert roles(second) == ["licensing", "finance"]
        assert f"{WHY} (seats rise by 40 % this year, above 20 %)" in reasons(second)

    def test_count_two_items_of_one_request_as_the_whole(self, world: World, other: Entitlement) -> None:
        assert roles(world.propose(seats(world.trial, 7), seats(other, 7))) == ["licensing", "finance"]

    def test_let_not_both_of_two_halves_pass_that_were_filed_at_once(self, world: World, other: Entitlement) -> None:
        halves = [world.approved(seats(world.trial, 7)), world.approved(seats(other, 7))]
        assert [roles(half) for half in halves] == [["licensing"], ["licensing"]]
        world.apply(halves[0])

        with pytest.raises(PolicyStricter, match="finance must approve with 1, not 0"):
            world.apply(halves[1])

        assert fresh(halves[1]).status == Status.IN_REVIEW
        assert roles(halves[1]) == ["licensing", "finance"]
        assert Entitlement.objects.get(id=other.id).seats == 5

    def test_tell_what_else_is_asked_for(self, world: World, other: Entitlement) -> None:
        world.propose(seats(world.trial, 90))
        world.submit(seats(world.trial, 7))

        planned = revision_of(world.propose(seats(other, 6))).document["plan"]

        assert planned["item_facts"][0]["seats_pending"] == 2

    def test_forget_after_twelve_months(self, world: World, other: Entitlement) -> None:
        world.apply(world.approved(seats(world.trial, 7)))
        later = given.NOW + timedelta(days=367)

        request = services.propose(
            title="Later", drafts=[seats(other, 7)], author=world.author, now=later, rationale=given.RATIONALE
        )

        facts = revision_of(request).document["plan"]["item_facts"][0]
        assert (facts["seats_added_year"], facts["seats_added_year_percent"]) == (2, 17)
        assert roles(request) == ["licensing"]

    def test_count_of_production_what_it_adds_beyond_the_trial(self, world: World, other: Entitlement) -> None:
        def added(count: int) -> Any:
            document = revision_of(world.propose(world.grant(seats=count))).document
            return document["plan"]["item_facts"][0]["seats_added_year"]

        assert added(5) == 0
        assert added(8) == 3

    def test_hold_of_what_has_no_limit(self, world: World, other: Entitlement) -> None:
        request = world.propose(seats(world.trial, "unlimited"))

        assert "finance" in roles(request)
        assert "has no limit or is not known" in reasons(request)

    def test_set_no_reduction_off(self, world: World, other: Entitlement) -> None:
        world.apply(world.approved(seats(other, 3)))

        request = world.propose(seats(other, 6))

        facts = revision_of(request).document["plan"]["item_facts"][0]
        assert (facts["seats_added_year"], facts["seats_removed_year"]) == (3, 2)
        assert roles(request) == ["licensing", "finance"]


class TestCostOfTheYear:
    def test_adds_up_by_currency(self, world: World) -> None:
        given.user("finance")
        policy("cost_added_year", "more_than", 3000, {"field": "currency", "operator": "is", "value": "EUR"})

        first = world.approved(ordering(world, quantity=4))
        facts = revision_of(first).document["plan"]["item_facts"][0]
        assert facts["seats_added_year"] == 4
        assert roles(first) == ["licensing"]
        world.apply(first)

        second = world.propose(ordering(world, quantity=4))

        assert roles(second) == ["licensing", "finance"]
        assert "the cost added this year is" in reasons(second)


class TestFactsOfThePlan:
    def test_are_compared(self, world: World) -> None:
        given.user("security")
        given.record(
            "policy.create",
            name="Losers",
            conditions=[{"field": "people_losing_access", "operator": "at_least", "value": 1}],
            stages=[{"position": 2, "role": "security", "quorum": 1}],
        )

        smooth, gap = world.propose(), world.propose(world.grant(days=25))

        assert roles(smooth) == ["licensing"]
        assert "security" in roles(gap)
        assert "3 people lose access, at least 1 people" in reasons(gap)
        assert revision_of(gap).document["plan"]["facts"]["new_gaps"] is True


class TestSuccessorsUnderTwoAgreements:
    def test_take_a_trial_over_once(self, world: World) -> None:
        lines = [
            given.order_line(given.agreement(world.account), world.trial.sku_revision, 100) for _agreement in range(2)
        ]
        grants = [world.grant(order_line_id=str(line.id), seats=5) for line in lines]
        first = world.approved(grants[0])
        assert revision_of(first).document["plan"]["item_facts"][0]["seats_added_year"] == 0
        world.apply(first)

        second = world.propose(grants[1])

        assert revision_of(second).document["plan"]["item_facts"][0]["seats_added_year"] == 5

    def test_wait_for_each_other_at_the_trials_agreement(self, world: World) -> None:
        line = given.order_line(given.agreement(world.account), world.trial.sku_revision, 100)
        items = revisions.items_of(revision_of(world.propose(world.grant(order_line_id=str(line.id)))))

        with CaptureQueriesContext(connection) as captured:
            history.hold(items)

        locked = captured.captured_queries[-1]["sql"]
        assert "FOR NO KEY UPDATE" in locked
        assert line.agreement_id.hex in locked
        assert world.trial_line.agreement_id.hex in locked


class TestHold:
    def test_needs_no_agreement(self, world: World) -> None:
        request = world.approved(Draft("product.create", {"code": "p", "name": "P"}))

        application.apply(change_request_id=request.id, user=world.operator, now=given.NOW)

        assert fresh(request).status == Status.APPLIED


class TestQueries:
    def test_are_as_many_for_many_changes(self, world: World, other: Entitlement) -> None:
        def needed() -> int:
            with CaptureQueriesContext(connection) as captured:
                world.propose(seats(world.trial, 6))
            return len(captured)

        before = needed()
        for count in (6, 7, 8):
            world.apply(world.approved(seats(other, count)) if count < 8 else approved_by_finance(world, other, count))
            other.refresh_from_db()

        assert needed() <= before
