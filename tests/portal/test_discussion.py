"""The discussion on the page of a change."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals.discussion.models import Comment
from approvals.discussion.services import comment
from approvals.requests import services
from tests import given
from tests.portal.test_change_page import signed_in
from tests.portal.world import Pilot

pytestmark = pytest.mark.django_db


def page(pilot: Pilot, number: int, client: Client | None = None) -> str:
    return (client or signed_in(pilot.first)).get(f"/changes/{number}/").content.decode()


class TestDiscussion:
    def test_says_what_to_do_while_it_is_empty(self, pilot: Pilot) -> None:
        assert "Nobody has said anything yet. Ask what you need to know" in page(pilot, pilot.submitted().number)

    def test_takes_a_comment_and_shows_it(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        client = signed_in(pilot.first)

        answer = client.post(f"/changes/{request.number}/comment/", {"text": f"Look, @{pilot.second.username}."})

        said = Comment.objects.get()
        assert answer.status_code == 302
        assert answer["Location"] == f"/changes/{request.number}/#comment-{said.id}"
        content = page(pilot, request.number, client)
        assert f'id="comment-{said.id}"' in content
        assert f"Look, <strong>@{pilot.second.username}</strong>." in content

    def test_escapes_what_was_said(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        comment(change_request_id=request.id, author=pilot.first, text="<script>alert(1)</script>\nTwo", now=given.NOW)

        content = page(pilot, request.number)

        assert "<script>alert" not in content
        assert "&lt;script&gt;alert(1)&lt;/script&gt;\nTwo" in content

    def test_keeps_what_was_refused_in_the_form(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        long = "So long. " * 1_200

        answer = signed_in(pilot.first).post(f"/changes/{request.number}/comment/", {"text": long})

        content = answer.content.decode()
        assert answer.status_code == 400
        assert "10,000 is the most" in content
        assert long in content
        assert not Comment.objects.exists()

    def test_says_that_a_revision_was_replaced(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        comment(change_request_id=request.id, author=pilot.first, text="Why 40?", now=given.NOW)
        services.amend(change_request_id=request.id, author=pilot.author, now=given.NOW, title="Another title")

        assert "on revision 1, which has been replaced" in page(pilot, request.number)

    def test_offers_no_form_to_who_only_reads(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        client = signed_in(given.user("auditor"))

        content = page(pilot, request.number, client)
        answer = client.post(f"/changes/{request.number}/comment/", {"text": "No."})

        assert "You read changes and write nothing." in content
        assert 'name="text"' not in content
        assert answer.status_code == 403
        assert not Comment.objects.exists()

    def test_is_hidden_with_its_request(self, pilot: Pilot) -> None:
        client = signed_in(given.user("licensing", everywhere=False))

        assert client.post(f"/changes/{pilot.submitted().number}/comment/", {"text": "Hello?"}).status_code == 404

    def test_is_read_in_as_many_queries_however_long(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        counts = []
        for _ in range(2):
            for author in (pilot.first, pilot.second, pilot.legal):
                text = f"@{pilot.author.username} @{pilot.second.username}"
                comment(change_request_id=request.id, author=author, text=text, now=given.NOW)
            client = signed_in(pilot.first)
            with CaptureQueriesContext(connection) as queries:
                page(pilot, request.number, client)
            counts.append(len(queries))

        assert counts[0] == counts[1]
