"""What changed between two revisions, over HTTP."""

import pytest

from approvals.requests import services
from tests import given
from tests.api.conftest import client_of
from tests.approvals.world import World, approve

pytestmark = pytest.mark.django_db


class TestDifference:
    def test_is_from_where_the_reader_decided_to_now(self, world: World) -> None:
        request = world.submit()
        approve(request, world.first)
        for title in ("Second", "Third"):
            services.amend(change_request_id=request.id, author=world.author, now=given.NOW, title=title)

        told = client_of(world.first).get(f"/api/v1/change-requests/{request.id}/difference").json()

        assert (told["older"], told["newer"]) == (1, 3)
        assert told["values"] == [{"label": "Title", "old": "To production", "new": "Third", "unit": ""}]
        assert (told["texts"], told["items"], told["stages"]) == ([], [], [])

    def test_is_between_any_two(self, world: World) -> None:
        request = world.propose()
        for title in ("Second", "Third"):
            services.amend(change_request_id=request.id, author=world.author, now=given.NOW, title=title)
        address = f"/api/v1/change-requests/{request.id}/difference"

        told = client_of(world.first).get(f"{address}?older=2&newer=1").json()

        assert told["values"][0] == {"label": "Title", "old": "Second", "new": "To production", "unit": ""}

    @pytest.mark.parametrize(
        ("query", "status"), [("older=9", 404), ("older=x", 400), ("older=0", 400), ("newer=-1", 400)]
    )
    def test_is_refused_of_what_there_is_not(self, world: World, query: str, status: int) -> None:
        address = f"/api/v1/change-requests/{world.propose().id}/difference?{query}"

        assert client_of(world.first).get(address).status_code == status

    def test_is_hidden_with_its_request(self, world: World) -> None:
        client = client_of(given.user("licensing", everywhere=False))

        assert client.get(f"/api/v1/change-requests/{world.propose().id}/difference").status_code == 404
