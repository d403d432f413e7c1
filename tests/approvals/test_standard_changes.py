"""Standard changes: what a template covers, what it refuses, and that it is in force when the change is applied."""

from datetime import timedelta
from typing import Any

import pytest

from approvals import events
from approvals.facts import RiskLevel
from approvals.governed import Draft
from approvals.policies.risk import Raised
from approvals.requests import services, standard, timetable
from approvals.requests.differences import ValueChange, between
from approvals.requests.errors import (
    GapWithoutWaiver,
    MaterialMoved,
    NotStandard,
    StandardLimitReached,
    StandardLost,
)
from approvals.requests.models import Authorization, ChangeRequest
from approvals.requests.revisions import Rationale, Waiver
from approvals.requests.schedules import Schedule
from approvals.requests.states import Status
from approvals.standards.models import StandardTemplate
from entitlements.grants.models import Entitlement
from foundation.errors import InvalidInput
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_fresh_plan import end_trial
from tests.approvals.world import World, approve, counted, events_of, fresh, revision_of

pytestmark = pytest.mark.django_db

BOUNDS = [
    {"field": "seats_after", "operator": "at_most", "value": 20},
    {"field": "fields_touched", "operator": "none_of", "value": ["ends_at", "starts_at", "countries"]},
]
YEAR = timedelta(days=365)


def payload(**changes: Any) -> dict[str, Any]:
    """What a template says: a few more seats, by requesters."""
    return {
        "name": "A few more seats",
        "kinds": ["entitlement.amend"],
        "conditions": BOUNDS,
        "proposer_roles": ["requester"],
        "expires_at": (given.NOW + YEAR).isoformat(),
    } | changes


def template(**changes: Any) -> StandardTemplate:
    """A template in force."""
    return given.record("standard_template.create", **payload(**changes))


def more_seats(world: World, seats: int = 9, **more: Any) -> Draft:
    return Draft("entitlement.amend", {"seats": seats} | more, world.trial.id)


def submitted(world: World, of: StandardTemplate, *drafts: Draft, **options: Any) -> ChangeRequest:
    return world.submit(*(drafts or [more_seats(world)]), template_id=of.id, **options)


class TestProposeTemplate:
    @pytest.mark.parametrize("missing", ["conditions", "kinds", "proposer_roles"])
    def test_refuses_one_without_bounds(self, world: World, missing: str) -> None:
        with pytest.raises(InvalidInput, match=missing):
            world.propose(Draft("standard_template.create", payload(**{missing: []})))

    def test_refuses_one_without_an_end(self, world: World) -> None:
        values = payload()
        del values["expires_at"]

        with pytest.raises(InvalidInput, match="expires_at"):
            world.propose(Draft("standard_template.create", values))

    def test_refuses_an_end_that_is_over(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="expires later than now"):
            world.propose(Draft("standard_template.create", payload(expires_at=given.NOW.isoformat())))

    def test_refuses_a_fact_that_no_kind_declares(self, world: World) -> None:
        conditions = [{"field": "seats_afer", "operator": "at_most", "value": 5}]

        with pytest.raises(InvalidInput, match="no kind of change has a fact “seats_afer”"):
            world.propose(Draft("standard_template.create", payload(conditions=conditions)))

    def test_refuses_a_bound_that_one_of_its_kinds_could_never_keep(self, world: World) -> None:
        kinds = ["entitlement.amend", "account.amend"]

        with pytest.raises(InvalidInput, match=r"account\.amend has no “seats_after”"):
            world.propose(Draft("standard_template.create", payload(kinds=kinds)))

    @pytest.mark.parametrize("kind", ["policy.create", "policy.retire", "standard_template.amend"])
    def test_refuses_to_pre_approve_what_decides_who_approves(self, world: World, kind: str) -> None:
        conditions = [{"field": "kind", "operator": "is", "value": kind}]

        with pytest.raises(InvalidInput, match="never standard changes"):
            world.propose(Draft("standard_template.create", payload(kinds=[kind], conditions=conditions)))

    def test_refuses_a_kind_that_nobody_registered(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="There is no kind of change"):
            world.propose(Draft("standard_template.create", payload(kinds=["entitlement.vanish"])))

    @pytest.mark.parametrize("role", ["auditor", "nobody"])
    def test_refuses_roles_that_do_not_propose(self, world: World, role: str) -> None:
        with pytest.raises(InvalidInput, match=f"The role {role} does not propose"):
            world.propose(Draft("standard_template.create", payload(proposer_roles=[role])))

    def test_refuses_to_add_up_what_is_no_number(self, world: World) -> None:
        with pytest.raises(InvalidInput, match="no number “phase”"):
            world.propose(Draft("standard_template.create", payload(accumulations=[{"fact": "phase", "at_most": 5}])))

    def test_is_a_change_under_policy_itself(self, world: World) -> None:
        request = world.submit(Draft("standard_template.create", payload()))
        assert fresh(request).status == Status.IN_REVIEW

        approve(request, world.first, world.second)
        world.apply(request)

        assert StandardTemplate.objects.get().name == "A few more seats"


class TestSubmitStandardChange:
    def test_approves_what_is_inside_the_bounds_at_once(self, world: World) -> None:
        of = template()

        request = submitted(world, of)

        assert fresh(request).status == Status.APPROVED
        assert events_of(request) == ["preapproved", "proposed", "submitted"]
        assert revision_of(request).document["standard"] == {
            "template_id": str(of.id),
            "name": of.name,
            "version": 1,
        }

    def test_is_still_one_change_request_applied_by_somebody(self, world: World) -> None:
        of = template()

        request = world.apply(submitted(world, of))

        cited = Authorization.objects.get(change_request=request)
        assert (cited.basis, cited.template, cited.template_version, cited.decisions) == ("standard", of, 1, [])
        assert Entitlement.objects.get(id=world.trial.id).seats == 9
        assert not revision_of(request).decisions.exists()

    def test_refuses_what_is_outside_with_each_bound_in_words(self, world: World) -> None:
        ends_at = (given.NOW + timedelta(days=60)).isoformat()
        request = world.propose(more_seats(world, 21, ends_at=ends_at), template_id=template().id)
        before = counted()

        with pytest.raises(NotStandard) as caught:
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

        told = caught.value.message
        assert "Seats after is 21 seats; allowed is at most 20." in told
        assert "allowed is none of ends_at, starts_at, countries." in told
        assert "drop the template" in told
        assert (fresh(request).status, counted()) == (Status.DRAFT, before)

    def test_refuses_an_unknown_value(self, world: World) -> None:
        unlimited = given.entitlement(given.ordered(None), seats="unlimited")
        draft = Draft("entitlement.amend", {"notes": "Checked."}, unlimited.id)
        request = world.propose(draft, template_id=template().id)

        with pytest.raises(NotStandard, match="Seats after has no limit or is not known"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_refuses_if_one_item_of_several_is_outside(self, world: World) -> None:
        second = given.entitlement(world.line, seats=3)
        items = [more_seats(world), Draft("entitlement.amend", {"seats": 40}, second.id)]
        request = world.propose(*items, template_id=template().id)

        with pytest.raises(NotStandard, match="Seats after is 40 seats"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_refuses_another_kind(self, world: World) -> None:
        request = world.propose(world.grant(), template_id=template().id)

        with pytest.raises(NotStandard, match=r"does not pre-approve entitlement\.grant"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_refuses_a_gap_waived_or_not(self, world: World) -> None:
        bounds = [{"field": "seats_after", "operator": "at_most", "value": 20}]
        of = template(kinds=["entitlement.grant"], conditions=bounds)
        request = world.propose(world.grant(days=26), template_id=of.id)
        with pytest.raises(GapWithoutWaiver):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)
        waiver = Waiver("They are on leave.", "The head of sales")
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, waiver=waiver)

        with pytest.raises(NotStandard, match=r"opens a gap.*has a waiver"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    @pytest.mark.parametrize("role", ["licensing", "emergency"])
    def test_refuses_an_author_of_another_role(self, world: World, role: str) -> None:
        author = given.user(role)
        request = world.propose(more_seats(world), template_id=template().id, author=author)

        with pytest.raises(NotStandard, match="The template is for requester"):
            services.submit(change_request_id=request.id, author=author, now=given.NOW)

    def test_refuses_a_revision_that_somebody_of_another_role_wrote(self, world: World) -> None:
        request = world.propose(more_seats(world), template_id=template().id, author=given.user("legal"))

        with pytest.raises(NotStandard, match="The template is for requester"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_goes_to_ordinary_review_without_the_template(self, world: World) -> None:
        request = world.propose(more_seats(world, 21), template_id=template().id)
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, template_id=None)

        services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

        assert fresh(request).status == Status.IN_REVIEW
        assert revision_of(request).document["standard"] is None

    @pytest.mark.parametrize("out_of_force", ["retired", "expired"])
    def test_can_be_edited_once_the_template_is_out_of_force_and_drops_it(
        self, world: World, out_of_force: str
    ) -> None:
        of = template(expires_at=(given.NOW + timedelta(hours=1)).isoformat())
        request = submitted(world, of)
        if out_of_force == "retired":
            given.record("standard_template.retire", target_id=of.id)
        later = given.NOW + timedelta(hours=0 if out_of_force == "retired" else 1)

        services.amend(change_request_id=request.id, author=world.author, now=later, title="Another title")

        assert revision_of(request).document["standard"] is None

    def test_cites_the_version_in_force_when_it_is_edited(self, world: World) -> None:
        of = template()
        request = submitted(world, of)
        given.record("standard_template.amend", target_id=of.id, description="Another.")

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, title="Another title")

        assert revision_of(request).document["standard"]["version"] == 2

    def test_refuses_what_reaches_back(self, world: World) -> None:
        """Standing rules hold whatever is pre-approved."""
        bounds = [{"field": "kind", "operator": "is", "value": "entitlement.grant"}]
        of = template(kinds=["entitlement.grant"], conditions=bounds)
        draft = world.grant(days=-3, replaces_id=None, ends_at=(given.NOW + timedelta(days=9)).isoformat())
        request = world.propose(draft, template_id=of.id)

        with pytest.raises(NotStandard, match="finance must approve it"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_may_be_used_by_who_wrote_the_template(self, world: World) -> None:
        proposed = world.approved(Draft("standard_template.create", payload()))
        world.apply(proposed)

        request = submitted(world, StandardTemplate.objects.get())

        assert fresh(request).status == Status.APPROVED

    def test_takes_the_templates_words_where_the_author_says_nothing(self, world: World) -> None:
        of = template(
            justification="The team grew.", impact="None.", acceptance_criteria=["Seats show."], rollback="Amend back."
        )

        request = submitted(world, of, rationale=Rationale(justification="Six interns."))

        assert revision_of(request).rationale["justification"] == "Six interns."
        assert revision_of(request).rationale["rollback"] == "Amend back."

    def test_leaves_a_scheduled_one_to_the_clock(self, world: World) -> None:
        window = Schedule(given.NOW + timedelta(hours=1), given.NOW + timedelta(hours=2), "UTC")

        request = submitted(world, template(), schedule=window)

        assert fresh(request).status == Status.SCHEDULED
        report = timetable.apply_due(now=window.opens_at)
        assert (report.applied, fresh(request).status) == (1, Status.APPLIED)

    def test_changes_nothing_if_the_event_cannot_be_recorded(self, world: World, break_ledger: Any) -> None:
        of = template()
        request = world.propose(more_seats(world), template_id=of.id)
        before = counted()
        break_ledger(events.REQUEST_PREAPPROVED)

        with pytest.raises(LedgerDown):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

        assert (fresh(request).status, counted()) == (Status.DRAFT, before)

    def test_cites_no_template_that_is_out_of_force(self, world: World) -> None:
        expired = template(expires_at=(given.NOW + timedelta(hours=1)).isoformat())
        retired = template(name="Another")
        given.record("standard_template.retire", target_id=retired.id)

        for of, days, why in ((expired, 1, "expired on"), (retired, 0, "is retired")):
            with pytest.raises(InvalidInput, match=why):
                services.propose(
                    title="More",
                    drafts=[more_seats(world)],
                    author=world.author,
                    now=given.NOW + timedelta(days=days),
                    template_id=of.id,
                )


class TestLimits:
    def test_of_a_day_refuse_the_next_application(self, world: World) -> None:
        of = template(daily_limit=1)
        second = submitted(world, of, Draft("entitlement.amend", {"seats": 4}, given.entitlement(world.line).id))
        world.apply(submitted(world, of))

        with pytest.raises(StandardLimitReached, match="1 times in the last 24 hours"):
            world.apply(second)

        assert fresh(second).status == Status.APPROVED
        world.apply(second, days=1)

    def test_of_a_month_refuse_at_submission(self, world: World) -> None:
        of = template(monthly_limit=1)
        world.apply(submitted(world, of))
        request = world.propose(more_seats(world, 10), template_id=of.id)

        with pytest.raises(NotStandard, match="1 times in the last 30 days"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_add_up_for_each_account(self, world: World) -> None:
        of = template(accumulations=[{"fact": "seats_change", "at_most": 6}])
        world.apply(submitted(world, of, more_seats(world, 9)))
        elsewhere = given.entitlement(seats=3)
        request = world.propose(more_seats(world, 12), template_id=of.id)

        with pytest.raises(NotStandard, match="Accumulated seats change of one account would be 7"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)
        submitted(world, of, Draft("entitlement.amend", {"seats": 9}, elsewhere.id))

    def test_count_two_that_moved_the_same_as_two(self, world: World) -> None:
        of = template(accumulations=[{"fact": "seats_change", "at_most": 6}])
        targets = [given.entitlement(world.line, seats=3, phase=phase) for phase in ("production", "bridge")]
        third = given.entitlement(world.trial_line, seats=3, phase="bridge")
        for target in targets:
            draft = Draft("entitlement.amend", {"seats": 6}, target.id)
            world.apply(submitted(world, of, draft))
        request = world.propose(Draft("entitlement.amend", {"seats": 4}, third.id), template_id=of.id)

        with pytest.raises(NotStandard, match="would be 7"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_are_not_evaded_by_undoing(self, world: World) -> None:
        of = template(accumulations=[{"fact": "seats_change", "at_most": 6}])
        world.apply(submitted(world, of, more_seats(world, 9)))
        request = world.propose(more_seats(world, 5), template_id=of.id)

        with pytest.raises(NotStandard, match="would be 8 in 30 days"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)

    def test_add_up_the_items_of_one_request(self, world: World) -> None:
        of = template(accumulations=[{"fact": "seats_change", "at_most": 6}])
        other = given.entitlement(world.line, seats=3)
        items = [more_seats(world, 9), Draft("entitlement.amend", {"seats": 6}, other.id)]
        request = world.propose(*items, template_id=of.id)

        with pytest.raises(NotStandard, match="would be 7"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)


class TestApplyStandardChange:
    @pytest.mark.parametrize(
        ("kind", "change", "why"),
        [
            ("standard_template.amend", {"description": "Another."}, "was amended since"),
            ("standard_template.retire", {}, "is retired"),
        ],
    )
    def test_opens_the_ordinary_review_if_the_template_moved(
        self, world: World, kind: str, change: dict[str, Any], why: str
    ) -> None:
        of = template()
        request = submitted(world, of)
        given.record(kind, target_id=of.id, **change)

        with pytest.raises(StandardLost, match=why):
            world.apply(request)

        assert fresh(request).status == Status.IN_REVIEW
        assert revision_of(request).document["standard"] is None
        approve(request, world.first, world.second)
        world.apply(request)
        assert Authorization.objects.get(change_request=request).basis == "quorum"

    def test_opens_the_ordinary_review_once_the_template_has_expired(self, world: World) -> None:
        request = submitted(world, template(expires_at=(given.NOW + timedelta(hours=1)).isoformat()))

        with pytest.raises(StandardLost, match="expired on"):
            world.apply(request, days=1)

    def test_opens_the_ordinary_review_if_the_author_lost_the_role(self, world: World) -> None:
        request = submitted(world, template())
        world.author.groups.clear()

        with pytest.raises(StandardLost, match="The template is for requester"):
            world.apply(request)

    def test_opens_the_ordinary_review_if_a_fresh_plan_is_worse(self, world: World) -> None:
        bounds = [{"field": "seats_after", "operator": "at_most", "value": 20}]
        request = submitted(world, template(kinds=["entitlement.grant"], conditions=bounds), world.grant())
        end_trial(world, days=5)

        with pytest.raises(MaterialMoved, match="a gap opened"):
            world.apply(request)

        assert fresh(request).status == Status.IN_REVIEW
        assert not Authorization.objects.filter(change_request=request).exists()

    def test_does_not_mind_a_policy_that_became_stricter(self, world: World) -> None:
        request = submitted(world, template())
        given.record("policy.create", name="All", stages=[{"position": 1, "role": "licensing", "quorum": 2}])

        assert world.apply(request).status == Status.APPLIED

    def test_fails_when_due_if_its_limit_is_reached(self, world: World) -> None:
        of = template(daily_limit=1)
        window = Schedule(given.NOW + timedelta(hours=1), given.NOW + timedelta(hours=2), "UTC")
        other = given.entitlement(world.line, seats=3)
        request = submitted(world, of, Draft("entitlement.amend", {"seats": 4}, other.id), schedule=window)
        world.apply(submitted(world, of))

        timetable.apply_due(now=window.opens_at)

        assert fresh(request).status == Status.FAILED


class TestBoundsOnTheWholePlan:
    def test_may_name_the_risk_that_the_author_raised(self, world: World) -> None:
        of = template(conditions=[{"field": "risk", "operator": "is", "value": "low"}])
        raised = Raised(RiskLevel.HIGH, "The customer is in court with us.")

        assert fresh(submitted(world, of)).status == Status.APPROVED
        request = world.propose(more_seats(world, 8), template_id=of.id, raised=raised)
        with pytest.raises(NotStandard, match="Risk is high; allowed is low"):
            services.submit(change_request_id=request.id, author=world.author, now=given.NOW)


class TestDifference:
    def test_tells_which_template_was_chosen(self, world: World) -> None:
        request = world.propose(more_seats(world))
        before = revision_of(request).document
        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, template_id=template().id)

        found = between(old=before, new=revision_of(request).document, old_lines={}, new_lines={})

        assert ValueChange("Standard template", None, "A few more seats, version 1") in found.values


class TestOutlook:
    def test_tells_which_templates_cover_a_plan_and_why_others_do_not(self, world: World) -> None:
        wide, narrow = template(), template(name="One more", conditions=[BOUNDS[0] | {"value": 6}])
        template(name="Of grants", kinds=["entitlement.grant"])
        planned = services.preview(drafts=[more_seats(world)], user=world.author, now=given.NOW)

        found = {
            one.template: one.unmet for one in standard.outlook(planned=planned, author=world.author, now=given.NOW)
        }

        assert found == {wide: (), narrow: ("Seats after is 9 seats; allowed is at most 6.",)}
