"""A freeze and an application at the same moment: whichever asks first is through before the other."""

from functools import partial

import pytest

from approvals.freezes.models import Freeze
from approvals.governed import Draft
from approvals.requests import application
from approvals.requests.models import ChangeRequest
from approvals.requests.states import Status
from tests import given
from tests.approvals.test_freezes import HOUR
from tests.approvals.world import World, fresh
from tests.concurrency.racing import Call, Tally, at_once, check_whole, each_time
from tests.concurrency.test_applying_at_once import version_of
from tests.concurrency.test_deciding_at_once import amending

pytestmark = pytest.mark.django_db(transaction=True)


def freezing(world: World, seed: int) -> ChangeRequest:
    """An approved request that freezes everything from an hour before NOW."""
    values = {
        "name": f"Freeze {seed}",
        "reason": "Now.",
        "starts_at": (given.NOW - HOUR).isoformat(),
        "ends_at": (given.NOW + HOUR).isoformat(),
        "everything": True,
    }
    return world.approved(Draft("freeze.create", values))


def applying(world: World, request: ChangeRequest) -> Call:
    return partial(application.apply, change_request_id=request.id, user=world.operator, now=given.NOW)


class TestAFreezeAndAnApplicationAtOnce:
    def test_apply_the_change_or_stop_it(self, world: World) -> None:
        tally = Tally(("done", "done"), ("GateClosed", "done"))
        for seed in each_time():
            request, before = world.approved(amending(world, f"Round {seed}")), version_of(world.trial)
            freeze = freezing(world, seed)
            outcomes = at_once(applying(world, request), applying(world, freeze), seed=seed)
            tally.add(outcomes)
            assert fresh(freeze).status == Status.APPLIED
            applied = check_whole(request, world.trial, version_before=before)
            assert applied == (outcomes[0].refusal is None)
            given.record("freeze.retire", target_id=Freeze.objects.get(name=f"Freeze {seed}").id)

    def test_of_two_freezes_apply_both(self, world: World) -> None:
        for seed in each_time():
            requests = [freezing(world, 1_000 + seed * 2 + number) for number in range(2)]
            outcomes = at_once(*(applying(world, request) for request in requests), seed=seed)
            assert [outcome.refusal for outcome in outcomes] == [None, None]
            for freeze in Freeze.objects.in_use():
                given.record("freeze.retire", target_id=freeze.id)
