"""Open requests that nobody goes on with: told a week before, then closed; never untold, never what is scheduled."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import transaction

from approvals import events, governed
from approvals.requests import expiry, review, services, timetable
from approvals.requests.errors import WrongState
from approvals.requests.expiry import Report, expires_at
from approvals.requests.models import ChangeRequest
from approvals.requests.states import Status
from approvals.tasks import expire_changes
from foundation import clock
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_schedule_lifecycle import LATE, OPEN, mail_to, more_seats, scheduled
from tests.approvals.world import World, approve, events_of, fresh, revision_of

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def after(days: float) -> datetime:
    return given.NOW + days * DAY


def run(*days: float) -> list[Report]:
    """What each run of the clock did, so many days after NOW."""
    return [expiry.expire_due(now=after(one)) for one in days]


def asked_for_changes(world: World) -> ChangeRequest:
    request = world.submit()
    review.ask_for_changes(
        change_request_id=request.id,
        digest=revision_of(request).digest,
        reviewer=world.first,
        now=given.NOW,
        comment="More.",
    )
    return fresh(request)


def missed(world: World) -> ChangeRequest:
    request = scheduled(world)
    timetable.apply_due(now=LATE)
    return fresh(request)


def failed(world: World) -> ChangeRequest:
    request = scheduled(world)
    given.record("entitlement.amend", target_id=world.trial.id, grace_seconds=60)
    timetable.apply_due(now=OPEN)
    return fresh(request)


def act_out(world: World) -> None:
    """What is recorded of expiry, once."""
    world.propose()
    run(83, 90)


class TestExpireDue:
    @pytest.mark.parametrize(
        ("make", "status", "days"),
        [
            (lambda world: world.propose(), Status.DRAFT, 90),
            (lambda world: world.submit(), Status.IN_REVIEW, 45),
            (asked_for_changes, Status.CHANGES_REQUESTED, 45),
            (lambda world: world.approved(), Status.APPROVED, 30),
            (missed, Status.MISSED, 90 + 2 / 24),
            (failed, Status.FAILED, 90 + 2 / 24),
        ],
    )
    def test_closes_what_waited_too_long_and_tells_a_week_before(
        self, world: World, make: Callable[[World], ChangeRequest], status: Status, days: float
    ) -> None:
        request = make(world)
        assert (request.status, expires_at(request)) == (status, after(days))

        early = [expiry.expire_due(now=after(days - 7) - SECOND)]
        soon = run(days - 7, days - 3)
        late = [expiry.expire_due(now=after(days) - SECOND)]
        last = run(days, days + 1)

        assert early + soon + late + last == [
            Report(), Report(announced=1), Report(), Report(), Report(expired=1), Report(),
        ]  # fmt: skip
        expired = fresh(request)
        assert (expired.status, expired.closed_at, expired.applied_at) == (Status.EXPIRED, after(days), None)
        assert [name for name in events_of(request) if name.startswith("exp")] == ["expired", "expiry_announced"]
        told = [text for text in mail_to(world.author, request) if "expire" in text.partition("\n")[0]]
        assert len(told) == 2
        assert f"it is closed at {after(days):%Y-%m-%d %H:%M} UTC" in told[0]
        assert "propose it again" in told[1]

    def test_leaves_what_is_scheduled_or_closed(self, world: World) -> None:
        request = scheduled(world)
        closed = world.propose(more_seats(world))
        services.withdraw(change_request_id=closed.id, user=world.author, now=given.NOW)

        assert run(400, 500) == [Report(), Report()]
        assert (fresh(request).status, expires_at(fresh(request))) == (Status.SCHEDULED, None)

    def test_counts_from_the_latest_step(self, world: World) -> None:
        request = world.propose()
        run(83)
        services.amend(change_request_id=request.id, author=world.author, now=after(89), title="Another")

        assert run(90, 89 + 83, 89 + 90 - 0.1) == [Report(), Report(announced=1), Report()]
        services.submit(change_request_id=request.id, author=world.author, now=after(178.95))
        assert run(179) == [Report()]
        assert expires_at(fresh(request)) == after(178.95 + 45)

    def test_counts_a_decision_as_a_step(self, world: World) -> None:
        request = world.submit()
        run(38)
        review.approve(
            change_request_id=request.id, digest=revision_of(request).digest, reviewer=world.first, now=after(44)
        )

        assert run(45) == [Report()]
        assert fresh(request).status == Status.IN_REVIEW

    def test_tells_first_even_after_a_time_without_a_clock(self, world: World) -> None:
        request = world.propose()

        assert run(200) == [Report(announced=1)]
        assert expires_at(fresh(request)) == after(207)
        assert run(206.9, 207) == [Report(), Report(expired=1)]

    def test_takes_each_alone(
        self, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        broken, whole = world.propose(more_seats(world)), world.propose(more_seats(world))
        run(83)
        expire = expiry._expire

        def breaking(request: ChangeRequest, now: datetime) -> None:
            if request.id == broken.id:
                raise RuntimeError("Broken.")
            expire(request, now)

        monkeypatch.setattr(expiry, "_expire", breaking)
        assert run(90) == [Report(expired=1, postponed=1)]
        assert (fresh(broken).status, fresh(whole).status) == (Status.DRAFT, Status.EXPIRED)
        assert "it is tried again at the next run" in caplog.text

    def test_changes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, break_ledger: Callable[..., None]
    ) -> None:
        request = world.propose()
        run(83)
        break_ledger(events.REQUEST_EXPIRED)

        with pytest.raises(LedgerDown), transaction.atomic():
            expiry._expire(fresh(request), after(90))
        assert fresh(request).status == Status.DRAFT

    def test_takes_at_most_so_many(self, world: World) -> None:
        for _ in range(3):
            world.propose(more_seats(world))

        assert expiry.expire_due(now=after(83), limit=2) == Report(announced=2)
        assert expiry.expire_due(now=after(83), limit=2) == Report(announced=1)

    def test_is_rung_by_the_clock(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        request = world.propose()
        run(83)
        monkeypatch.setattr(clock, "now", lambda: after(90))

        expire_changes()

        assert fresh(request).status == Status.EXPIRED


class TestExpired:
    def test_tells_who_staged_something_for_it(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        discarded: list[int] = []
        monkeypatch.setattr(governed, "_DISCARDED", [lambda *, items, now: discarded.append(len(items))])
        world.propose()
        run(83, 90)

        assert discarded == [1]

    def test_allows_nothing_more(self, world: World) -> None:
        request = world.submit()
        run(38, 45)

        with pytest.raises(WrongState, match="is expired"):
            services.amend(change_request_id=request.id, author=world.author, now=after(46), title="Again")
        with pytest.raises(WrongState):
            approve(request, world.first)
