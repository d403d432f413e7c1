"""A change request as a PDF: complete, tagged, the same for everybody, and never typeset as somebody wrote it."""

import zlib
from datetime import timedelta
from typing import Any

import pytest

from approvals.governed import Draft
from approvals.printing import documents
from approvals.requests import services
from approvals.requests.models import ChangeRequest
from foundation.identity.models import User
from foundation.printing import typesetting
from tests import given
from tests.portal.test_change_page import decide, signed_in
from tests.portal.world import Pilot


def of(request: ChangeRequest, user: User, days: float = 0) -> bytes:
    return documents.printed(change_request=request, user=user, now=given.NOW + timedelta(days=days))


class TestPrinted:
    def test_is_a_tagged_pdf_that_claims_to_be_accessible(self, pilot: Pilot) -> None:
        content = of(pilot.submitted(), pilot.first)

        assert content.startswith(b"%PDF-1.")
        told = content + b"".join(_streams(content))
        assert b"/StructTreeRoot" in told
        assert b"pdfuaid:part" in told

    def test_is_the_same_for_every_reader_and_at_any_time(self, pilot: Pilot) -> None:
        request = pilot.submitted()

        first = of(request, pilot.first)
        pilot.submitted(title="Another one", drafts=[_extension(pilot)])

        assert of(request, pilot.legal, days=3) == first

    def test_is_dated_by_an_instant_within_a_second(self, pilot: Pilot) -> None:
        request = services.propose(
            title="To production",
            drafts=[pilot.grant(14)],
            author=pilot.author,
            now=given.NOW + timedelta(microseconds=465892),
        )

        assert of(request, pilot.author).startswith(b"%PDF")

    def test_differs_once_somebody_decided(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        first = of(request, pilot.first)

        decide(pilot.first, request, "approve")

        request.refresh_from_db()
        assert of(request, pilot.first) != first
        told = documents.document_of(change_request=request, user=pilot.first, now=given.NOW)
        decisions = next(section for section in told.sections if section.name == "decisions")
        assert "Béla Szabó (bela)" in str(decisions)
        statement = next(section for section in told.sections if section.name == "statement")
        assert request.current_revision.digest in str(statement)

    def test_takes_what_people_wrote_as_text(self, pilot: Pilot) -> None:
        request = pilot.proposed(title='#panic("x") *bold* $x$ [a] @b <c> \\ //', drafts=[_extension(pilot)])

        told = documents.document_of(change_request=request, user=pilot.author, now=given.NOW)

        assert told.title == request.title
        assert of(request, pilot.author).startswith(b"%PDF")

    def test_is_printed_in_scripts_for_which_there_is_no_font(self, pilot: Pilot) -> None:
        request = pilot.proposed(title="ᚠᚢᚦ 許可 \U000e0001 ends", drafts=[_extension(pilot)])

        assert of(request, pilot.author).startswith(b"%PDF")

    def test_of_a_large_request_says_how_many_are_left_out(self, pilot: Pilot) -> None:
        drafts = [Draft("account.create", {"code": f"unit-{n}", "name": f"Unit {n}"}) for n in range(230)]
        request = pilot.proposed(drafts=drafts)

        told = documents.document_of(change_request=request, user=pilot.author, now=given.NOW)

        changes = next(section for section in told.sections if section.name == "changes")
        assert len(changes.blocks) == 200
        assert "The first 200 of 230 changes; the digest covers all of them" in changes.note

    def test_has_a_picture_of_each_page(self, pilot: Pilot) -> None:
        document = documents.document_of(change_request=pilot.submitted(), user=pilot.first, now=given.NOW)

        pages = typesetting.pictures(document, dots_per_inch=40)

        assert len(pages) > 1
        assert all(page.startswith(b"\x89PNG") for page in pages)


class TestAddresses:
    def test_send_it_to_who_sees_the_request(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        client = signed_in(pilot.first)

        page = client.get(f"/changes/{request.number}/pdf")
        api = client.get(f"/api/v1/change-requests/{request.id}/pdf")

        for answer in (page, api):
            assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert page.content == api.content
        assert f"change-{request.number}-revision-1.pdf" in page["Content-Disposition"]

    @pytest.mark.parametrize(
        "asked", [{}, {"headers": {"accept": "application/json"}}, {"query_params": {"format": "json"}}]
    )
    def test_send_the_bytes_whatever_form_of_a_refusal_is_asked_for(self, pilot: Pilot, asked: dict[str, Any]) -> None:
        request = pilot.submitted()

        answer = signed_in(pilot.first).get(f"/api/v1/change-requests/{request.id}/pdf", **asked)

        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF-")

    def test_hide_it_from_others(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        client = signed_in(given.user("licensing", everywhere=False))

        assert client.get(f"/changes/{request.number}/pdf").status_code == 404
        refused = client.get(f"/api/v1/change-requests/{request.id}/pdf", headers={"accept": "application/pdf"})
        assert refused.status_code == 404
        assert refused["Content-Type"] == "application/problem+json"

    def test_follow_an_edit(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        services.amend(change_request_id=request.id, author=pilot.author, now=given.NOW, title="Forty seats")

        answer = signed_in(pilot.first).get(f"/changes/{request.number}/pdf")

        assert f"change-{request.number}-revision-2.pdf" in answer["Content-Disposition"]


def _extension(pilot: Pilot) -> Draft:
    ends_at = (given.NOW + timedelta(days=23)).isoformat()
    return Draft("entitlement.extend", {"ends_at": ends_at}, target_id=pilot.trial.id)


def _streams(content: bytes) -> list[bytes]:
    found = []
    for part in content.split(b"stream\n")[1:]:
        try:
            found.append(zlib.decompressobj().decompress(part))
        except zlib.error:
            continue
    return found
