"""A policy is refused when it could not be evaluated, or when too few people could satisfy it."""

import uuid
from typing import Any

import pytest

from approvals import governed
from approvals.governed import Draft, FactType
from approvals.policies.eligibility import DECIDING_ROLES, missing_people
from approvals.policies.errors import TooFewEligible
from approvals.policies.models import Policy
from approvals.requests.models import ChangeRequest
from foundation.errors import InvalidInput
from tests import given
from tests.approvals.world import World, approve, fresh

pytestmark = pytest.mark.django_db


def stage(role: str, quorum: int, position: int = 1) -> dict[str, Any]:
    return {"position": position, "role": role, "quorum": quorum}


def draft(*stages: dict[str, Any], **payload: Any) -> Draft:
    return Draft("policy.create", {"name": "Seats", "stages": list(stages)} | payload)


class TestProposePolicy:
    def test_refuses_a_fact_that_no_kind_declares(self, world: World) -> None:
        conditions = [{"field": "seats_afer", "operator": "more_than", "value": 5}]

        with pytest.raises(InvalidInput, match="no kind of change has a fact “seats_afer”") as refused:
            world.propose(draft(stage("licensing", 1), conditions=conditions))

        assert "seats_after" in refused.value.message
        assert not ChangeRequest.objects.filter(system=False).exists()

    @pytest.mark.parametrize(("operator", "value"), [("any_of", "5"), ("more_than", "many"), ("more_than", ["1"])])
    def test_refuses_a_comparison_that_does_not_fit_the_facts_type(
        self, world: World, operator: str, value: Any
    ) -> None:
        conditions = [{"field": "seats_after", "operator": operator, "value": value}]

        with pytest.raises(InvalidInput, match="Condition 1: “seats_after” is"):
            world.propose(draft(stage("licensing", 1), conditions=conditions))

    @pytest.mark.parametrize("role", ["requester", "auditor", "emergency", "administrator", "nobody"])
    def test_refuses_roles_that_do_not_decide(self, world: World, role: str) -> None:
        with pytest.raises(InvalidInput, match=f"The role {role} does not decide"):
            world.propose(draft(stage(role, 1)))

    def test_refuses_more_people_than_hold_the_role(self, world: World) -> None:
        with pytest.raises(TooFewEligible, match="3 of licensing, of whom there are 2"):
            world.propose(draft(stage("licensing", 3)))

    def test_counts_one_human_with_two_logins_once(self, world: World) -> None:
        given.user("licensing", human_id=world.first.human_id)

        with pytest.raises(TooFewEligible, match="3 of licensing, of whom there are 2"):
            world.propose(draft(stage("licensing", 3)))

    def test_does_not_count_who_is_inactive(self, world: World) -> None:
        given.user("licensing", is_active=False)

        with pytest.raises(TooFewEligible, match="3 of licensing, of whom there are 2"):
            world.propose(draft(stage("licensing", 3)))

    def test_refuses_stages_that_share_their_people(self, world: World) -> None:
        given.user("licensing", "finance")

        with pytest.raises(TooFewEligible, match="1 more are needed"):
            world.propose(draft(stage("licensing", 3), stage("finance", 1, 2)))

    def test_refuses_a_waiver_that_nobody_could_approve(self, world: World) -> None:
        with pytest.raises(TooFewEligible, match="1 of security, of whom there are 0"):
            world.propose(draft(stage("licensing", 1), waiver_role="security"))

    def test_accepts_what_can_be_satisfied(self, world: World) -> None:
        world.propose(draft(stage("licensing", 2)))


class TestApplyPolicy:
    def test_refuses_if_too_few_people_are_left(self, world: World) -> None:
        third = given.user("licensing")
        request = world.submit(draft(stage("licensing", 3)))
        approve(request, world.first, world.second)
        third.is_active = False
        third.save()

        with pytest.raises(TooFewEligible, match="3 of licensing, of whom there are 2"):
            world.apply(request)

        assert fresh(request).status == "approved"
        assert not Policy.objects.filter(name="Seats").exists()

    def test_puts_it_in_force(self, world: World) -> None:
        request = world.submit(draft(stage("licensing", 2)))
        approve(request, world.first, world.second)

        world.apply(request)

        assert Policy.objects.in_force().filter(name="Seats").exists()


class TestUnlimited:
    def test_passes_no_limit(self, world: World) -> None:
        given.user("finance")
        conditions = [{"field": "seats_after", "operator": "more_than", "value": 100}]
        given.record("policy.create", name="Large", conditions=conditions, stages=[stage("finance", 1, 2)])

        small = world.propose(world.grant(seats=5), title="Small")
        line = given.order_line(world.line.agreement, world.line.sku_revision, None)
        large = world.propose(
            world.grant(seats="unlimited", order_line_id=str(line.id), days=20), title="Without limit"
        )

        asked = {
            request.title: [stage["role"] for stage in fresh(request).current_revision.document["policy"]]  # type: ignore[union-attr]
            for request in (small, large)
        }
        assert asked == {"Small": ["licensing"], "Without limit": ["licensing", "finance"]}


class TestDeclaredFacts:
    def test_have_one_type_and_unit_whatever_the_kind(self) -> None:
        known: dict[str, FactType] = {}
        for facts in governed.declared_facts().values():
            for name, fact in facts.items():
                first = known.setdefault(name, fact)
                assert (first.type, first.unit) == (fact.type, fact.unit), name

    def test_are_what_items_have(self, world: World) -> None:
        request = world.propose(world.grant(), draft(stage("licensing", 1)))
        revision = fresh(request).current_revision
        assert revision is not None
        declared = governed.declared_facts()

        for item in revision.items.all():
            assert set(item.facts) <= set(declared[item.kind]), item.kind


class TestMissingPeople:
    def test_is_the_least_number_that_must_be_added(self) -> None:
        one, two, three = (frozenset({uuid.UUID(int=n)}) for n in range(3))

        assert missing_people([]) == 0
        assert missing_people([(one | two, 2)]) == 0
        assert missing_people([(one | two, 2), (one, 1)]) == 1
        assert missing_people([(one | two, 1), (one, 1)]) == 0
        assert missing_people([(one | two, 1), (two | three, 1), (one, 1)]) == 0
        assert missing_people([(frozenset(), 2), (one, 1)]) == 2

    def test_deciding_roles_are_those_with_the_permission(self) -> None:
        assert {"licensing", "legal", "finance"} <= DECIDING_ROLES
        assert not DECIDING_ROLES & {"requester", "auditor", "administrator", "emergency"}
