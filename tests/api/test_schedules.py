"""Schedules over HTTP: said in local time or with an offset, read as instants, refused as problems."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from approvals.requests import timetable
from entitlements.grants.models import Entitlement
from tests import given
from tests.api.conftest import Sender
from tests.api.test_change_requests import act, approve, proposal, propose, refused

pytestmark = pytest.mark.django_db

BERLIN = "Europe/Berlin"
WINDOW = {"opens_at": "2026-03-02T13:00", "closes_at": "2026-03-02T15:00", "zone": BERLIN}
STORED = {"opens_at": "2026-03-02T12:00:00Z", "closes_at": "2026-03-02T14:00:00Z", "zone": BERLIN}
HOUR = timedelta(hours=1)


@pytest.fixture
def entitlement(db: None) -> Entitlement:
    return given.entitlement()


def scheduled(sender: Sender, entitlement: Entitlement) -> tuple[APIClient, APIClient, dict[str, Any]]:
    author, first, second = sender("requester"), sender("licensing"), sender("licensing")
    request = propose(author, entitlement, schedule=WINDOW)
    act(author, request, "submit")
    approve(first, request)
    return author, first, approve(second, request).json()


class TestSchedule:
    def test_is_kept_as_instants_and_applied_by_the_clock(self, sender: Sender, entitlement: Entitlement) -> None:
        author, _, request = scheduled(sender, entitlement)

        assert (request["status"], request["schedule"]) == ("scheduled", STORED)
        assert request["awaits"] == "the clock, until its window opens"
        timetable.apply_due(now=given.NOW + 2 * HOUR)
        read = author.get(f"/api/v1/change-requests/{request['id']}").json()
        assert (read["status"], read["applied_by"], read["applied_at"]) == ("applied", None, STORED["opens_at"])

    def test_closes_an_hour_later_unless_told(self, sender: Sender, entitlement: Entitlement) -> None:
        request = propose(
            sender("requester"), entitlement, schedule={"opens_at": "2026-03-02T13:00+01:00", "zone": BERLIN}
        )

        assert request["schedule"] == STORED | {"closes_at": "2026-03-02T13:00:00Z"}

    def test_is_none_unless_given(self, sender: Sender, entitlement: Entitlement) -> None:
        assert propose(sender("requester"), entitlement)["schedule"] is None

    def test_is_kept_by_an_edit_unless_it_says_otherwise(self, sender: Sender, entitlement: Entitlement) -> None:
        author = sender("requester")
        request = propose(author, entitlement, schedule=WINDOW)

        kept = act(author, request, "amend", title="Other").json()  # type: ignore[attr-defined]
        cleared = act(author, request, "amend", schedule=None).json()  # type: ignore[attr-defined]

        assert (kept["schedule"], cleared["schedule"]) == (STORED, None)
        assert len({request["revision"]["digest"], kept["revision"]["digest"], cleared["revision"]["digest"]}) == 3

    def test_is_found_by_its_status(self, sender: Sender, entitlement: Entitlement) -> None:
        author, _, request = scheduled(sender, entitlement)

        for status, expected in (("scheduled", [request["number"]]), ("missed", [])):
            rows = author.get(f"/api/v1/change-requests?status={status}").json()["results"]
            assert [row["number"] for row in rows] == expected


class TestProblem:
    def test_of_applying_before_the_window(self, sender: Sender, entitlement: Entitlement) -> None:
        _, operator, request = scheduled(sender, entitlement)

        problem = refused(lambda: act(operator, request, "apply"), 409, "not_yet")

        assert problem["opens_at"] == "2026-03-02T12:00:00+00:00"
        apply = next(row for row in request["actions"] if row["action"] == "apply")
        assert not apply["allowed"]
        read = operator.get(f"/api/v1/change-requests/{request['id']}").json()
        assert problem["detail"] in {row["why_not"] for row in read["actions"]}

    def test_of_applying_after_the_window(self, sender: Sender, entitlement: Entitlement, now: datetime) -> None:
        _, operator, request = scheduled(sender, entitlement)

        with time_machine.travel(now + 4 * HOUR, tick=False):
            refused(lambda: act(operator, request, "apply"), 409, "window_closed")

    def test_of_sending_to_review_what_is_over(self, sender: Sender, entitlement: Entitlement) -> None:
        author = sender("requester")
        past = {"opens_at": "2026-03-01T13:00", "zone": BERLIN}
        request = propose(author, entitlement, schedule=past)

        refused(lambda: act(author, request, "submit"), 409, "schedule_over")

    @pytest.mark.parametrize(
        ("schedule", "code", "field"),
        [
            ({"opens_at": "2026-03-29T02:30", "zone": BERLIN}, "unclear_local_time", "opens_at"),
            (WINDOW | {"closes_at": "2026-10-25T02:30"}, "unclear_local_time", "closes_at"),
            (WINDOW | {"zone": "Mars/Olympus"}, "invalid_input", "zone"),
            (WINDOW | {"opens_at": "noon"}, "invalid_input", "opens_at"),
            (WINDOW | {"closes_at": WINDOW["opens_at"]}, "invalid_input", "closes_at"),
        ],
    )
    def test_of_what_is_no_window(
        self, sender: Sender, entitlement: Entitlement, schedule: dict[str, str], code: str, field: str
    ) -> None:
        author = sender("requester")
        body = proposal(entitlement, schedule=schedule)

        problem = refused(lambda: author.post("/api/v1/change-requests", body), 400, code)

        assert [error["pointer"] for error in problem["errors"]] == [f"/schedule/{field}"]
