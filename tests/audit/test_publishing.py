"""The log over HTTP: what a stranger needs to verify it, and that it does verify."""

import base64
import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from audit.merkle import notes, tree
from audit.merkle.notes import VerifierKey
from audit.models import Checkpoint, CheckpointCopy
from foundation import clock
from tests import given
from tests.audit.test_sealing import happened, seal_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(clock, "now", lambda: given.NOW)
    settings.WHITENOISE_AUTOREFRESH = True


def client_of(*roles: str) -> APIClient:
    client = APIClient()
    client.force_authenticate(given.user(*roles))
    return client


def decoded(hashes: list[str]) -> list[bytes]:
    return [base64.b64decode(one) for one in hashes]


class TestTheLedger:
    def test_is_verified_by_a_stranger_from_what_the_api_says(self) -> None:
        auditor = client_of("auditor")
        happened(9)
        seal_all()
        first = auditor.get("/api/v1/ledger").json()
        event = happened(1)[0]
        happened(20)
        seal_all(batch=6)
        last = auditor.get("/api/v1/ledger").json()

        known = [VerifierKey.read(text) for text in last["keys"]]
        heads = [
            notes.read_checkpoint(told["checkpoint"]["note"], keys=known, origins=[told["origin"]])
            for told in (first, last)
        ]
        sizes = {"first": heads[0].size, "second": heads[1].size}
        proof = auditor.get("/api/v1/ledger/consistency", sizes).json()
        tree.check_consistency(**sizes, proof=decoded(proof["hashes"]), roots=(heads[0].root, heads[1].root))
        content = auditor.get(f"/api/v1/events/{event.id}").json()["content"]
        for query in ({}, {"size": heads[0].size + 6}):
            proof = auditor.get(f"/api/v1/events/{event.id}/proof", query).json()
            head = notes.read_checkpoint(proof["checkpoint"]["note"], keys=known, origins=[last["origin"]])
            tree.check_inclusion(
                leaf=tree.leaf_hash(content.encode()),
                index=proof["index"],
                size=head.size,
                proof=decoded(proof["hashes"]),
                root=head.root,
            )
        listed = auditor.get("/api/v1/ledger/checkpoints", {"limit": 2}).json()
        assert [one["size"] for one in listed["results"]] == [heads[1].size, heads[1].size - 3]
        assert listed["next"]
        assert last["waiting"] == 0

    def test_says_what_waits_and_what_was_copied(self) -> None:
        happened(2)
        auditor = client_of("auditor")
        told = auditor.get("/api/v1/ledger").json()
        assert told["checkpoint"] is None
        assert told["waiting"] >= 2
        for size in (3, 5):
            CheckpointCopy.objects.create(target="s3://bucket/x", size=size, copied_at=given.NOW)
        assert [(one["target"], one["size"]) for one in auditor.get("/api/v1/ledger").json()["copies"]] == [
            ("s3://bucket/x", 5)
        ]

    def test_refuses_what_cannot_be_proven(self) -> None:
        auditor = client_of("auditor")
        event = happened()[0]
        for address, status, code in (
            (f"/api/v1/events/{event.id}/proof", 409, "not_sealed"),
            ("/api/v1/ledger/consistency", 400, "invalid_input"),
            ("/api/v1/ledger/consistency?first=1&second=x", 400, "invalid_input"),
            ("/api/v1/ledger/consistency?first=1&second=999999", 409, "not_sealed"),
        ):
            answer = auditor.get(address)
            assert (answer.status_code, json.loads(answer.content)["code"]) == (status, code), address
        seal_all()
        assert auditor.get(f"/api/v1/events/{event.id}/proof?size=999").status_code == 409

    def test_has_a_page(self) -> None:
        client = Client()
        client.force_login(given.user("auditor"))
        assert "Nothing is sealed yet" in client.get("/audit/ledger/").content.decode()
        event = happened()[0]
        assert "Not sealed yet" in client.get(f"/audit/{event.id}/").content.decode()
        seal_all()

        page = client.get("/audit/ledger/").content.decode()
        assert Checkpoint.objects.latest("size").note.splitlines()[2] in page
        assert "from 0; first under the" in client.get(f"/audit/{event.id}/").content.decode()
        stranger = Client()
        stranger.force_login(given.user("requester"))
        assert stranger.get("/audit/ledger/").status_code == 403
