"""Standard templates and emergency permits over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from entitlements.grants.models import Entitlement
from tests import given
from tests.api.conftest import Sender
from tests.api.test_change_requests import act, propose, refused
from tests.api.test_permissions import STANDARD

pytestmark = pytest.mark.django_db


@pytest.fixture
def entitlement(db: None) -> Entitlement:
    return given.entitlement()


def bounds(value: int) -> dict[str, Any]:
    return {"conditions": [{"field": "seats_after", "operator": "at_most", "value": value}]}


class TestStandard:
    def test_plans_tell_which_templates_cover_them(self, sender: Sender, entitlement: Entitlement) -> None:
        wide = given.record("standard_template.create", **(STANDARD | bounds(20)))
        narrow = given.record("standard_template.create", **(STANDARD | bounds(5) | {"name": "Narrow"}))
        items = [{"kind": "entitlement.amend", "target_id": str(entitlement.id), "payload": {"seats": 12}}]

        told = sender("requester").post("/api/v1/plans", {"items": items}).json()["standards"]

        assert {one["template_id"]: (one["covers"], one["unmet"]) for one in told} == {
            str(wide.id): (True, []),
            str(narrow.id): (False, ["Seats after is 12 seats; allowed is at most 5."]),
        }

    def test_cites_a_template_and_is_approved_at_once(self, sender: Sender, entitlement: Entitlement) -> None:
        of = given.record("standard_template.create", **(STANDARD | bounds(20)))
        author = sender("requester")

        request = propose(author, entitlement, template_id=str(of.id))

        assert request["standard"] == {"template_id": str(of.id), "name": of.name, "version": 1}
        assert act(author, request, "submit").json()["status"] == "approved"
        applied = act(sender("licensing"), request, "apply").json()
        assert applied["authorization"]["basis"] == "standard"
        assert applied["authorization"]["template_version"] == 1

    def test_is_told_each_bound_and_drops_the_template(self, sender: Sender, entitlement: Entitlement) -> None:
        of = given.record("standard_template.create", **(STANDARD | bounds(5)))
        author = sender("requester")
        request = propose(author, entitlement, template_id=str(of.id))

        problem = refused(lambda: act(author, request, "submit"), 409, "not_standard")

        assert problem["unmet"]
        amended = author.post(f"/api/v1/change-requests/{request['id']}/amend", {"template_id": None}).json()
        assert amended["standard"] is None
        assert act(author, request, "submit").json()["status"] == "in_review"


class TestPermit:
    def test_is_taken_used_and_reviewed(self, sender: Sender, entitlement: Entitlement) -> None:
        holder, request = sender("emergency"), propose(sender("requester"), entitlement)
        body = {"digest": request["revision"]["digest"], "reason": "The line stands still."}

        permit = holder.post(f"/api/v1/change-requests/{request['id']}/permits", body)

        assert permit.status_code == 201
        address = f"/api/v1/permits/{permit.json()['id']}"
        applied = holder.post(f"{address}/use").json()
        assert (applied["status"], applied["authorization"]["basis"]) == ("applied", "emergency")
        said = {"digest": body["digest"], "verdict": "justified"}
        for _ in range(2):
            last = sender("licensing").post(f"{address}/reviews", said)
            assert last.status_code == 201
        assert last.json()["outcome"] == "justified"
        assert holder.get("/api/v1/permits?to_review=true").json()["results"] == []
        assert len(holder.get("/api/v1/permits").json()["results"]) == 1

    def test_is_hidden_with_its_change(self, sender: Sender, entitlement: Entitlement) -> None:
        holder, request = sender("emergency"), propose(sender("requester"), entitlement)
        body = {"digest": request["revision"]["digest"], "reason": "The line stands still."}
        address = f"/api/v1/change-requests/{request['id']}/permits"
        permit = holder.post(address, body).json()
        stranger = APIClient()
        stranger.force_authenticate(given.user("emergency", "licensing", everywhere=False))

        assert stranger.get("/api/v1/permits").json()["results"] == []
        assert stranger.get(f"/api/v1/permits/{permit['id']}").status_code == 404
        for told in (
            stranger.post(address, body),
            stranger.post(f"/api/v1/permits/{permit['id']}/use"),
            stranger.post(f"/api/v1/permits/{permit['id']}/reviews", body | {"verdict": "justified"}),
        ):
            assert told.status_code == 404

    def test_refuses_a_second_use_and_another_role(self, sender: Sender, entitlement: Entitlement) -> None:
        holder, request = sender("emergency"), propose(sender("requester"), entitlement)
        body = {"digest": request["revision"]["digest"], "reason": "The line stands still."}
        address = f"/api/v1/change-requests/{request['id']}/permits"
        stranger = sender("administrator")
        refused(lambda: stranger.post(address, body), 403, "no_emergency_role")
        permit = holder.post(address, body).json()
        holder.post(f"/api/v1/permits/{permit['id']}/use")

        refused(lambda: holder.post(f"/api/v1/permits/{permit['id']}/use"), 409, "permit_used")
