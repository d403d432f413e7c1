"""Delegations over HTTP."""

from datetime import timedelta

import pytest

from foundation import clock
from tests import given
from tests.api.conftest import client_of
from tests.approvals import world as worlds
from tests.approvals.world import World

pytestmark = pytest.mark.django_db


class TestDelegations:
    def test_are_given_listed_used_and_revoked(self, world: World) -> None:
        deputy = given.user("legal")
        body = {
            "delegate": deputy.username,
            "role": "licensing",
            "ends_at": (clock.now() + timedelta(days=9)).isoformat(),
            "reason": "On leave.",
        }
        made = client_of(world.first).post("/api/v1/delegations", body, format="json")
        assert made.status_code == 201, made.content
        request = world.submit()
        digest = worlds.revision_of(request).digest

        listed = client_of(deputy).get("/api/v1/delegations?in_force=true").json()["results"]
        assert [row["delegator"]["id"] for row in listed] == [str(world.first.id)]
        assert client_of(world.second).get("/api/v1/delegations").json()["results"] == []
        waiting = client_of(deputy).get("/api/v1/change-requests?awaiting_me=true").json()["results"]
        assert [row["id"] for row in waiting] == [str(request.id)]

        answer = client_of(deputy).post(
            f"/api/v1/change-requests/{request.id}/approve",
            {"digest": digest, "on_behalf_of": str(world.first.id)},
            format="json",
        )
        assert answer.status_code == 200, answer.content
        [decision] = answer.json()["stages"][0]["decisions"]
        assert decision["on_behalf_of"]["id"] == str(world.first.id)

        revoked = client_of(deputy).post(f"/api/v1/delegations/{made.json()['id']}/revoke")
        assert revoked.json()["revoked_at"]
        again = client_of(deputy).post(f"/api/v1/delegations/{made.json()['id']}/revoke")
        assert (again.status_code, again.json()["code"]) == (409, "delegation_over")

    def test_are_to_people_who_exist(self, world: World) -> None:
        body = {"delegate": "nobody-here", "ends_at": (clock.now() + timedelta(days=9)).isoformat(), "reason": "Away."}

        answer = client_of(world.first).post("/api/v1/delegations", body, format="json")

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
