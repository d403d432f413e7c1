"""Due dates on pages, and holding back reminders."""

from datetime import timedelta
from typing import Any

import pytest

from approvals.reminders.models import Attention, ReminderPreference
from foundation import clock
from tests import given
from tests.approvals.test_reminders import due_policy
from tests.portal.test_change_page import signed_in
from tests.portal.world import Pilot

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_time(pilot: Pilot) -> None:
    due_policy()


class TestMyWork:
    def test_says_when_a_decision_is_due(self, pilot: Pilot) -> None:
        pilot.submitted()

        page = signed_in(pilot.first).get("/").content.decode()

        assert 'Due <time datetime="2026-03-07T10:00:00Z">' in page

    def test_says_what_is_overdue(self, pilot: Pilot, monkeypatch: Any) -> None:
        pilot.submitted()
        monkeypatch.setattr(clock, "now", lambda: given.NOW + timedelta(days=6))

        page = signed_in(pilot.first).get("/").content.decode()

        assert "1 decision is overdue" in page
        assert "Overdue since <time" in page
        assert "Put off" not in page

    def test_folds_what_is_put_off(self, pilot: Pilot) -> None:
        number = pilot.submitted().number
        client = signed_in(pilot.first)

        answer = client.post(f"/changes/{number}/snooze/", {"for": "3"})

        assert answer.status_code == 302
        page = client.get("/").content.decode()
        assert "Put off by you" in page
        assert "Nothing waits for your decision" in page
        assert Attention.objects.get().snoozed_until == given.NOW + timedelta(days=3)

    def test_keeps_what_was_seen(self, pilot: Pilot) -> None:
        number = pilot.submitted().number
        client = signed_in(pilot.first)

        client.post(f"/changes/{number}/seen/")

        assert "You said that you have seen it" in client.get("/").content.decode()
        assert "I have seen it" not in client.get("/").content.decode()

    @pytest.mark.parametrize("chosen", ["", "9", "14"])
    def test_refuses_what_is_not_offered(self, pilot: Pilot, chosen: str) -> None:
        number = pilot.submitted().number

        assert signed_in(pilot.first).post(f"/changes/{number}/snooze/", {"for": chosen}).status_code == 400


class TestChangePage:
    def test_offers_it_to_whom_it_waits_for(self, pilot: Pilot) -> None:
        number = pilot.submitted().number

        assert "It waits for you" in signed_in(pilot.first).get(f"/changes/{number}/").content.decode()
        assert "It waits for you" not in signed_in(pilot.author).get(f"/changes/{number}/").content.decode()


class TestProfile:
    def test_says_how_the_reader_is_reminded(self, pilot: Pilot) -> None:
        client = signed_in(pilot.first)

        answer = client.post("/profile/reminders/", {"frequency": "immediate"})

        assert (answer.status_code, answer["Location"]) == (302, "/profile/")
        assert ReminderPreference.objects.get().frequency == "immediate"
        assert '<option value="immediate" selected>' in client.get("/profile/").content.decode()

    def test_refuses_another_way(self, pilot: Pilot) -> None:
        assert signed_in(pilot.first).post("/profile/reminders/", {"frequency": "never"}).status_code == 400
