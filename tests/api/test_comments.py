"""The discussion of a change request over HTTP."""

import pytest

from tests import given
from tests.api.conftest import client_of
from tests.approvals.world import World

pytestmark = pytest.mark.django_db


class TestComments:
    def test_are_written_and_read_in_their_order(self, world: World) -> None:
        request = world.submit()
        address = f"/api/v1/change-requests/{request.id}/comments"
        client = client_of(world.first)

        first = client.post(address, {"text": f"Why? @{world.second.username}"}, format="json")
        client_of(world.author).post(address, {"text": "Because."}, format="json")

        assert first.status_code == 201
        assert first.json()["mentions"] == [str(world.second.id)]
        results = client.get(address).json()["results"]
        assert [row["text"] for row in results] == [f"Why? @{world.second.username}", "Because."]
        assert (results[0]["author"]["name"], results[0]["revision"]) == (str(world.first), 1)

    def test_are_written_once_for_one_key(self, world: World) -> None:
        address = f"/api/v1/change-requests/{world.submit().id}/comments"
        client = client_of(world.first)

        answers = [client.post(address, {"text": "Once."}, format="json", HTTP_IDEMPOTENCY_KEY="k") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        assert len(client.get(address).json()["results"]) == 1

    @pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "   "}, {"text": "x" * 10_001}, {"text": None}])
    def test_are_refused_without_something_to_say(self, world: World, body: dict[str, str]) -> None:
        address = f"/api/v1/change-requests/{world.submit().id}/comments"

        answer = client_of(world.first).post(address, body, format="json")

        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"

    def test_are_hidden_with_their_request(self, world: World) -> None:
        address = f"/api/v1/change-requests/{world.submit().id}/comments"
        client = client_of(given.user("licensing", everywhere=False))

        assert client.get(address).status_code == 404
        assert client.post(address, {"text": "Hello?"}, format="json").status_code == 404

    def test_come_in_pages(self, world: World) -> None:
        address = f"/api/v1/change-requests/{world.submit().id}/comments"
        client = client_of(world.first)
        for number in range(5):
            client.post(address, {"text": str(number)}, format="json")

        page, said = client.get(f"{address}?limit=2").json(), []
        while True:
            said += [row["text"] for row in page["results"]]
            if not page["next"]:
                break
            page = client.get(page["next"]).json()

        assert said == ["0", "1", "2", "3", "4"]
