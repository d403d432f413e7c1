"""Two workers, or a worker and a person, at the same due request: applied once, whoever is first."""

from functools import partial

import pytest

from approvals.requests import application, services, timetable
from approvals.requests.models import ChangeRequest
from approvals.requests.states import Status
from approvals.requests.timetable import Report
from entitlements.grants.models import Entitlement
from tests import given
from tests.approvals.test_schedule_lifecycle import LATE, OPEN, WINDOW
from tests.approvals.world import World, events_of, fresh
from tests.concurrency.racing import Call, Tally, at_once, check_whole, each_time
from tests.concurrency.test_applying_at_once import version_of
from tests.concurrency.test_deciding_at_once import amending

pytestmark = pytest.mark.django_db(transaction=True)


def scheduled(world: World, seed: int) -> ChangeRequest:
    return world.approved(amending(world, f"Round {seed}"), schedule=WINDOW)


class TestTwoWorkersAtOnce:
    def test_apply_it_once(self, world: World) -> None:
        for seed in each_time():
            request, before = scheduled(world, seed), version_of(world.trial)
            outcomes = at_once(*(partial(timetable.apply_due, now=OPEN) for _ in range(2)), seed=seed)
            assert sorted(outcome.value.applied for outcome in outcomes) == [0, 1]
            assert sum(outcome.value.attempts for outcome in outcomes) == 1
            assert check_whole(request, world.trial, version_before=before)

    def test_share_what_is_due(self, world: World) -> None:
        for seed in each_time():
            requests = [scheduled(world, seed) for _ in range(2)]
            outcomes = at_once(*(partial(timetable.apply_due, now=LATE) for _ in range(2)), seed=seed)
            assert sum(outcome.value.missed for outcome in outcomes) == 2
            assert all(fresh(request).status == Status.MISSED for request in requests)
            assert all(events_of(request).count("missed") == 1 for request in requests)


class TestAWorkerAndAPersonAtOnce:
    def by_hand(self, world: World, request: ChangeRequest) -> Call:
        return partial(application.apply, change_request_id=request.id, user=world.operator, now=OPEN)

    def test_apply_it_once(self, world: World) -> None:
        tally = Tally(("done", "done"), ("WrongState", "done"))
        for seed in each_time():
            request, before = scheduled(world, seed), version_of(world.trial)
            outcomes = at_once(self.by_hand(world, request), partial(timetable.apply_due, now=OPEN), seed=seed)
            tally.add(outcomes)
            assert outcomes[1].value == (Report(applied=1) if outcomes[0].refusal else Report())
            assert check_whole(request, world.trial, version_before=before)

    def test_apply_it_or_withdraw_it(self, world: World) -> None:
        tally = Tally(("done", "done"), ("WrongState", "done"))
        for seed in each_time():
            request, before = scheduled(world, seed), version_of(world.trial)
            withdraw = partial(services.withdraw, change_request_id=request.id, user=world.author, now=given.NOW)
            outcomes = at_once(withdraw, partial(timetable.apply_due, now=OPEN), seed=seed)
            tally.add(outcomes)
            applied = check_whole(request, world.trial, version_before=before)
            assert applied == (outcomes[0].refusal is not None)
            assert Entitlement.objects.get(id=world.trial.id).version == before + applied
