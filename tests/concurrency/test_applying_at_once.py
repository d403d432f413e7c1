"""Applications at the same instant as something else, from real threads: always one of the outcomes that are legal."""

from datetime import timedelta
from functools import partial

import pytest
from django.db.models import Sum

from approvals.governed import Draft
from approvals.requests import application, services
from approvals.requests.models import ChangeRequest
from approvals.requests.states import Status
from entitlements.agreements.models import OrderLine
from entitlements.grants.models import Entitlement
from tests import given
from tests.approvals.world import World, fresh, revision_of
from tests.concurrency.racing import Call, Tally, at_once, check_whole, each_time, told_of_contention
from tests.concurrency.test_deciding_at_once import amending, editing

pytestmark = pytest.mark.django_db(transaction=True)

ONE_OF_TWO = (("done", "WrongState"), ("WrongState", "done"))


def applying(world: World, request: ChangeRequest) -> Call:
    return partial(application.apply, change_request_id=request.id, user=world.operator, now=given.NOW)


def withdrawing(world: World, request: ChangeRequest) -> Call:
    return partial(services.withdraw, change_request_id=request.id, user=world.author, now=given.NOW)


def version_of(entitlement: Entitlement) -> int:
    return Entitlement.objects.values_list("version", flat=True).get(id=entitlement.id)


class TestApplyAndAmendAtOnce:
    def test_apply_what_was_approved_or_nothing(self, world: World) -> None:
        tally = Tally(*ONE_OF_TWO)
        for seed in each_time():
            request, before = world.approved(amending(world, f"Round {seed}")), version_of(world.trial)
            edit = editing(world, request, f"Round {seed}, edited")
            outcomes = at_once(applying(world, request), edit, seed=seed)
            tally.add(outcomes)
            applied = check_whole(request, world.trial, version_before=before)
            assert applied == (outcomes[0].refusal is None)
            assert fresh(request).status == (Status.APPLIED if applied else Status.DRAFT)
            assert revision_of(request).number == (1 if applied else 2)


class TestApplyAndWithdrawAtOnce:
    def test_one_of_them_happens(self, world: World) -> None:
        tally = Tally(*ONE_OF_TWO)
        for seed in each_time():
            request, before = world.approved(amending(world, f"Round {seed}")), version_of(world.trial)
            outcomes = at_once(applying(world, request), withdrawing(world, request), seed=seed)
            tally.add(outcomes)
            applied = check_whole(request, world.trial, version_before=before)
            assert applied == (outcomes[0].refusal is None)
            assert fresh(request).status == (Status.APPLIED if applied else Status.WITHDRAWN)


class TestTwoAppliesAtOnce:
    def test_write_it_once(self, world: World) -> None:
        tally = Tally(*ONE_OF_TWO)
        for seed in each_time():
            request, before = world.approved(amending(world, f"Round {seed}")), version_of(world.trial)
            tally.add(at_once(applying(world, request), applying(world, request), seed=seed))
            assert check_whole(request, world.trial, version_before=before)


class TestTwoRequestsOnOneRecordAtOnce:
    def test_the_second_stands_on_a_stale_base(self, world: World) -> None:
        tally = Tally(("done", "StaleBase"), ("StaleBase", "done"))
        for seed in each_time():
            before = version_of(world.trial)
            requests = [world.approved(amending(world, f"Round {seed}, {name}")) for name in ("one", "two")]
            outcomes = at_once(*(applying(world, request) for request in requests), seed=seed)
            tally.add(outcomes)
            won = requests[0] if outcomes[0].refusal is None else requests[1]
            lost = requests[1] if won is requests[0] else requests[0]
            assert check_whole(won, world.trial, version_before=before)
            assert fresh(lost).status == Status.APPROVED
            assert not world.trial.history.filter(change_request_number=lost.number).exists()


class TestTwoGrantsForTheLastSeatsAtOnce:
    def test_one_wins_and_the_quantity_holds(self, world: World) -> None:
        # Both wait for the agreement: the second plans on what the first wrote.
        tally = Tally(("done", "MaterialMoved"), ("MaterialMoved", "done"))
        for seed in each_time():
            requests = contested(world, fitting=1)
            outcomes = at_once(*(applying(world, request) for request in requests), seed=seed)
            tally.add(outcomes)
            assert given_seats(requests) == 5
            for request, outcome in zip(requests, outcomes, strict=True):
                check_granted(request, granted=outcome.refusal is None, otherwise=Status.IN_REVIEW)

    def test_both_win_where_both_fit(self, world: World) -> None:
        tally = Tally(("done", "done"))
        for seed in each_time():
            requests = contested(world, fitting=2)
            tally.add(at_once(*(applying(world, request) for request in requests), seed=seed))
            assert given_seats(requests) == 10
            for request in requests:
                check_granted(request, granted=True)


class TestGrantsUnderTwoOrderLinesInOppositeOrder:
    def test_are_granted_whole_or_told_to_try_again(self, world: World) -> None:
        tally = Tally(("done", "done"), ("done", "Contention"), ("Contention", "done"))
        for seed in each_time():
            lines = [order(world, quantity=100), order(world, quantity=100)]
            requests = [
                world.approved(*(granting(world, line, phase) for line in ordered))
                for phase, ordered in (("production", lines), ("bridge", lines[::-1]))
            ]
            outcomes = at_once(*(told_of_contention(applying(world, request)) for request in requests), seed=seed)
            tally.add(outcomes)
            for request, outcome in zip(requests, outcomes, strict=True):
                check_granted(request, granted=outcome.refusal is None, count=2)


def order(world: World, *, quantity: int) -> OrderLine:
    return given.order_line(world.line.agreement, world.line.sku_revision, quantity)


def granting(world: World, line: OrderLine, phase: str) -> Draft:
    """A draft of five seats that serve nobody yet, so that the plan moves nobody."""
    grant = world.grant(order_line_id=str(line.id), phase=phase, carry_over=False)
    payload = {name: value for name, value in grant.payload.items() if name not in {"replaces_id", "carry_over"}}
    ends_at = (given.NOW + timedelta(days=200)).isoformat()
    return Draft("entitlement.grant", payload | {"ends_at": ends_at})


def contested(world: World, *, fitting: int) -> list[ChangeRequest]:
    """Two approved requests for five seats each under an order line that has enough for so many of them."""
    line = order(world, quantity=5 * fitting)
    return [world.approved(granting(world, line, phase)) for phase in ("production", "bridge")]


def given_seats(requests: list[ChangeRequest]) -> int:
    keys = [item.record_id for request in requests for item in revision_of(request).items.all()]
    return Entitlement.objects.filter(id__in=keys).aggregate(total=Sum("seats"))["total"] or 0


def check_granted(
    request: ChangeRequest, *, granted: bool, count: int = 1, otherwise: Status = Status.APPROVED
) -> None:
    keys = [item.record_id for item in revision_of(request).items.all()]
    found = Entitlement.objects.filter(id__in=keys, version=1, pool__used=0, activation__isnull=False)
    assert found.count() == (count if granted else 0)
    assert Entitlement.history.filter(change_request_number=request.number).count() == (count if granted else 0)
    assert fresh(request).status == (Status.APPLIED if granted else otherwise)


class TestTwoHalvesOfAGrowthAtOnce:
    def test_one_of_them_is_asked_for_what_the_whole_needs(self, world: World) -> None:
        given.user("finance")
        conditions = [{"field": "seats_added_year", "operator": "more_than", "value": 3}]
        stages = [{"position": 2, "role": "finance", "quorum": 1}]
        given.record("policy.create", name="Growth", conditions=conditions, stages=stages)
        tally = Tally(("done", "PolicyStricter"), ("PolicyStricter", "done"))
        for seed in each_time():
            line = given.ordered(100)
            halves = [
                given.entitlement(line, seats=10, phase=phase, starts_at=given.NOW.isoformat())
                for phase in ("production", "bridge")
            ]
            requests = [world.approved(Draft("entitlement.amend", {"seats": 12}, half.id)) for half in halves]
            outcomes = at_once(*(applying(world, request) for request in requests), seed=seed)
            tally.add(outcomes)
            assert sorted(Entitlement.objects.get(id=half.id).seats or 0 for half in halves) == [10, 12]
