"""The files of a change request over HTTP."""

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from rest_framework.test import APIClient

from approvals.attachments.models import Attachment
from approvals.discussion.services import comment
from tests import given
from tests.api.conftest import client_of
from tests.approvals.files import PDF
from tests.approvals.world import World

pytestmark = pytest.mark.django_db


def send(client: APIClient, address: str, name: str = "order.pdf", content: bytes = PDF, **more: Any) -> HttpResponse:
    body = {"file": SimpleUploadedFile(name, content, content_type="text/html")} | more
    return client.post(address, body, format="multipart")


class TestAttachments:
    def test_are_sent_listed_and_read(self, world: World) -> None:
        address = f"/api/v1/change-requests/{world.submit().id}/attachments"
        client = client_of(world.first)

        answer = send(client, address)

        assert answer.status_code == 201
        told = answer.json()
        assert (told["name"], told["media_type"], told["size"]) == ("order.pdf", "application/pdf", len(PDF))
        assert told["digest"] == hashlib.sha256(PDF).hexdigest()
        assert (told["author"]["name"], told["revision"], told["comment"]) == (str(world.first), 1, None)
        assert client.get(address).json()["results"] == [told]
        assert client.get(f"{address}/{told['id']}").json() == told

    def test_are_downloaded_with_their_digest_as_etag(self, world: World) -> None:
        address = f"/api/v1/change-requests/{world.submit().id}/attachments"
        client = client_of(world.first)
        told = send(client, address).json()
        content = f"{address}/{told['id']}/content"

        answer = client.get(content)

        assert answer.content == PDF
        assert (answer["ETag"], answer["Content-Type"]) == (f'"{told["digest"]}"', "application/pdf")
        assert answer["Content-Disposition"] == 'attachment; filename="order.pdf"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert client.get(content, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304
        part = client.get(content, HTTP_RANGE="bytes=0-3")
        assert (part.status_code, part.content) == (206, PDF[:4])

    def test_belong_to_a_comment_of_ones_own(self, world: World) -> None:
        request = world.submit()
        said = comment(change_request_id=request.id, author=world.first, text="Look.", now=given.NOW)
        address = f"/api/v1/change-requests/{request.id}/attachments"

        mine = send(client_of(world.first), address, comment=str(said.id))
        theirs = send(client_of(world.second), address, "b.pdf", comment=str(said.id))

        assert (mine.status_code, mine.json()["comment"]) == (201, str(said.id))
        assert theirs.status_code == 403

    @pytest.mark.parametrize(
        ("name", "content", "status", "code"),
        [
            ("page.html", b"<html>", 400, "file_refused"),
            ("order.pdf", b"<html>", 400, "file_refused"),
            ("empty.pdf", b"", 400, "file_refused"),
            ("long.txt", b"x" * (1024 * 1024 + 1), 413, "file_too_large"),
            ("longer.txt", b"x" * (3 * 1024 * 1024), 413, "too_large"),
        ],
    )
    def test_are_refused_with_a_problem(
        self, world: World, settings: Any, name: str, content: bytes, status: int, code: str
    ) -> None:
        settings.ATTACHMENT_MEBIBYTES, settings.UPLOAD_BYTES = 1, 2 * 1024 * 1024
        address = f"/api/v1/change-requests/{world.submit().id}/attachments"

        answer = send(client_of(world.first), address, name, content)

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer["Content-Type"] == "application/problem+json"
        assert not Attachment.objects.exists()

    def test_are_kept_once_however_often_sent(self, world: World) -> None:
        address = f"/api/v1/change-requests/{world.submit().id}/attachments"
        client = client_of(world.first)
        told = send(client, address).json()

        again = send(client, address)

        assert (again.status_code, again.json()["code"]) == (409, "already_attached")
        assert again.json()["attachment_id"] == told["id"]

    def test_are_hidden_with_their_request(self, world: World) -> None:
        address = f"/api/v1/change-requests/{world.submit().id}/attachments"
        key = send(client_of(world.first), address).json()["id"]
        client = client_of(given.user("licensing", everywhere=False))

        assert send(client, address, "b.pdf").status_code == 404
        for path in (address, f"{address}/{key}", f"{address}/{key}/content"):
            assert client.get(path).status_code == 404

    def test_are_not_read_by_way_of_another_request(self, world: World) -> None:
        client = client_of(world.first)
        key = send(client, f"/api/v1/change-requests/{world.submit().id}/attachments").json()["id"]

        other = f"/api/v1/change-requests/{world.propose().id}/attachments/{key}"

        assert client.get(other).status_code == 404
        assert client.get(f"{other}/content").status_code == 404

    def test_are_not_sent_as_json(self, world: World) -> None:
        address = f"/api/v1/change-requests/{world.submit().id}/attachments"

        assert client_of(world.first).post(address, {"file": "x"}, format="json").status_code == 415
