"""A whole change over HTTP, and everything that is refused: told as a problem, with nothing written."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from rest_framework.test import APIClient

from approvals.requests.models import Authorization, ChangeRequest, Decision, Revision
from audit.ledger.models import Event
from entitlements.catalog.models import Product
from entitlements.grants.models import Entitlement
from foundation.api.models import IdempotencyRecord
from tests import given
from tests.api.conftest import Sender, client_of

pytestmark = pytest.mark.django_db

RATIONALE = {
    "justification": "The pilot succeeded.",
    "impact": "Five more people get access.",
    "acceptance_criteria": ["They can sign in."],
    "rollback": "Take the seats back.",
}


def proposal(entitlement: Entitlement, seats: int = 15, **changed: Any) -> dict[str, Any]:
    item = {"kind": "entitlement.amend", "target_id": str(entitlement.id), "payload": {"seats": seats}}
    return {"title": "More seats", "items": [item], "rationale": RATIONALE} | changed


def propose(client: APIClient, entitlement: Entitlement, **changed: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/change-requests", proposal(entitlement, **changed))
    assert answer.status_code == 201, answer.content
    return answer.json()


def act(client: APIClient, request: dict[str, Any], action: str, **body: Any) -> HttpResponse:
    return client.post(f"/api/v1/change-requests/{request['id']}/{action}", body)


def approve(client: APIClient, request: dict[str, Any]) -> HttpResponse:
    return act(client, request, "approve", digest=request["revision"]["digest"])


def written() -> tuple[int, ...]:
    """What a refusal must leave as it is; that prices were read is no step of a change."""
    models = (ChangeRequest, Revision, Decision, Authorization, IdempotencyRecord)
    events = Event.objects.exclude(type__startswith="audit.").count()
    counts = (model._default_manager.count() for model in models)
    return (*counts, events, *Entitlement.objects.values_list("seats", flat=True))


def refused(ask: Callable[[], HttpResponse], status: int, code: str) -> dict[str, Any]:
    """Check that a request is refused with this problem and that nothing is written."""
    before = written()
    answer = ask()
    problem = json.loads(answer.content)
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["type"].endswith(f"/problems/{code}")
    assert problem["detail"]
    assert written() == before
    return problem


@pytest.fixture
def entitlement(db: None) -> Entitlement:
    return given.entitlement()


class TestWholeChange:
    def test_goes_from_proposal_to_application(self, sender: Sender, entitlement: Entitlement) -> None:
        author, first, second = sender("requester"), sender("licensing"), sender("licensing")

        request = propose(author, entitlement)
        assert request["status"] == "draft"
        assert request["items"][0]["changes"] == [{"field": "seats", "old": 10, "new": 15}]
        assert request["plan"]["summary"]
        assert [(stage["role"], stage["quorum"]) for stage in request["stages"]] == [("licensing", 2)]
        submitted = act(author, request, "submit").json()
        assert submitted["status"] == "in_review"
        assert approve(first, request).json()["status"] == "in_review"
        approved = approve(second, request).json()
        assert approved["status"] == "approved"
        assert [row["verdict"] for row in approved["stages"][0]["decisions"]] == ["approve", "approve"]
        assert Entitlement.objects.get(id=entitlement.id).seats == 10

        applied = act(first, request, "apply").json()

        assert applied["status"] == "applied"
        assert Entitlement.objects.get(id=entitlement.id).seats == 15
        read = author.get(f"/api/v1/entitlements/{entitlement.id}")
        assert (read.json()["seats"], read["ETag"]) == (15, '"2"')

    def test_tells_what_the_reader_may_do(self, sender: Sender, entitlement: Entitlement) -> None:
        author, reviewer, auditor = sender("requester"), sender("licensing"), sender("auditor")
        request = propose(author, entitlement)
        act(author, request, "submit")

        def allowed(client: APIClient) -> set[str]:
            read = client.get(f"/api/v1/change-requests/{request['id']}").json()
            assert all(row["allowed"] or row["why_not"] for row in read["actions"])
            return {row["action"] for row in read["actions"] if row["allowed"]}

        assert allowed(author) == {"amend", "replan", "withdraw"}
        assert allowed(reviewer) == {"amend", "replan", "approve", "ask_for_changes", "reject", "withdraw"}
        assert allowed(auditor) == set()
        approve(reviewer, request)
        assert allowed(reviewer) == {"amend", "replan", "withdraw"}

    def test_makes_decisions_stale_when_it_is_edited(self, sender: Sender, entitlement: Entitlement) -> None:
        author, reviewer = sender("requester"), sender("licensing")
        request = propose(author, entitlement)
        act(author, request, "submit")
        approve(reviewer, request)

        item = proposal(entitlement, seats=20)["items"]
        amended = act(author, request, "amend", items=item, digest=request["revision"]["digest"]).json()

        assert (amended["status"], amended["revision"]["number"]) == ("draft", 2)
        assert [row["revision"] for row in amended["stale_decisions"]] == [1]
        assert amended["stages"][0]["decisions"] == []
        assert amended["rationale"] == RATIONALE

    def test_can_be_sent_back_rejected_and_withdrawn(self, sender: Sender, entitlement: Entitlement) -> None:
        author, reviewer = sender("requester"), sender("licensing")
        for action, body, status in (
            ("ask-for-changes", {"comment": "Fewer."}, "changes_requested"),
            ("reject", {"comment": "No."}, "rejected"),
        ):
            request = propose(author, entitlement)
            act(author, request, "submit")
            answer = act(reviewer, request, action, digest=request["revision"]["digest"], **body)
            assert answer.json()["status"] == status
        request = propose(author, entitlement)
        assert act(author, request, "withdraw").json()["status"] == "withdrawn"

    def test_is_listed(self, sender: Sender, entitlement: Entitlement) -> None:
        author, reviewer = sender("requester"), sender("licensing")
        request = propose(author, entitlement)
        act(author, request, "submit")

        def found(client: APIClient, query: str) -> list[int]:
            return [row["number"] for row in client.get(f"/api/v1/change-requests?{query}").json()["results"]]

        number = request["number"]
        assert found(reviewer, "awaiting_me=true") == [number]
        assert found(author, "awaiting_me=true") == []
        assert found(author, "mine=true&status=in_review&status=draft") == [number]
        assert found(author, f"record_id={entitlement.id}&open=true") == [number]
        assert number not in found(author, "open=false")

    def test_is_hidden_from_who_may_not_see_all_of_it(self, sender: Sender, entitlement: Entitlement) -> None:
        request = propose(sender("requester"), entitlement)
        user = given.user("licensing", everywhere=False)
        given.grant_access(user, entitlement.account)
        client = client_of(user)

        listed = client.get("/api/v1/change-requests").json()["results"]
        assert request["id"] not in {row["id"] for row in listed}
        assert client.get(f"/api/v1/change-requests/{request['id']}").status_code == 404
        for action in ("amend", "submit", "apply", "withdraw"):
            refused(lambda action=action: act(client, request, action), 404, "not_found")
        for action in ("approve", "ask-for-changes", "reject"):
            body = {"digest": request["revision"]["digest"], "comment": "No."}
            refused(lambda action=action, body=body: act(client, request, action, **body), 404, "not_found")


class TestPlans:
    def test_tell_without_filing(self, sender: Sender, entitlement: Entitlement) -> None:
        client = sender("requester")
        before = written()

        answer = client.post("/api/v1/plans", {"items": proposal(entitlement)["items"]})

        assert answer.status_code == 200, answer.content
        assert answer.json()["items"][0]["changes"] == [{"field": "seats", "old": 10, "new": 15}]
        assert answer.json()["stages"][0]["role"] == "licensing"
        assert written() == before


class TestRefusals:
    def test_of_self_approval_under_a_second_login(self, sender: Sender, entitlement: Entitlement) -> None:
        human = given.user("licensing", username="first-login")
        other = given.user("licensing", username="second-login", human_id=human.human_id)
        request = propose(client_of(human), entitlement)
        act(client_of(human), request, "submit")
        second = client_of(other)

        refused(lambda: approve(second, request), 403, "self_review")

    def test_of_a_stale_digest(self, sender: Sender, entitlement: Entitlement) -> None:
        author, reviewer = sender("requester"), sender("licensing")
        request = propose(author, entitlement)
        act(author, request, "amend", items=proposal(entitlement, seats=20)["items"])
        act(author, request, "submit")

        problem = refused(lambda: approve(reviewer, request), 409, "stale_digest")
        assert problem["revision"] == 2

    def test_of_a_stale_base(self, sender: Sender, entitlement: Entitlement) -> None:
        author, first, second = sender("requester"), sender("licensing"), sender("licensing")
        request = propose(author, entitlement)
        act(author, request, "submit")
        approve(first, request)
        approve(second, request)
        given.record("entitlement.amend", target_id=entitlement.id, seats=12)

        problem = refused(lambda: act(first, request, "apply"), 409, "stale_base")
        assert problem["records"] == [str(entitlement.id)]

    def test_of_a_second_decision(self, sender: Sender, entitlement: Entitlement) -> None:
        author, reviewer = sender("requester"), sender("licensing")
        request = propose(author, entitlement)
        act(author, request, "submit")
        approve(reviewer, request)

        refused(lambda: approve(reviewer, request), 409, "already_decided")

    def test_of_an_unknown_kind(self, sender: Sender, entitlement: Entitlement) -> None:
        author = sender("requester")
        body = {"title": "x", "items": [{"kind": "entitlement.delete", "payload": {}}]}

        refused(lambda: author.post("/api/v1/change-requests", body), 400, "unknown_kind")

    def test_of_a_stage_of_another_role(self, sender: Sender, entitlement: Entitlement) -> None:
        author, reviewer = sender("requester"), sender("finance")
        request = propose(author, entitlement)
        act(author, request, "submit")

        refused(lambda: approve(reviewer, request), 403, "not_a_reviewer")

    def test_of_a_no_without_a_reason(self, sender: Sender, entitlement: Entitlement) -> None:
        author, reviewer = sender("requester"), sender("licensing")
        request = propose(author, entitlement)
        act(author, request, "submit")
        digest = request["revision"]["digest"]

        refused(lambda: act(reviewer, request, "reject", digest=digest, comment=" "), 400, "comment_required")

    def test_of_an_application_before_approval(self, sender: Sender, entitlement: Entitlement) -> None:
        author = sender("requester", "licensing")
        request = propose(author, entitlement)

        refused(lambda: act(author, request, "apply"), 409, "wrong_state")

    def test_of_review_without_a_rationale(self, sender: Sender, entitlement: Entitlement) -> None:
        author = sender("requester")
        request = propose(author, entitlement, rationale={})

        problem = refused(lambda: act(author, request, "submit"), 400, "incomplete_rationale")
        assert "/justification" in {error["pointer"] for error in problem["errors"]}

    def test_of_what_is_not_granted(self, entitlement: Entitlement) -> None:
        client = client_of(given.user("requester", everywhere=False))

        refused(lambda: client.post("/api/v1/change-requests", proposal(entitlement)), 404, "not_found")

    def test_of_a_proposal_by_an_auditor(self, sender: Sender, entitlement: Entitlement) -> None:
        auditor = sender("auditor")

        refused(lambda: auditor.post("/api/v1/change-requests", proposal(entitlement)), 403, "not_permitted")

    def test_names_the_value_in_the_item(self, sender: Sender, entitlement: Entitlement) -> None:
        author, body = sender("requester"), proposal(entitlement, seats=-1)

        problem = refused(lambda: author.post("/api/v1/change-requests", body), 400, "invalid_input")
        assert problem["errors"][0]["pointer"].startswith("/items/0/payload/seats")

    @pytest.mark.parametrize("text", ["\\u0000", "\\ud83d", "\\udc00x"])
    def test_of_what_cannot_be_stored(self, sender: Sender, entitlement: Entitlement, text: str) -> None:
        author, body = sender("requester"), json.dumps(proposal(entitlement)).replace("More seats", text)

        def send() -> HttpResponse:
            return author.post("/api/v1/change-requests", data=body, content_type="application/json")

        refused(send, 400, "malformed_body")


class TestRegistryWrites:
    def test_answer_with_a_change_request(self, sender: Sender) -> None:
        author = sender("requester")

        answer = author.post("/api/v1/products", {"code": "atlas", "name": "Atlas"})

        assert answer.status_code == 202, answer.content
        assert answer.json()["title"] == "Add product: Atlas"
        assert answer.json()["items"][0]["kind"] == "product.create"
        assert author.get(answer["Location"]).json() == answer.json()
        assert not Product.objects.filter(code="atlas").exists()

    def test_of_each_method(self, sender: Sender, entitlement: Entitlement) -> None:
        author, address = sender("requester"), f"/api/v1/entitlements/{entitlement.id}"
        later = (given.NOW + timedelta(days=400)).isoformat()
        sooner = (given.NOW + timedelta(days=10)).isoformat().replace("+", "%2B")
        version = {"HTTP_IF_MATCH": '"1"'}
        answers = {
            "entitlement.amend": author.patch(address, {"seats": 11}, **version),
            "entitlement.extend": author.post(f"{address}/extend", {"ends_at": later}, **version),
            "entitlement.retire": author.delete(f"{address}?ends_at={sooner}", **version),
            "entitlement.move": author.post(
                f"{address}/move", {"sku_revision_id": str(given.sku_revision(entitlement.sku).id)}, **version
            ),
        }

        for kind, answer in answers.items():
            assert answer.status_code == 202, answer.content
            assert answer.json()["items"][0]["kind"] == kind
            assert answer.json()["items"][0]["base_version"] == 1
        assert Entitlement.objects.get(id=entitlement.id).version == 1

    def test_demand_the_version_that_was_read(self, sender: Sender, entitlement: Entitlement) -> None:
        author, address = sender("requester"), f"/api/v1/entitlements/{entitlement.id}"
        given.record("entitlement.amend", target_id=entitlement.id, seats=12)

        refused(lambda: author.patch(address, {"seats": 11}, HTTP_IF_MATCH='"1"'), 412, "version_changed")
        refused(lambda: author.patch(address, {"seats": 11}), 428, "version_required")
        refused(lambda: author.delete(address, HTTP_IF_MATCH='"1"'), 412, "version_changed")

    def test_name_the_values_that_do_not_fit(self, sender: Sender, entitlement: Entitlement) -> None:
        author, address = sender("requester"), f"/api/v1/entitlements/{entitlement.id}"

        problem = refused(
            lambda: author.patch(address, {"seats": "many", "x": 1}, HTTP_IF_MATCH='"1"'), 400, "invalid_input"
        )
        assert {error["pointer"].split("/")[1] for error in problem["errors"]} == {"seats", "x"}

    @pytest.mark.parametrize("body", [[], "x", None, 1])
    def test_take_objects(self, sender: Sender, body: Any) -> None:
        author = sender("requester")

        answer = author.post("/api/v1/products", data=json.dumps(body), content_type="application/json")

        assert answer.status_code == 400

    def test_are_hidden_with_the_record(self, entitlement: Entitlement) -> None:
        client = client_of(given.user("requester", everywhere=False))
        address = f"/api/v1/entitlements/{entitlement.id}"

        refused(lambda: client.patch(address, {"seats": 11}, HTTP_IF_MATCH='"1"'), 404, "not_found")


class TestIdempotency:
    def test_files_once(self, sender: Sender, entitlement: Entitlement) -> None:
        author, key = sender("requester"), {"HTTP_IDEMPOTENCY_KEY": "one"}

        first = author.post("/api/v1/change-requests", proposal(entitlement), **key)
        again = author.post("/api/v1/change-requests", proposal(entitlement), **key)

        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert (first["Location"], again["Idempotency-Replayed"]) == (again["Location"], "true")
        assert ChangeRequest.objects.filter(system=False).count() == 1
        refused(
            lambda: author.post("/api/v1/change-requests", proposal(entitlement, seats=16), **key),
            422,
            "idempotency_key_reused",
        )

    def test_files_a_registry_write_once(self, sender: Sender) -> None:
        author, key = sender("requester"), {"HTTP_IDEMPOTENCY_KEY": "one"}
        body = {"code": "atlas", "name": "Atlas"}

        answers = [author.post("/api/v1/products", body, **key) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0]["Location"] == answers[1]["Location"]
