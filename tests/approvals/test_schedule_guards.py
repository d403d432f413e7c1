"""What becomes of scheduled requests that came back, and what the tables refuse whoever writes."""

from typing import Any

import pytest

from approvals.requests import application, rules, services, timetable
from approvals.requests.errors import WrongState
from approvals.requests.models import ChangeRequest
from approvals.requests.schedules import Schedule
from approvals.requests.states import Status
from approvals.requests.timetable import Report
from foundation.errors import ConstraintViolated
from tests import given
from tests.approvals.test_guards import execute_at_once, refused
from tests.approvals.test_schedule_lifecycle import HOUR, LATE, OPEN, WINDOW, scheduled, seats
from tests.approvals.world import World, approve, fresh


class TestAfterwards:
    @pytest.mark.parametrize("now", [OPEN, LATE])
    def test_what_came_back_is_edited_and_goes_on(self, world: World, now: Any) -> None:
        request = returned(world, now)
        later = Schedule(LATE + HOUR, LATE + 2 * HOUR, "UTC")

        services.amend(change_request_id=request.id, author=world.author, now=LATE, schedule=later)
        services.submit(change_request_id=request.id, author=world.author, now=LATE)
        approve(request, world.first, world.second)

        assert timetable.apply_due(now=later.opens_at) == Report(applied=1)
        assert seats(world) == 6

    @pytest.mark.parametrize("now", [None, OPEN, LATE])
    def test_what_waits_or_came_back_can_be_withdrawn(self, world: World, now: Any) -> None:
        request = scheduled(world) if now is None else returned(world, now)

        services.withdraw(change_request_id=request.id, user=world.author, now=LATE)

        assert fresh(request).status == Status.WITHDRAWN
        assert timetable.apply_due(now=OPEN) == Report()
        assert seats(world) == 5

    @pytest.mark.parametrize("now", [OPEN, LATE])
    def test_what_came_back_is_not_applied_by_hand(self, world: World, now: Any) -> None:
        request = returned(world, now)

        with pytest.raises(WrongState, match="its author, to"):
            application.apply(change_request_id=request.id, user=world.operator, now=OPEN)


def returned(world: World, now: Any) -> ChangeRequest:
    """A request that failed inside its window, or was missed after it."""
    request = scheduled(world)
    given.record("entitlement.amend", target_id=world.trial.id, grace_seconds=60)
    timetable.apply_due(now=now)
    assert fresh(request).status == (Status.FAILED if now == OPEN else Status.MISSED)
    return request


class TestScheduleGuards:
    def test_refuse_to_schedule_without_an_instant(self, world: World) -> None:
        request = world.approved()

        refused(
            "request_scheduled_has_instant",
            "UPDATE approvals_changerequest SET status = 'scheduled' WHERE id = %s",
            request.id,
        )

    @pytest.mark.parametrize("now", [WINDOW.opens_at - HOUR, WINDOW.closes_at])
    def test_refuse_to_apply_outside_the_window(self, world: World, monkeypatch: pytest.MonkeyPatch, now: Any) -> None:
        """Whatever the services let pass."""
        request = scheduled(world)
        monkeypatch.setattr(rules, "check_window", lambda **_: None)

        with pytest.raises(ConstraintViolated, match="request_applied_in_its_window"):
            application.apply(change_request_id=request.id, user=world.operator, now=now)

        assert (fresh(request).status, seats(world)) == (Status.SCHEDULED, 5)

    @pytest.mark.parametrize("status", ["missed", "failed", "scheduled"])
    def test_refuse_shortcuts(self, world: World, status: str) -> None:
        request = world.submit()

        refused(
            "request_transition",
            "UPDATE approvals_changerequest SET status = %s, due_at = now() WHERE id = %s",
            status,
            request.id,
        )

    def test_refuse_to_apply_what_was_missed(self, world: World) -> None:
        request = scheduled(world)
        execute_at_once("UPDATE approvals_changerequest SET status = 'missed' WHERE id = %s", request.id)

        refused(
            "request_transition",
            "UPDATE approvals_changerequest SET status = 'scheduled' WHERE id = %s",
            request.id,
        )
