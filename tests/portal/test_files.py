"""The files on the page of a change."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals.attachments.models import Attachment
from approvals.discussion.models import Comment
from approvals.requests import services
from tests import given
from tests.approvals.files import PDF
from tests.portal.test_change_page import signed_in
from tests.portal.world import Pilot

pytestmark = pytest.mark.django_db


def send(client: Client, number: int, name: str = "order.pdf", content: bytes = PDF) -> HttpResponse:
    file = SimpleUploadedFile(name, content, content_type="text/html")
    return client.post(f"/changes/{number}/attach/", {"file": file})


class TestFiles:
    def test_are_sent_and_shown(self, pilot: Pilot) -> None:
        number = pilot.submitted().number
        client = signed_in(pilot.first)
        assert "No file is attached." in client.get(f"/changes/{number}/").content.decode()

        answer = send(client, number)

        kept = Attachment.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, f"/changes/{number}/#file-{kept.id}")
        page = client.get(f"/changes/{number}/").content.decode()
        assert f'href="/changes/{number}/files/{kept.id}/" download>order.pdf</a>' in page
        assert kept.blob_id in page

    def test_are_downloads_that_nothing_runs(self, pilot: Pilot) -> None:
        number = pilot.submitted().number
        client = signed_in(pilot.first)
        send(client, number)

        answer = client.get(f"/changes/{number}/files/{Attachment.objects.get().id}/")

        assert answer.content == PDF
        assert answer["Content-Disposition"] == 'attachment; filename="order.pdf"'
        assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"

    def test_come_with_a_comment(self, pilot: Pilot) -> None:
        number = pilot.submitted().number
        client = signed_in(pilot.first)
        file = SimpleUploadedFile("order.pdf", PDF)

        client.post(f"/changes/{number}/comment/", {"text": "As ordered.", "file": file})

        said = Comment.objects.get()
        assert [kept.name for kept in said.attachments.all()] == ["order.pdf"]
        page = client.get(f"/changes/{number}/").content.decode()
        assert f'with <a href="#comment-{said.id}">comment 1</a>' in page

    def test_that_are_refused_leave_the_comment_in_the_form(self, pilot: Pilot) -> None:
        number = pilot.submitted().number
        file = SimpleUploadedFile("run.exe", b"MZ")

        answer = signed_in(pilot.first).post(f"/changes/{number}/comment/", {"text": "As ordered.", "file": file})

        assert answer.status_code == 400
        assert "run.exe” is of no type that is kept" in answer.content.decode()
        assert ">As ordered.</textarea>" in answer.content.decode()
        assert not Comment.objects.exists()

    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("run.exe", b"MZ", "is of no type that is kept"),
            ("order.pdf", b"<html>", "is not what its name says"),
        ],
    )
    def test_that_are_refused_say_why(self, pilot: Pilot, name: str, content: bytes, told: str) -> None:
        answer = send(signed_in(pilot.first), pilot.submitted().number, name, content)

        assert answer.status_code == 400
        assert told in answer.content.decode()
        assert not Attachment.objects.exists()

    def test_that_are_missing_are_asked_for(self, pilot: Pilot) -> None:
        answer = signed_in(pilot.first).post(f"/changes/{pilot.submitted().number}/attach/")

        assert (answer.status_code, "Choose a file first." in answer.content.decode()) == (400, True)

    def test_that_are_too_large_are_not_read(self, pilot: Pilot, settings: Any) -> None:
        settings.UPLOAD_BYTES = 1000
        client = Client(enforce_csrf_checks=True)
        client.force_login(pilot.first)
        client.cookies["csrftoken"] = "a" * 32

        answer = send(client, pilot.submitted().number, "long.txt", b"x" * 2000)

        assert answer.status_code == 413
        assert "larger than this server accepts" in answer.content.decode()

    def test_are_not_offered_to_who_only_reads(self, pilot: Pilot) -> None:
        number = pilot.submitted().number
        client = signed_in(given.user("auditor"))

        assert 'name="file"' not in client.get(f"/changes/{number}/").content.decode()
        assert send(client, number).status_code == 403

    def test_are_hidden_with_their_request(self, pilot: Pilot) -> None:
        number = pilot.submitted().number
        send(signed_in(pilot.first), number)
        client = signed_in(given.user("licensing", everywhere=False))

        assert client.get(f"/changes/{number}/files/{Attachment.objects.get().id}/").status_code == 404
        assert send(client, number, "b.pdf").status_code == 404
        assert Client().get(f"/changes/{number}/files/{Attachment.objects.get().id}/").status_code == 302

    def test_say_that_a_revision_was_replaced(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        client = signed_in(pilot.first)
        send(client, request.number)
        services.amend(change_request_id=request.id, author=pilot.author, now=given.NOW, title="Another title")

        assert "on revision 1, which has been replaced" in client.get(f"/changes/{request.number}/").content.decode()

    def test_are_shown_in_as_many_queries_however_many(self, pilot: Pilot) -> None:
        number = pilot.submitted().number
        client, counts = signed_in(pilot.first), []
        # That somebody read what is sensitive is noted once.
        client.get(f"/changes/{number}/")
        for round_ in range(2):
            for author in (pilot.first, pilot.second):
                send(signed_in(author), number, f"{round_} {author.username}.pdf")
            with CaptureQueriesContext(connection) as queries:
                client.get(f"/changes/{number}/")
            counts.append(len(queries))

        assert counts[0] == counts[1]
