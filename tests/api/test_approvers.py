"""Who would have to approve a change, and who could: before it is filed, and of what is filed."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from approvals.requests.models import ChangeRequest
from foundation.identity.models import User
from tests import given
from tests.api.conftest import client_of
from tests.approvals import world as worlds
from tests.approvals.world import World

pytestmark = pytest.mark.django_db


def plan(world: World, client: APIClient) -> Any:
    draft = world.grant()
    return client.post(
        "/api/v1/plans", {"items": [{"kind": draft.kind, "payload": dict(draft.payload)}]}, format="json"
    )


def named(people: Any) -> set[str]:
    return {person["name"] for person in people}


class TestPlan:
    def test_tells_who_could_approve_and_why_it_is_asked(self, world: World) -> None:
        answer = plan(world, client_of(world.author))

        assert answer.status_code == 200
        [stage] = answer.json()["stages"]
        assert (stage["role"], stage["quorum"], stage["enough"]) == ("licensing", 2, True)
        assert stage["reasons"]
        assert named(stage["could_decide"]) == {str(world.first), str(world.second)}
        assert stage["could_not_decide"] == []
        assert answer.json()["missing_people"] == 0
        assert not ChangeRequest.objects.filter(system=False).exists()

    def test_tells_who_could_not_and_why(self, world: World) -> None:
        blind = given.user("licensing", everywhere=False)
        given.user("licensing", is_active=False)
        other_login = given.user("licensing", human_id=world.author.human_id)

        [stage] = plan(world, client_of(world.author)).json()["stages"]

        reasons = {row["user"]["name"]: row["why"] for row in stage["could_not_decide"]}
        assert reasons == {
            str(blind): "may not see every account and product that it touches",
            str(other_login): "wrote this change, under this or another login",
        }

    def test_tells_that_one_of_the_reviewers_proposes_it_themselves(self, world: World) -> None:
        document = plan(world, client_of(world.first)).json()

        assert document["stages"][0]["enough"] is False
        assert document["missing_people"] == 1

    def test_counts_one_human_for_one_stage(self, world: World) -> None:
        world.second.groups.clear()
        both = given.user("licensing", "legal")
        stages = [
            {"position": 1, "role": "licensing", "quorum": 2},
            {"position": 2, "role": "legal", "quorum": 1},
        ]
        given.record("policy.create", name="Two roles", stages=stages)

        document = plan(world, client_of(world.author)).json()

        assert [stage["enough"] for stage in document["stages"]] == [True, True]
        assert str(both) in named(document["stages"][1]["could_decide"])
        assert document["missing_people"] == 1


class TestApprovers:
    def test_are_those_of_a_filed_request(self, world: World) -> None:
        request = world.submit()

        answer = client_of(world.first).get(f"/api/v1/change-requests/{request.id}/approvers")

        assert answer.status_code == 200
        [stage] = answer.json()["stages"]
        assert named(stage["could_decide"]) == {str(world.first), str(world.second)}

    def test_leave_out_who_wrote_any_revision(self, world: World) -> None:
        request = world.propose()
        worlds.services.amend(
            change_request_id=request.id, author=world.second, now=given.NOW, title="Mine", rationale=given.RATIONALE
        )

        [stage] = client_of(world.first).get(f"/api/v1/change-requests/{request.id}/approvers").json()["stages"]

        assert named(stage["could_decide"]) == {str(world.first)}
        assert [row["user"]["name"] for row in stage["could_not_decide"]] == [str(world.second)]

    def test_are_not_told_to_who_may_not_see_the_request(self, world: World) -> None:
        blind: User = given.user("licensing", everywhere=False)

        answer = client_of(blind).get(f"/api/v1/change-requests/{world.submit().id}/approvers")

        assert answer.status_code == 404


class TestRisk:
    def test_is_told_before_anything_is_filed_with_each_items_facts(self, world: World) -> None:
        answer = plan(world, client_of(world.author)).json()

        assert answer["risk"]["level"] == answer["risk"]["computed"]
        assert answer["items"][0]["facts"]["seats_added_year"] == 0
        assert answer["items"][0]["facts"]["new_gaps"] is False

    def test_is_raised_kept_and_read_again(self, world: World) -> None:
        client, draft = client_of(world.author), world.grant()
        items = [{"kind": draft.kind, "payload": dict(draft.payload)}]
        risk = {"level": "high", "reason": "A merger is near."}

        filed = client.post("/api/v1/change-requests", {"title": "T", "items": items, "risk": risk}, format="json")
        address = f"/api/v1/change-requests/{filed.json()['id']}"
        edited = client.post(f"{address}/amend", {"title": "Other"}, format="json")

        assert filed.status_code == 201
        assert edited.json()["risk"]["raised"] == risk
        assert client.get(address).json()["risk"]["level"] == "high"
        assert client.get(address).json()["items"][0]["facts"]["phase"] == "production"
        lowered = client.post(f"{address}/amend", {"risk": None}, format="json")
        assert lowered.json()["risk"]["raised"] is None

    def test_is_not_lowered(self, world: World) -> None:
        draft = world.grant(days=25)
        items = [{"kind": draft.kind, "payload": dict(draft.payload)}]

        answer = client_of(world.author).post(
            "/api/v1/plans", {"items": items, "risk": {"level": "low", "reason": "It is fine."}}, format="json"
        )

        assert answer.status_code == 400
        assert "it can be raised, not lowered" in answer.json()["detail"]
