"""Deciding for somebody while they revoke it, or decide themselves: one of the legal outcomes, always."""

from datetime import timedelta
from functools import partial

import pytest

from approvals.authority import services
from approvals.authority.models import Delegation
from approvals.requests import review
from approvals.requests.models import ChangeRequest, Decision
from foundation.identity.models import User
from tests import given
from tests.approvals.world import World, fresh, revision_of
from tests.concurrency.racing import Call, Tally, at_once, each_time
from tests.concurrency.test_deciding_at_once import approving, in_review

pytestmark = pytest.mark.django_db(transaction=True)


def give(delegator: User, delegate: User) -> Delegation:
    return services.delegate(
        delegator=delegator,
        delegate=delegate,
        role="",
        starts_at=given.NOW,
        ends_at=given.NOW + timedelta(days=9),
        reason="Away.",
        now=given.NOW,
    )


def approving_for(request: ChangeRequest, delegate: User, delegator: User) -> Call:
    return partial(
        review.approve,
        change_request_id=request.id,
        digest=revision_of(request).digest,
        reviewer=delegate,
        now=given.NOW,
        on_behalf_of=delegator.id,
    )


class TestDelegatorAndDelegateAtOnce:
    def test_use_one_authority_once(self, world: World) -> None:
        deputy = given.user("legal")
        give(world.first, deputy)
        tally = Tally(("done", "AlreadyDecided"), ("AlreadyDecided", "done"))
        for seed in each_time():
            request = in_review(world, seed)
            tally.add(at_once(approving(request, world.first), approving_for(request, deputy, world.first), seed=seed))
            assert Decision.objects.filter(revision=revision_of(request)).count() == 1
            assert fresh(request).status == "in_review"


class TestRevokingAtOnce:
    def test_lets_no_decision_through_after_it(self, world: World) -> None:
        deputy = given.user("legal")
        tally = Tally(("done", "done"), ("NotADelegate", "done"))
        for seed in each_time():
            request = in_review(world, seed)
            delegation = give(world.first, deputy)
            revoke = partial(services.revoke, delegation_id=delegation.id, user=world.first, now=given.NOW)
            tally.add(at_once(approving_for(request, deputy, world.first), revoke, seed=seed))
            delegation.refresh_from_db()
            assert delegation.revoked_at == given.NOW
