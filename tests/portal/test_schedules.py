"""Schedules on the pages: said in the edit form, shown on the change's page, and what came back in "My work"."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from approvals.governed import Draft
from approvals.requests import review, schedules, timetable
from approvals.requests.models import ChangeRequest
from approvals.requests.schedules import Schedule
from foundation import clock
from foundation.identity.models import User
from tests import given
from tests.portal.test_change_page import digest_of, signed_in
from tests.portal.world import Pilot

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

HOUR = timedelta(hours=1)
WINDOW = Schedule(given.NOW + 2 * HOUR, given.NOW + 4 * HOUR, "Europe/Berlin")
TOLD = "Scheduled: applied between 2 Mar 2026, 13:00 and 2 Mar 2026, 15:00 (Europe/Berlin)"
FIELDS = {"schedule_opens_at": "2026-03-02T13:00", "schedule_closes_at": "2026-03-02T15:00"}


def page_of(request: ChangeRequest, user: User) -> str:
    return signed_in(user).get(f"/changes/{request.number}/").content.decode()


def scheduled(pilot: Pilot, **options: Any) -> ChangeRequest:
    request = pilot.submitted(
        drafts=[Draft("entitlement.amend", {"notes": "Scheduled"}, pilot.trial.id)], schedule=WINDOW, **options
    )
    for reviewer in (pilot.first, pilot.second):
        review.approve(change_request_id=request.id, digest=digest_of(request), reviewer=reviewer, now=given.NOW)
    return request


def save(pilot: Pilot, request: ChangeRequest, user: User | None = None, **values: str) -> Any:
    posted = {
        "digest": digest_of(request),
        "title": request.title,
        "justification": "Because.",
        "impact": "None.",
        "acceptance_criteria": "It worked.",
        "rollback": "Undo it.",
    }
    return signed_in(user or pilot.author).post(f"/changes/{request.number}/edit/", posted | values)


def stored(request: ChangeRequest) -> Schedule | None:
    revision = ChangeRequest.objects.select_related("current_revision").get(id=request.id).current_revision
    assert revision is not None
    return schedules.of(revision.document)


class TestEditing:
    def test_says_a_window_in_the_readers_zone(self, pilot: Pilot) -> None:
        request = pilot.proposed()
        form = signed_in(pilot.author).get(f"/changes/{request.number}/edit/").content.decode()
        assert "When it is applied" in form
        assert "in Europe/Berlin" in form

        assert save(pilot, request, **FIELDS).status_code == 302

        assert stored(request) == WINDOW
        assert TOLD in page_of(request, pilot.first)
        form = signed_in(pilot.author).get(f"/changes/{request.number}/edit/").content.decode()
        assert 'name="schedule_opens_at" type="datetime-local" value="2026-03-02T13:00"' in form

    def test_leaves_the_end_to_the_tolerance(self, pilot: Pilot) -> None:
        request = pilot.proposed()

        save(pilot, request, schedule_opens_at="2026-03-02T13:00", schedule_closes_at="")

        assert stored(request) == Schedule(WINDOW.opens_at, WINDOW.opens_at + HOUR, "Europe/Berlin")

    def test_keeps_or_clears_it(self, pilot: Pilot) -> None:
        request = pilot.proposed(schedule=WINDOW)

        save(pilot, request, **FIELDS)
        assert stored(request) == WINDOW
        save(pilot, request)
        assert stored(request) == WINDOW
        save(pilot, request, schedule_opens_at="", schedule_closes_at="")
        assert stored(request) is None
        assert "When somebody applies it, after the last approval" in page_of(request, pilot.author)

    def test_keeps_the_end_that_was_left_as_it_was_shown(self, pilot: Pilot) -> None:
        """Even where its local time would be refused: it is the instant that it was."""
        twice = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
        request = pilot.proposed(schedule=Schedule(twice - 5 * HOUR, twice, "Europe/Berlin"))

        save(pilot, request, schedule_opens_at="2026-10-24T20:00", schedule_closes_at="2026-10-25T02:30")

        found = stored(request)
        assert found is not None
        assert found.closes_at == twice
        assert found.opens_at == datetime(2026, 10, 24, 18, 0, tzinfo=UTC)

    def test_asks_which_instant_is_meant_and_takes_the_answer(self, pilot: Pilot) -> None:
        request = pilot.proposed()
        londoner = given.user("requester", time_zone="Europe/London")

        refused = save(pilot, request, londoner, schedule_opens_at="2026-10-25T01:30", schedule_closes_at="")

        content = refused.content.decode()
        assert refused.status_code == 400
        assert "Europe/London show twice 2026-10-25 01:30" in content
        assert "2026-10-25 01:30 (+01:00) or 2026-10-25 01:30 (+00:00)" in content
        assert 'name="schedule_opens_at" type="text" value="2026-10-25T01:30"' in content
        save(pilot, request, londoner, schedule_opens_at="2026-10-25T01:30+00:00", schedule_closes_at="")
        found = stored(request)
        assert found is not None
        assert (found.opens_at, found.zone) == (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Europe/London")

    def test_refuses_an_end_alone(self, pilot: Pilot) -> None:
        request = pilot.proposed()

        refused = save(pilot, request, schedule_opens_at="", schedule_closes_at="2026-03-02T15:00")

        assert refused.status_code == 400
        assert "A window says when it opens." in refused.content.decode()


class TestPage:
    def test_says_when_and_why_it_is_not_applied_now(self, pilot: Pilot) -> None:
        request = scheduled(pilot)
        operator = given.user("it_operations", time_zone="America/New_York")

        content = page_of(request, operator)

        assert TOLD in content
        assert "is to be applied between 2 Mar 2026, 07:00 EST and 2 Mar 2026, 09:00 EST" in content
        posted = signed_in(operator).post(f"/changes/{request.number}/apply/")
        assert posted.status_code == 409
        assert "The window has not opened yet" in posted.content.decode()

    def test_offers_to_apply_inside_the_window(self, pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
        request, operator = scheduled(pilot), given.user("it_operations")
        monkeypatch.setattr(clock, "now", lambda: WINDOW.opens_at)

        assert signed_in(operator).post(f"/changes/{request.number}/apply/").status_code == 302
        assert "<dt>When</dt><dd>Applied " in page_of(request, pilot.author)

    def test_says_that_it_was_missed_and_what_to_do(self, pilot: Pilot) -> None:
        request = scheduled(pilot)
        timetable.apply_due(now=WINDOW.closes_at + timedelta(days=7))

        content = page_of(request, pilot.author)

        assert "This change missed its window, and nothing of it was applied." in content
        assert "nothing is applied late" in content
        assert f'href="/changes/{request.number}/edit/#schedule"' in content
        assert "missed its window and was not applied" in content

    def test_says_that_it_failed_and_why(self, pilot: Pilot) -> None:
        request = scheduled(pilot)
        given.record("entitlement.amend", target_id=pilot.trial.id, grace_seconds=60)
        timetable.apply_due(now=WINDOW.opens_at)

        content = page_of(request, pilot.author)

        assert "This change was due and failed; nothing of it was applied." in content
        assert f"Changed since this was planned: {pilot.trial.reference}" in content


class TestWork:
    def test_puts_first_what_came_back(self, pilot: Pilot) -> None:
        missed = scheduled(pilot, title="A missed one")
        timetable.apply_due(now=WINDOW.closes_at)
        pilot.proposed(title="A younger draft")
        failed = scheduled(pilot, title="A failed one")
        given.record("entitlement.amend", target_id=pilot.trial.id, grace_seconds=60)
        timetable.apply_due(now=WINDOW.opens_at)

        content = signed_in(pilot.author).get("/").content.decode()

        assert "1 request of yours missed its window; 1 request of yours failed when it was due." in content
        mine = content[content.index('id="section-mine"') :]
        assert max(mine.index(f"#{one.number} ") for one in (missed, failed)) < mine.index("A younger draft")
        for status, title in (("missed", "A missed one"), ("failed", "A failed one")):
            assert title in signed_in(pilot.author).get(f"/changes/?status={status}").content.decode()
