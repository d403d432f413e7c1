"""Announcements and subscriptions over HTTP."""

import uuid
from typing import Any

import pytest

from approvals.announcements import distributing
from approvals.announcements.models import Announcement, Subscription
from approvals.attachments.services import Upload, attach
from approvals.verification import acting_back
from tests import given
from tests.api.conftest import client_of
from tests.approvals.files import PDF
from tests.approvals.test_announcements import applied, condition, of_role
from tests.approvals.world import World

pytestmark = pytest.mark.django_db
LISTED = "/api/v1/announcements"
SUBSCRIBED = "/api/v1/subscriptions"


class TestAnnouncements:
    def test_are_listed_and_read(self, world: World) -> None:
        of_role("finance", hours=24)
        reader, other = given.user("finance"), given.user("finance")
        request = applied(world)
        distributing.announce(now=given.NOW)
        client = client_of(reader)

        (told,) = client.get(LISTED).json()["results"]

        assert (told["number"], told["title"], told["basis"]) == (request.number, request.title, "quorum")
        assert told["reasons"] == ["Finance: All"]
        assert (told["acknowledge_by"], told["acknowledged_at"]) == ("2026-03-03T10:00:00Z", None)
        assert told["summary"]
        address = f"{LISTED}/{told['id']}"
        assert client.get(address).json() == told
        for answer in (client.post(f"{address}/acknowledge"), client.post(f"{address}/acknowledge")):
            assert (answer.status_code, answer.json()["acknowledged_at"]) == (200, "2026-03-02T10:00:00Z")
        for query, count in (("acknowledged=true", 1), ("acknowledged=false", 0), ("overdue=true", 0)):
            assert len(client.get(f"{LISTED}?{query}").json()["results"]) == count, query
        assert client_of(other).get(address).status_code == 404
        assert client_of(other).post(f"{address}/acknowledge").status_code == 404

    def test_are_hidden_with_the_change(self, world: World) -> None:
        of_role("finance")
        reader = given.user("finance")
        applied(world)
        distributing.announce(now=given.NOW)
        reader.user_permissions.clear()

        announcement = Announcement.objects.get(reader=reader)
        assert client_of(reader).get(LISTED).json()["results"] == []
        assert client_of(reader).post(f"{LISTED}/{announcement.id}/acknowledge").status_code == 404

    def test_tell_of_what_is_acted_back(self, world: World) -> None:
        of_role("finance")
        reader, original = given.user("finance"), applied(world)
        outlook = acting_back.look(change_request=original, user=world.operator, now=given.NOW)
        inverse = acting_back.act_back(
            change_request_id=original.id, user=world.operator, now=given.NOW, seen=outlook.digest
        )
        distributing.announce(now=given.NOW)

        told = {row["number"]: row["basis"] for row in client_of(reader).get(LISTED).json()["results"]}

        assert told == {original.number: "quorum", inverse.number: "rollback"}


class TestEvidence:
    def test_is_a_file_of_the_change(self, world: World) -> None:
        request = applied(world)
        kept = attach(change_request_id=request.id, author=world.first, file=Upload("seen.pdf", PDF), now=given.NOW)
        address = f"/api/v1/change-requests/{request.id}/verification"
        client = client_of(world.first)
        body = {"criterion": 1, "met": True, "attachment_id": str(uuid.uuid4())}
        assert client.post(address, body, format="json").status_code == 404

        answer = client.post(address, body | {"attachment_id": str(kept.id)}, format="json").json()

        (tick,) = answer["criteria"][0]["ticks"]
        assert (answer["status"], tick["file"]["id"], tick["file"]["digest"]) == (
            "verified",
            str(kept.id),
            kept.blob_id,
        )


class TestSubscriptions:
    def test_are_made_changed_and_ended(self, world: World) -> None:
        client = client_of(world.author)
        row = condition("accounts", "any_of", [str(world.account.id)])

        made = client.post(SUBSCRIBED, {"name": "Here", "conditions": [row]}, format="json")

        assert made.status_code == 201
        told = made.json()
        assert (told["role"], told["follows"], told["may_change"]) == ("", True, True)
        assert told["words"] == f"changes where the account is any of {world.account.name}"
        address = f"{SUBSCRIBED}/{told['id']}"
        assert client.post(SUBSCRIBED, {"name": "Here"}, format="json").json()["code"] == "subscription_name_taken"
        changed = client.put(address, {"name": "Everywhere"}, format="json").json()
        assert (changed["conditions"], changed["words"]) == ([], "every change")
        assert client_of(world.first).get(address).status_code == 404
        assert client.delete(address).status_code == 204
        assert client.get(address).status_code == 404

    def test_of_roles_are_followed_by_all_and_set_up_by_administrators(self, world: World) -> None:
        row = of_role("finance", hours=48, name="To be read")
        client, holder = client_of(world.author), client_of(given.user("finance"))
        address = f"{SUBSCRIBED}/{row.id}"

        for follows in (True, False):
            answer = client.put(f"{address}/following", {"follows": follows}, format="json").json()
            assert (answer["follows"], answer["may_change"]) == (follows, False)
        left = holder.put(f"{address}/following", {"follows": False}, format="json")
        assert (left.status_code, left.json()["code"]) == (409, "must_be_read")
        assert holder.put(address, {"name": "Other"}, format="json").status_code == 403
        assert holder.post(SUBSCRIBED, {"name": "Other", "role": "finance"}, format="json").status_code == 403
        administrator = client_of(given.user("administrator"))
        made = administrator.post(
            SUBSCRIBED, {"name": "Other", "role": "legal", "acknowledge_hours": 24}, format="json"
        )
        assert made.json()["acknowledge_hours"] == 24
        assert administrator.put(address, {"name": "Other"}, format="json").json()["acknowledge_hours"] is None

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"name": ""},
            {"name": "x", "conditions": [{}]},
            {"name": "x", "conditions": [condition("gone", "is", "x")]},
            {"name": "x", "conditions": [condition("phase", "is", {"a": 1})]},
            {"name": "x", "conditions": [condition("phase", "is", 1.5)]},
            {"name": "x", "conditions": [condition("phase", "any_of", [["trial"]])]},
            {"name": "x", "conditions": [condition("phase", "any_of", ["trial"] * 201)]},
            {"name": "x", "acknowledge_hours": 24},
            {"name": "x", "role": "kings"},
        ],
    )
    def test_refuse_what_does_not_fit(self, world: World, body: dict[str, Any]) -> None:
        assert client_of(world.author).post(SUBSCRIBED, body, format="json").status_code == 400
        assert not Subscription.objects.filter(owner=world.author).exists()

    def test_name_nothing_hidden(self, world: World) -> None:
        row = condition("accounts", "any_of", [str(world.account.id)])
        hidden = of_role("finance", row, name="Here")
        client = client_of(given.user("finance", everywhere=False))

        assert client.post(SUBSCRIBED, {"name": "x", "conditions": [row]}, format="json").status_code == 404
        assert client.get(f"{SUBSCRIBED}/{hidden.id}").status_code == 404
        assert str(world.account.id) not in client.get(SUBSCRIBED).content.decode()
