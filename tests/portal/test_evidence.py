"""Evidence packs and legal holds on pages and over HTTP: asked for, watched, taken, held."""

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from audit.models import Event, EvidencePack, LegalHold
from audit.packs import working
from audit.packs.views import PACKS_SHOWN
from foundation import clock
from foundation.identity.models import User
from tests import given
from tests.audit.packing import ready
from tests.portal.test_change_page import signed_in
from tests.portal.world import Pilot
from tests.sealed import seal_here

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
PACKS = "/audit/evidence/"
CHANGE = "approvals.changerequest"


@pytest.fixture(autouse=True)
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: given.NOW)


@pytest.fixture
def auditor(db: None) -> User:
    return given.user("auditor", username="odile")


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def finish() -> None:
    """What sealer and worker do meanwhile."""
    for minutes in (1, 2):
        seal_here()
        working.build_due(now=given.NOW + timedelta(minutes=minutes), wait_seconds=0)


class TestPages:
    def test_lead_from_a_change_to_its_pack(self, pilot: Pilot, auditor: User) -> None:
        request = pilot.submitted()
        client = signed_in(auditor)
        link = f"{PACKS}?kind={CHANGE}&amp;subject={request.number}"
        assert link in text(client.get(f"/changes/{request.number}/"))
        assert f"About change {request.number}," in text(client.get(link.replace("&amp;", "&")))

        asked = client.post(PACKS, {"kind": CHANGE, "subject": f"#{request.number}", "purpose": "A sample"})
        address = asked["Location"]
        waiting = text(client.get(address))
        assert "Waits for a worker" in waiting
        assert f'hx-get="{address}"' in waiting
        assert client.get(f"{address}download").status_code == 409
        EvidencePack.objects.update(done=30, total=120)
        assert "30 of 120 steps" in text(client.get(address, HTTP_HX_REQUEST="true"))

        finish()
        state = client.get(address, HTTP_HX_REQUEST="true")
        assert "<html" not in text(state)
        assert "hx-get" not in text(state)
        answer = client.get(f"{address}download")
        content = b"".join(answer)  # type: ignore[arg-type]  # a streaming answer
        pack = EvidencePack.objects.get()
        assert pack.sha256 in text(client.get(address))
        assert hashlib.sha256(content).hexdigest() == pack.sha256 == answer["ETag"].strip('"')
        assert answer["Content-Disposition"] == f'attachment; filename="{pack.file_name}"'
        assert "summary.pdf" in zipfile.ZipFile(io.BytesIO(content)).namelist()
        downloaded = Event.objects.get(type="audit.evidence_pack.downloaded")
        assert (downloaded.actor_id, downloaded.data["where"]) == (auditor.id, "portal")
        program = client.get(f"{PACKS}verify_pack.py")
        assert program.content == zipfile.ZipFile(io.BytesIO(content)).read("verify_pack.py")

    def test_keep_what_was_refused_in_the_form(self, pilot: Pilot, auditor: User) -> None:
        client = signed_in(auditor)
        for posted, told in (
            ({"kind": CHANGE, "subject": "999"}, "There is no change request “999”"),
            ({"kind": "entitlements.account", "subject": pilot.account.code}, "Say from when on"),
            ({"kind": "audit.period", "since": "yesterday"}, "is no instant"),
            ({"kind": CHANGE, "subject": "1", "keep_days": "x"}, "as a number"),
            ({"kind": "moon"}, "is none of them"),
        ):
            answer = client.post(PACKS, posted)
            assert (answer.status_code, told in text(answer)) == (400, True), (posted, text(answer)[:3000])
        assert not EvidencePack.objects.exists()

    def test_of_entitlements_and_accounts_offer_theirs_to_auditors(self, pilot: Pilot, auditor: User) -> None:
        for path, link in (
            (f"/entitlements/{pilot.trial.id}/", f"subject={pilot.trial.reference}"),
            (f"/accounts/{pilot.account.code}/coverage/", f"subject={pilot.account.code}"),
        ):
            assert link in text(signed_in(auditor).get(path))
            assert link not in text(signed_in(pilot.author).get(path))

    def test_are_hidden_from_whom_not_all_is_granted(self, pilot: Pilot, auditor: User) -> None:
        request = pilot.submitted()
        pack = ready({"kind": CHANGE, "subject_id": request.id, "scope": [pilot.account.id]}, auditor)
        stranger = signed_in(given.user("licensing", everywhere=False))

        assert "There is no pack that you may see" in text(stranger.get(PACKS))
        for address in (f"{PACKS}{pack.id}/", f"{PACKS}{pack.id}/download"):
            assert stranger.get(address).status_code == 404
        assert stranger.post(PACKS, {"kind": CHANGE, "subject": str(request.number)}).status_code == 404

    def test_list_many_in_as_many_queries(self, pilot: Pilot, auditor: User) -> None:
        request = pilot.submitted()
        counts = []
        for more in (2, PACKS_SHOWN):
            for _ in range(more):
                ready({"kind": CHANGE, "subject_id": request.id}, auditor)
            client = signed_in(auditor)
            client.get(PACKS)
            with CaptureQueriesContext(connection) as captured:
                assert "Older" in text(client.get(PACKS)) or more == 2
            counts.append(len(captured))
        assert counts[0] == counts[1]


class TestHolds:
    def test_are_placed_and_released_by_legal_alone(self, pilot: Pilot, auditor: User) -> None:
        legal, address = signed_in(given.user("legal", username="lena")), reverse("audit:holds")
        placed = legal.post(
            address, {"kind": "entitlements.account", "subject": pilot.account.code, "reason": "A suit"}
        )
        assert placed.status_code == 302
        hold = LegalHold.objects.get()
        assert f"Nordwind Reederei ({pilot.account.code})" in hold.label
        assert "A suit" in text(signed_in(auditor).get(address))
        assert "Place a hold" not in text(signed_in(auditor).get(address))
        assert signed_in(auditor).post(address, {"reason": "Mine"}).status_code == 403
        assert signed_in(pilot.author).get(address).status_code == 403
        assert "Say why" in text(legal.post(address, {"reason": " "}))

        release = reverse("audit:hold-release", args=[hold.id])
        assert signed_in(auditor).post(release, {"reason": "Mine"}).status_code == 403
        assert legal.post(release, {"reason": "Settled"}).status_code == 302
        assert legal.post(release, {"reason": "Settled"}).status_code == 409
        assert "Settled" in text(legal.get(address))
        assert "Nothing is held." in text(legal.get(address))


class TestOverHttp:
    def asking(self, user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    def test_is_asked_once_for_a_key_and_taken_when_ready(self, pilot: Pilot, auditor: User) -> None:
        request, client = pilot.submitted(), self.asking(auditor)
        body = {"kind": CHANGE, "subject_id": str(request.id), "keep_days": 30}
        answers = [client.post("/api/v1/evidence-packs", body, HTTP_IDEMPOTENCY_KEY="one") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [201, 201]
        assert EvidencePack.objects.count() == 1
        address = answers[0]["Location"]
        early = client.get(f"{address}/content")
        assert (early.status_code, early.json()["code"]) == (409, "evidence_pack_not_ready")
        finish()
        told = client.get(address).json()
        assert (told["status"], told["done"]) == ("ready", told["total"])
        content = b"".join(client.get(f"{address}/content"))  # type: ignore[arg-type]  # a streaming answer
        assert hashlib.sha256(content).hexdigest() == told["sha256"]
        assert Event.objects.get(type="audit.evidence_pack.downloaded").data["where"] == "API"
        assert client.get("/api/v1/evidence-packs").json()["results"] == [told]

    def test_says_which_value_does_not_fit(self, pilot: Pilot, auditor: User) -> None:
        client = self.asking(auditor)
        period = {"kind": "audit.period", "since": "2030-01-01T00:00:00Z"}
        refused = client.post("/api/v1/evidence-packs", period).json()
        assert refused["errors"][0]["pointer"] == "/since"
        legal = self.asking(given.user("legal"))
        # Half of what is to be held is not everything.
        half = legal.post("/api/v1/legal-holds", {"kind": CHANGE, "reason": "A suit"})
        assert (half.status_code, half.json()["errors"][0]["pointer"]) == (400, "/subject_id")
        assert not LegalHold.objects.exists()
        whole = legal.post("/api/v1/legal-holds", {"reason": "A suit"})
        assert (whole.status_code, whole.json()["everything"]) == (201, True)
        released = legal.post(f"/api/v1/legal-holds/{whole.json()['id']}/release", {"reason": "Settled"})
        assert released.json()["release_reason"] == "Settled"
