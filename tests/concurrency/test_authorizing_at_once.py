"""Permits and templates at the same instant as something else, from real threads: always one of the legal outcomes."""

from functools import partial

import pytest

from approvals.governed import Draft
from approvals.permits import review, services
from approvals.permits.models import Permit, PermitReview
from approvals.requests.models import Authorization, ChangeRequest
from approvals.requests.states import Status
from approvals.standards.models import StandardTemplate
from tests import given
from tests.approvals.test_permits import take
from tests.approvals.test_standard_changes import submitted, template
from tests.approvals.world import World, fresh
from tests.concurrency.racing import Call, Tally, at_once, check_whole, each_time
from tests.concurrency.test_applying_at_once import applying, version_of
from tests.concurrency.test_deciding_at_once import amending, editing

pytestmark = pytest.mark.django_db(transaction=True)


def using(permit: Permit) -> Call:
    return partial(services.use, permit_id=permit.id, user=permit.user, now=given.NOW)


class TestPermitUsedTwiceAtOnce:
    def test_applies_once(self, world: World) -> None:
        holder = given.user("emergency")
        tally = Tally(("done", "PermitUsed"), ("PermitUsed", "done"))
        for seed in each_time():
            request, before = world.propose(amending(world, f"Round {seed}")), version_of(world.trial)
            permit = take(request, holder)
            tally.add(at_once(using(permit), using(permit), seed=seed))
            assert check_whole(request, world.trial, version_before=before)


class TestTwoPermitsOfOneRequestUsedAtOnce:
    def test_apply_once(self, world: World) -> None:
        holders = [given.user("emergency"), given.user("emergency")]
        tally = Tally(("done", "WrongState"), ("WrongState", "done"))
        for seed in each_time():
            request, before = world.propose(amending(world, f"Round {seed}")), version_of(world.trial)
            permits = [take(request, holder) for holder in holders]
            tally.add(at_once(*map(using, permits), seed=seed))
            assert check_whole(request, world.trial, version_before=before)
            assert Permit.objects.filter(change_request=request, used_at__isnull=False).count() == 1


class TestPermitUsedAndRequestEditedAtOnce:
    def test_applies_what_the_permit_names_or_nothing(self, world: World) -> None:
        holder = given.user("emergency")
        tally = Tally(("done", "WrongState"), ("StaleDigest", "done"))
        for seed in each_time():
            request, before = world.propose(amending(world, f"Round {seed}")), version_of(world.trial)
            permit = take(request, holder)
            outcomes = at_once(using(permit), editing(world, request, f"Round {seed}, edited"), seed=seed)
            tally.add(outcomes)
            applied = check_whole(request, world.trial, version_before=before)
            assert applied == (outcomes[0].refusal is None)


class TestLastTwoReviewsAtOnce:
    def test_complete_the_review_once(self, world: World) -> None:
        holder = given.user("emergency")
        tally = Tally(("done", "done"))
        for seed in each_time():
            permit = take(world.propose(amending(world, f"Round {seed}")), holder)
            services.use(permit_id=permit.id, user=holder, now=given.NOW)
            say = [
                partial(
                    review.review,
                    permit_id=permit.id,
                    digest=permit.digest,
                    reviewer=reviewer,
                    verdict="justified",
                    now=given.NOW,
                )
                for reviewer in (world.first, world.second)
            ]
            tally.add(at_once(*say, seed=seed))
            assert PermitReview.objects.filter(permit=permit).count() == 2
            assert Permit.objects.get(id=permit.id).outcome == "justified"


def retiring(world: World, of: StandardTemplate) -> tuple[ChangeRequest, Call]:
    """An approved request that retires a template, and its application."""
    request = world.approved(Draft("standard_template.retire", {}, of.id))
    return request, applying(world, request)


class TestStandardChangeAndRetirementOfItsTemplateAtOnce:
    def test_applies_under_a_template_in_force_or_opens_the_review(self, world: World) -> None:
        tally = Tally(("done", "done"), ("StandardLost", "done"))
        for seed in each_time():
            of, before = template(name=f"Round {seed}"), version_of(world.trial)
            request = submitted(world, of, Draft("entitlement.amend", {"notes": f"Round {seed}"}, world.trial.id))
            outcomes = at_once(applying(world, request), retiring(world, of)[1], seed=seed)
            tally.add(outcomes)
            applied = check_whole(request, world.trial, version_before=before)
            assert applied == (outcomes[0].refusal is None)
            assert fresh(request).status == (Status.APPLIED if applied else Status.IN_REVIEW)
            assert not StandardTemplate.objects.filter(id=of.id, retired_at=None).exists()


class TestTwoStandardChangesForTheLastOfADayAtOnce:
    def test_one_is_applied(self, world: World) -> None:
        tally = Tally(("done", "StandardLimitReached"), ("StandardLimitReached", "done"))
        other = given.entitlement()
        for seed in each_time():
            of = template(name=f"Round {seed}", daily_limit=1)
            drafts = [
                Draft("entitlement.amend", {"notes": f"Round {seed}"}, target.id) for target in (world.trial, other)
            ]
            both = [submitted(world, of, draft) for draft in drafts]
            tally.add(at_once(*(applying(world, request) for request in both), seed=seed))
            assert Authorization.objects.filter(template=of).count() == 1
