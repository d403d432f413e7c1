"""Scheduled requests: applied by the clock in their window, once; or missed, failed, reviewed again, and told."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from approvals import events
from approvals.governed import Draft
from approvals.requests import application, revisions, schedules, services, timetable
from approvals.requests.errors import NotYet, ScheduleOver, WindowClosed, WrongState
from approvals.requests.models import Authorization, ChangeRequest, Decision
from approvals.requests.schedules import Former, Schedule
from approvals.requests.states import Status
from approvals.requests.timetable import Report
from approvals.tasks import apply_due_changes
from audit.models import Event
from entitlements.grants.models import Entitlement
from foundation import clock
from foundation.errors import InvalidInput
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals.conftest import LedgerDown
from tests.approvals.test_fresh_plan import end_trial
from tests.approvals.world import World, approve, counted, events_of, fresh, revision_of

HOUR = timedelta(hours=1)
WINDOW = Schedule(given.NOW + 2 * HOUR, given.NOW + 4 * HOUR, "Europe/Berlin")
OPEN = WINDOW.opens_at + HOUR
LATE = WINDOW.closes_at + timedelta(days=7)


def more_seats(world: World, seats: int = 6) -> Draft:
    return Draft("entitlement.amend", {"seats": seats}, world.trial.id)


def scheduled(world: World, *drafts: Draft, schedule: Schedule = WINDOW, **options: Any) -> ChangeRequest:
    """A request that both reviewers approved, to be applied in a window."""
    return world.approved(*(drafts or [more_seats(world)]), schedule=schedule, **options)


def seats(world: World) -> int:
    return Entitlement.objects.values_list("seats", flat=True).get(id=world.trial.id)


def mail_to(user: Any, request: ChangeRequest) -> list[str]:
    """Subject and text of what the outbox has for somebody about a request."""
    payloads = OutboxMessage.objects.order_by("created_at", "id").values_list("payload", flat=True)
    return [
        f"{payload['subject']}\n{payload['text']}"
        for payload in payloads
        if payload["user_id"] == str(user.id) and f"Change {request.number} " in payload["subject"]
    ]


def why(request: ChangeRequest, event_type: str) -> str:
    return str(Event.objects.get(change_request_id=request.id, type=event_type).data["why"])


def act_out(world: World) -> None:
    """What is recorded of schedules, once."""
    scheduled(world, title="Missed")
    timetable.apply_due(now=LATE)
    scheduled(world, title="Failed")
    given.record("entitlement.amend", target_id=world.trial.id, grace_seconds=60)
    timetable.apply_due(now=OPEN)


class TestApproval:
    def test_schedules_what_has_a_window(self, world: World) -> None:
        request = scheduled(world)

        assert (request.status, request.approved_at, request.due_at) == (
            Status.SCHEDULED, given.NOW, WINDOW.opens_at,
        )  # fmt: skip
        assert events_of(request)[2:] == ["approved", "proposed", "scheduled", "submitted"]
        assert WINDOW.local in mail_to(world.author, request)[-1]

    def test_leaves_what_has_none_to_people(self, world: World) -> None:
        assert (world.approved().status, world.approved().due_at) == (Status.APPROVED, None)

    def test_changes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, break_ledger: Callable[..., None]
    ) -> None:
        request = world.submit(schedule=WINDOW)
        approve(request, world.first)
        break_ledger(events.REQUEST_SCHEDULED)

        with pytest.raises(LedgerDown):
            approve(request, world.second)

        assert fresh(request).status == Status.IN_REVIEW
        assert Decision.objects.filter(revision__change_request=request).count() == 1


class TestRevision:
    def test_keeps_the_window_under_its_digest(self, world: World) -> None:
        request = world.propose(schedule=WINDOW)
        stored = revision_of(request)

        assert stored.document["schedule"] == {
            "opens_at": "2026-03-02T12:00:00Z",
            "closes_at": "2026-03-02T14:00:00Z",
            "zone": "Europe/Berlin",
        }
        revisions.check_untouched(revision=stored)
        assert schedules.of(stored.document) == WINDOW

    @pytest.mark.parametrize(
        "other",
        [
            None,
            replace(WINDOW, opens_at=WINDOW.opens_at + HOUR),
            replace(WINDOW, closes_at=WINDOW.closes_at + HOUR),
            replace(WINDOW, zone="UTC"),
        ],
    )
    def test_has_another_digest_with_another_window_alone(self, world: World, other: Schedule | None) -> None:
        planned = services.preview(drafts=[more_seats(world)], user=world.author, now=given.NOW, schedule=WINDOW)
        request = world.propose()
        one, two = (
            revisions.document_of(replace(planned, schedule=schedule), change_request=request, number=2)
            for schedule in (WINDOW, other)
        )

        assert revisions.digest(one) != revisions.digest(two)
        assert one | {"schedule": None} == two | {"schedule": None}

    def test_voids_decisions_if_only_the_window_changes(self, world: World) -> None:
        request = scheduled(world)
        later = replace(WINDOW, closes_at=WINDOW.closes_at + HOUR)

        services.amend(change_request_id=request.id, author=world.author, now=given.NOW, schedule=later)

        assert fresh(request).status == Status.DRAFT
        assert not revision_of(request).decisions.exists()
        assert timetable.apply_due(now=OPEN) == Report()
        assert seats(world) == 5

    @pytest.mark.parametrize(("given_schedule", "kept"), [(Former.KEPT, WINDOW), (None, None)])
    def test_keeps_the_former_window_unless_told(
        self, world: World, given_schedule: Former | None, kept: Schedule | None
    ) -> None:
        request = world.propose(schedule=WINDOW)

        services.amend(
            change_request_id=request.id, author=world.author, now=given.NOW, title="Other", schedule=given_schedule
        )

        assert schedules.of(revision_of(request).document) == kept

    def test_refuses_an_unknown_zone(self, world: World) -> None:
        before = counted()

        with pytest.raises(InvalidInput, match="Mars/Olympus"):
            world.propose(schedule=replace(WINDOW, zone="Mars/Olympus"))

        assert counted() == before


class TestSubmit:
    def test_refuses_a_window_that_is_over(self, world: World) -> None:
        request = world.propose(schedule=WINDOW)

        with pytest.raises(ScheduleOver, match="say a later window, or none"):
            services.submit(change_request_id=request.id, author=world.author, now=WINDOW.closes_at)

        assert fresh(request).status == Status.DRAFT

    def test_takes_a_window_that_is_open(self, world: World) -> None:
        request = world.propose(schedule=WINDOW)

        services.submit(change_request_id=request.id, author=world.author, now=OPEN)

        assert fresh(request).status == Status.IN_REVIEW


class TestApplyByHand:
    def test_is_refused_before_the_window(self, world: World) -> None:
        request = scheduled(world)

        with pytest.raises(NotYet, match="2026-03-02 12:00 UTC") as caught:
            world.apply(request)

        assert "edit its schedule" in caught.value.message
        assert (fresh(request).status, seats(world)) == (Status.SCHEDULED, 5)

    def test_is_refused_after_the_window(self, world: World) -> None:
        request = scheduled(world)

        with pytest.raises(WindowClosed, match="not applied after 2026-03-02 14:00 UTC"):
            application.apply(change_request_id=request.id, user=world.operator, now=WINDOW.closes_at)

        assert (fresh(request).status, seats(world)) == (Status.SCHEDULED, 5)

    def test_is_allowed_inside_the_window(self, world: World) -> None:
        request = scheduled(world)

        application.apply(change_request_id=request.id, user=world.operator, now=WINDOW.opens_at)

        assert (fresh(request).status, fresh(request).applied_by, seats(world)) == (
            Status.APPLIED, world.operator, 6,
        )  # fmt: skip
        assert timetable.apply_due(now=OPEN) == Report()


class TestApplyScheduled:
    @pytest.mark.parametrize("state", ["propose", "submit", "approved"])
    def test_takes_only_what_is_scheduled(self, world: World, state: str) -> None:
        request = getattr(world, state)(more_seats(world))

        with pytest.raises(WrongState, match="is not scheduled"):
            application.apply_scheduled(change_request_id=request.id, now=OPEN)

        assert seats(world) == 5


class TestApplyDue:
    def test_applies_in_the_systems_name_by_the_authority_of_the_decisions(self, world: World) -> None:
        request = scheduled(world)

        assert timetable.apply_due(now=OPEN) == Report(applied=1)

        stored = fresh(request)
        assert (stored.status, stored.applied_at, stored.applied_by) == (Status.APPLIED, OPEN, None)
        assert (seats(world), Authorization.objects.get(change_request=stored).basis) == (6, "quorum")
        assert Event.objects.get(change_request_id=request.id, type=events.REQUEST_APPLIED).actor_id is None
        assert "is applied" in mail_to(world.author, request)[-1]
        assert timetable.apply_due(now=OPEN) == Report()

    def test_leaves_alone_what_is_not_due(self, world: World) -> None:
        request, before = scheduled(world), counted()

        assert timetable.apply_due(now=WINDOW.opens_at - timedelta(microseconds=1)) == Report()

        assert (fresh(request).status, seats(world), counted()) == (Status.SCHEDULED, 5, before)

    @pytest.mark.parametrize("now", [WINDOW.opens_at, WINDOW.closes_at - timedelta(microseconds=1)])
    def test_catches_up_inside_the_window(self, world: World, now: Any) -> None:
        request = scheduled(world)

        assert timetable.apply_due(now=now) == Report(applied=1)
        assert fresh(request).applied_at == now

    @pytest.mark.parametrize("now", [WINDOW.closes_at, LATE])
    def test_misses_what_it_slept_through(self, world: World, now: Any) -> None:
        request = scheduled(world)

        assert timetable.apply_due(now=now) == Report(missed=1)

        assert (fresh(request).status, seats(world)) == (Status.MISSED, 5)
        assert not Authorization.objects.filter(change_request=request).exists()
        assert WINDOW.local in why(request, events.REQUEST_MISSED)
        told = mail_to(world.author, request)[-1]
        assert "missed its window" in told
        assert WINDOW.local in told
        assert timetable.apply_due(now=now) == Report()

    def test_fails_on_a_stale_base_and_tells_the_author(self, world: World) -> None:
        request = scheduled(world)
        given.record("entitlement.amend", target_id=world.trial.id, grace_seconds=60)

        assert timetable.apply_due(now=OPEN) == Report(failed=1)

        assert (fresh(request).status, seats(world)) == (Status.FAILED, 5)
        reason = why(request, events.REQUEST_FAILED)
        assert world.trial.reference in reason
        assert reason in mail_to(world.author, request)[-1]
        assert not Authorization.objects.filter(change_request=request).exists()

    def test_fails_where_the_registrys_rules_refuse(self, world: World) -> None:
        draft = Draft("product.create", {"code": "one-code", "name": "Two products"})
        requests = [scheduled(world, draft, title=title) for title in ("One", "Two")]

        report = timetable.apply_due(now=OPEN)

        assert report == Report(applied=1, failed=1)
        assert [fresh(request).status for request in requests] == [Status.APPLIED, Status.FAILED]
        assert "product_code_once" in why(requests[1], events.REQUEST_FAILED)

    def test_opens_the_review_again_if_a_decider_left(self, world: World) -> None:
        request = scheduled(world)
        world.first.groups.clear()

        assert timetable.apply_due(now=OPEN) == Report(reopened=1)

        assert (fresh(request).status, seats(world)) == (Status.IN_REVIEW, 5)
        assert schedules.of(revision_of(request).document) == WINDOW
        assert revision_of(request).number == 2
        assert "is in review again" in mail_to(world.author, request)[-1]

    def test_opens_the_review_again_if_the_plan_is_worse(self, world: World) -> None:
        request = scheduled(world, world.grant())
        end_trial(world, days=10)

        report = timetable.apply_due(now=OPEN)

        assert (report, fresh(request).status) == (Report(reopened=1), Status.IN_REVIEW)

    def test_is_missed_if_the_second_review_takes_too_long(self, world: World) -> None:
        request = scheduled(world)
        world.first.groups.clear()
        timetable.apply_due(now=OPEN)
        approve(request, world.second, given.user("licensing"))

        assert fresh(request).status == Status.SCHEDULED
        assert timetable.apply_due(now=LATE) == Report(missed=1)

    def test_goes_on_after_what_it_did_not_expect(
        self, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        broken, other = scheduled(world, title="Broken"), scheduled(world, world.grant(), title="Other")
        whole = application.apply_scheduled

        def breaking(**values: Any) -> ChangeRequest:
            if values["change_request_id"] == broken.id:
                raise ZeroDivisionError
            return whole(**values)

        with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
            patched.setattr(application, "apply_scheduled", breaking)
            assert timetable.apply_due(now=OPEN) == Report(applied=1, postponed=1)

        assert (fresh(broken).status, fresh(other).status) == (Status.SCHEDULED, Status.APPLIED)
        assert "ZeroDivisionError" in caplog.text
        assert timetable.apply_due(now=OPEN) == Report(applied=1)

    def test_changes_nothing_if_the_event_cannot_be_recorded(
        self, world: World, break_ledger: Callable[..., None]
    ) -> None:
        request, before = scheduled(world), counted()
        break_ledger(events.REQUEST_MISSED, events.REQUEST_APPLIED)

        for now in (OPEN, LATE):
            assert timetable.apply_due(now=now) == Report(postponed=1)

        assert (fresh(request).status, counted(), seats(world)) == (Status.SCHEDULED, before, 5)

    def test_takes_no_more_than_its_limit(self, world: World) -> None:
        for title in ("One", "Two", "Three"):
            scheduled(world, title=title)

        assert timetable.apply_due(now=LATE, limit=2) == Report(missed=2)
        assert timetable.apply_due(now=LATE, limit=2) == Report(missed=1)

    def test_takes_what_comes_later_at_a_later_instant(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run that takes two hours for its first request misses the second."""
        requests = [scheduled(world, title="One"), scheduled(world, world.grant(), title="Two")]
        elapsed = iter([0.0, 0.4, 7_200.4, 7_201.0])
        monkeypatch.setattr(timetable, "monotonic", lambda: next(elapsed))

        assert timetable.apply_due(now=OPEN) == Report(applied=1, missed=1)

        assert [fresh(request).status for request in requests] == [Status.APPLIED, Status.MISSED]
        assert fresh(requests[0]).applied_at == OPEN

    def test_is_what_the_task_calls(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        request = scheduled(world)
        monkeypatch.setattr(clock, "now", lambda: OPEN)

        apply_due_changes()

        assert fresh(request).applied_at == OPEN
