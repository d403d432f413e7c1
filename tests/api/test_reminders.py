"""What waits, put off and seen, over HTTP."""

from datetime import timedelta

import pytest

from tests import given
from tests.api.conftest import client_of
from tests.approvals.test_reminders import due_policy
from tests.approvals.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(world: World) -> World:
    due_policy()
    return world


class TestWaiting:
    def test_is_listed_with_its_due_instant(self, world: World) -> None:
        request = world.submit()

        (told,) = client_of(world.first).get("/api/v1/waiting").json()

        assert (told["number"], told["what"]) == (request.number, "decide")
        assert told["due_at"] == "2026-03-07T10:00:00Z"
        assert (told["snoozed_until"], told["acknowledged_at"]) == (None, None)
        assert client_of(world.author).get("/api/v1/waiting").json() == []

    def test_is_put_off_and_seen(self, world: World) -> None:
        request = world.submit()
        client = client_of(world.first)
        address = f"/api/v1/change-requests/{request.id}"

        until = (given.NOW + timedelta(days=1)).isoformat()
        assert client.post(f"{address}/snooze", {"until": until}, format="json").status_code == 200
        assert client.post(f"{address}/acknowledge").status_code == 200

        (told,) = client.get("/api/v1/waiting").json()
        assert (told["snoozed_until"], told["acknowledged_at"]) == ("2026-03-03T10:00:00Z", "2026-03-02T10:00:00Z")

    @pytest.mark.parametrize("days", [-1, 6, 15])
    def test_is_not_put_off_beyond_its_bounds(self, world: World, days: int) -> None:
        until = (given.NOW + timedelta(days=days)).isoformat()
        address = f"/api/v1/change-requests/{world.submit().id}/snooze"

        assert client_of(world.first).post(address, {"until": until}, format="json").status_code == 400

    def test_that_is_nothing_is_told(self, world: World) -> None:
        answer = client_of(world.author).post(f"/api/v1/change-requests/{world.submit().id}/acknowledge")

        assert (answer.status_code, answer.json()["code"]) == (404, "nothing_waits")


class TestPreference:
    def test_is_daily_until_chosen(self, world: World) -> None:
        client = client_of(world.first)
        assert client.get("/api/v1/reminders/preference").json() == {"frequency": "daily"}

        client.put("/api/v1/reminders/preference", {"frequency": "immediate"}, format="json")

        assert client.get("/api/v1/reminders/preference").json() == {"frequency": "immediate"}
        assert client.put("/api/v1/reminders/preference", {"frequency": "never"}, format="json").status_code == 400
