"""“After application” on the page of a change, and in “My work”."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from approvals.attachments.services import Upload, attach
from approvals.printing.evidence import verification
from approvals.requests import application
from approvals.requests.models import ChangeRequest
from approvals.verification.models import CriterionTick
from foundation import clock
from tests import given
from tests.approvals.files import PDF
from tests.approvals.world import approve
from tests.portal.test_change_page import signed_in
from tests.portal.world import Pilot

pytestmark = pytest.mark.django_db


def applied(pilot: Pilot) -> ChangeRequest:
    """Production granted, applied by one of the reviewers."""
    request = pilot.submitted()
    approve(request, pilot.first, pilot.second)
    return application.apply(change_request_id=request.id, user=pilot.first, now=given.NOW)


class TestAfterApplication:
    def test_is_no_part_of_what_is_not_applied(self, pilot: Pilot) -> None:
        content = signed_in(pilot.second).get(f"/changes/{pilot.submitted().number}/").content.decode()

        assert "After application" not in content

    def test_shows_criteria_and_takes_evidence(self, pilot: Pilot) -> None:
        request = applied(pilot)
        client = signed_in(pilot.second)
        address = f"/changes/{request.number}/"

        assert "0 of 1 criterion met" in client.get(address).content.decode()
        values = {"criterion": "1", "verdict": "met", "result": "<b>All</b> thirty.", "link": "https://a.example/x"}
        answer = client.post(f"{address}verify/", values)

        assert (answer.status_code, answer["Location"]) == (302, address)
        content = client.get(address).content.decode()
        assert "Verified and closed" in content
        assert "&lt;b&gt;All&lt;/b&gt; thirty." in content
        assert '<a href="https://a.example/x" rel="noreferrer noopener nofollow">' in content
        assert "It is met</button>" not in content

    def test_takes_files_as_evidence_and_prints_their_digest(self, pilot: Pilot) -> None:
        request = applied(pilot)
        kept = attach(change_request_id=request.id, author=pilot.first, file=Upload("kept.pdf", PDF), now=given.NOW)
        client = signed_in(pilot.second)
        address = f"/changes/{request.number}/"
        values = {"criterion": "1", "verdict": "unmet", "result": "Two are missing."}
        assert f'<option value="{kept.id}">1. kept.pdf</option>' in client.get(address).content.decode()

        assert client.post(f"{address}verify/", values | {"attachment": "nonsense"}).status_code == 400
        assert client.post(f"{address}verify/", values | {"attachment": str(kept.id)}).status_code == 302
        sent = {"criterion": "1", "verdict": "met", "file": SimpleUploadedFile("all.txt", b"All thirty signed in.")}
        assert client.post(f"{address}verify/", sent).status_code == 302

        first, second = CriterionTick.objects.order_by("number")
        assert (first.file, second.file.name, second.result) == (kept, "all.txt", "")
        content = client.get(address).content.decode()
        for file in (first.file, second.file):
            assert f'files/{file.id}/" download>{file.name}</a>, SHA-256' in content
            assert content.count(file.blob_id) >= 2
        (section,) = verification(ChangeRequest.objects.get(id=request.id), first.revision)
        printed = str(section)
        assert "Met. Not met, says" in printed
        assert f"file 2, all.txt, SHA-256 {second.file.blob_id}" in printed
        assert client.get(f"{address}pdf").content.startswith(b"%PDF")

    def test_says_why_somebody_can_not_verify(self, pilot: Pilot) -> None:
        request = applied(pilot)

        content = signed_in(pilot.first).get(f"/changes/{request.number}/").content.decode()

        assert "You applied this change, so somebody else verifies it." in content
        assert "It is met</button>" not in content

    @pytest.mark.parametrize(
        ("values", "status"),
        [
            ({"criterion": "1", "verdict": "unmet", "result": "", "link": "https://kept.example/"}, 400),
            ({"criterion": "x", "verdict": "met"}, 400),
            ({"criterion": "1", "verdict": "maybe"}, 400),
            ({"criterion": "9", "verdict": "met", "result": "Seen"}, 400),
        ],
    )
    def test_keeps_what_was_refused_in_the_form(self, pilot: Pilot, values: dict[str, str], status: int) -> None:
        request = applied(pilot)

        answer = signed_in(pilot.second).post(f"/changes/{request.number}/verify/", values)

        assert answer.status_code == status
        if "link" in values:
            assert values["link"] in answer.content.decode()
        assert not CriterionTick.objects.exists()

    def test_stands_in_my_work_of_those_who_may_verify(self, pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
        applied(pilot)

        assert "1 applied change waits to be verified" in signed_in(pilot.second).get("/").content.decode()
        assert "waits to be verified" not in signed_in(pilot.first).get("/").content.decode()
        assert "1 change matches" in signed_in(pilot.second).get("/changes/?whose=to-verify").content.decode()
        monkeypatch.setattr(clock, "now", lambda: given.NOW + timedelta(days=8))
        assert "1 of them overdue" in signed_in(pilot.second).get("/").content.decode()
