"""The fresh plan and the policies in force at application: worse refuses and reopens, weaker does not matter."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from approvals import governed
from approvals.governed import Draft, Plan
from approvals.policies.models import Policy
from approvals.requests import services
from approvals.requests.errors import MaterialMoved, PolicyStricter
from approvals.requests.states import Status
from entitlements.grants.models import Entitlement
from entitlements.grants.services import take_seat
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_applying import assert_reopened
from tests.approvals.world import Waiver, World, approve, fresh, revision_of

WAIVER = Waiver("The site is closed then.", "Head of operations")


def end_trial(world: World, *, days: float) -> None:
    ends_at = (given.NOW + timedelta(days=days)).isoformat()
    given.record("entitlement.retire", target_id=world.trial.id, ends_at=ends_at)


class TestApplyOnAFreshPlan:
    def test_refuses_a_gap_that_opened_since_the_review(self, world: World) -> None:
        request = world.approved(world.grant(reference="PROD"))
        end_trial(world, days=10)

        with pytest.raises(MaterialMoved, match="a gap opened"):
            world.apply(request)

        assert_reopened(request)
        assert not Entitlement.objects.filter(reference="PROD").exists()

    def test_refuses_a_loser_who_was_added_since_the_review(self, world: World) -> None:
        request = world.approved()
        newcomer = given.people(1, of=world.account)[0]
        take_seat(entitlement_id=world.trial.id, actor=None, now=given.NOW, person_id=newcomer.id)

        with pytest.raises(MaterialMoved, match="1 more person loses access"):
            world.apply(request)

        assert_reopened(request)
        assert revision_of(request).plan["interruption"].startswith("1 person loses access")

    def test_refuses_a_cost_that_rose_since_the_review(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        planner = governed.planner()
        request = world.approved(Draft("orderline.amend", {"cost_center": "42"}, world.line.id))
        raised = dict(revision_of(request).document["plan"]["material"]["costs"]) | {"2026 EUR": "999999.00"}
        plan = type(planner).plan

        def dearer(self: Any, **options: Any) -> Plan:
            fresh_plan = plan(self, **options)
            return replace(fresh_plan, material=dict(fresh_plan.material) | {"costs": raised})

        monkeypatch.setattr(type(planner), "plan", dearer)

        with pytest.raises(MaterialMoved, match="the cost of 2026 EUR rose"):
            world.apply(request)

        assert_reopened(request)

    def test_shows_the_fresh_plan_to_the_reviewers(self, world: World) -> None:
        request = world.approved()
        read = revision_of(request).digest
        end_trial(world, days=10)
        with pytest.raises(MaterialMoved):
            world.apply(request)

        revision = revision_of(request)
        assert revision.digest != read
        assert "3 people lose access" in revision.plan["summary"]
        assert [stage.role for stage in revision.stages.order_by("position")] == ["licensing", "legal"]

    def test_never_applies_a_gap_without_a_waiver_though_all_approve_it(self, world: World) -> None:
        request = world.approved()
        end_trial(world, days=10)
        with pytest.raises(MaterialMoved):
            world.apply(request)
        approve(request, world.first, world.second, given.user("legal"))
        assert fresh(request).status == Status.APPROVED

        with pytest.raises(MaterialMoved, match="no waiver"):
            world.apply(request)

    def test_applies_once_the_gap_is_waived_and_approved(self, world: World) -> None:
        request = world.approved()
        end_trial(world, days=10)
        with pytest.raises(MaterialMoved):
            world.apply(request)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, waiver=WAIVER)
        services.submit(change_request_id=request.id, author=world.author, now=given.NOW)
        approve(request, world.first, world.second, given.user("legal"))

        world.apply(request)

        assert fresh(request).status == Status.APPLIED

    def test_does_not_mind_that_a_gap_closed(self, world: World) -> None:
        request = world.submit(world.grant(days=25), waiver=WAIVER)
        approve(request, world.first, world.second, given.user("legal"))
        extended = (given.NOW + timedelta(days=40)).isoformat()
        given.record("entitlement.extend", target_id=world.trial.id, ends_at=extended)

        world.apply(request)

        assert fresh(request).status == Status.APPLIED

    def test_does_not_mind_that_time_passed(self, world: World) -> None:
        request = world.approved()

        world.apply(request, days=15)

        assert fresh(request).status == Status.APPLIED

    def test_stays_approved_if_the_reopening_cannot_be_recorded(self, world: World, break_ledger: Any) -> None:
        request = world.approved()
        end_trial(world, days=10)
        break_ledger("approvals.change_request.reopened")

        with pytest.raises(LedgerDown):
            world.apply(request)

        assert (fresh(request).status, revision_of(request).number) == (Status.APPROVED, 1)


def stages(*required: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"position": n, "role": role, "quorum": quorum} for n, (role, quorum) in enumerate(required, 1)]


class TestApplyUnderThePoliciesInForce:
    @pytest.mark.parametrize("required", [[("finance", 1)], [("licensing", 3)]])
    def test_refuses_if_they_ask_for_more(self, world: World, required: list[tuple[str, int]]) -> None:
        request = world.approved()
        given.record("policy.create", name="Stricter", stages=stages(*required))

        with pytest.raises(PolicyStricter):
            world.apply(request)

        assert_reopened(request)
        assert required[0] in [(stage.role, stage.quorum) for stage in revision_of(request).stages.all()]

    def test_falls_back_on_the_default_chain_if_one_cannot_be_evaluated(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request = world.approved()
        conditions = [{"field": "of_old", "operator": "at_least", "value": 5}]
        # As if an app had declared the fact then, and declares it no longer.
        monkeypatch.setattr("approvals.policies.conditions.check", lambda **_: ())
        given.record("policy.create", name="Broken", conditions=conditions, stages=stages(("finance", 1)))
        for policy in Policy.objects.exclude(name="Broken"):
            given.record("policy.retire", target_id=policy.id)

        world.apply(request)  # the default chain is what was asked before

        assert fresh(request).status == Status.APPLIED

    def test_does_not_mind_that_they_ask_for_less(self, world: World) -> None:
        policy = given.record("policy.create", name="Finance too", stages=stages(("licensing", 1), ("finance", 1)))
        request = world.submit()
        approve(request, world.first, world.second, given.user("finance"))
        given.record("policy.retire", target_id=policy.id)

        world.apply(request)

        assert fresh(request).status == Status.APPLIED

    def test_does_not_mind_a_policy_that_does_not_match(self, world: World) -> None:
        request = world.approved()
        conditions = [{"field": "phase", "operator": "is", "value": "trial"}]
        given.record("policy.create", name="Trials", conditions=conditions, stages=stages(("finance", 1)))

        world.apply(request)

        assert fresh(request).status == Status.APPLIED
