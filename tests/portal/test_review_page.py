"""What people who read law and budgets find on the page of a change request."""

import re
from datetime import timedelta

import pytest

from approvals.governed import Draft
from approvals.requests.models import ChangeRequest
from foundation.identity.models import User
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.portal.test_change_page import signed_in
from tests.portal.world import Pilot

CLAUSE = {
    "number": "7.2",
    "title": "Assignment",
    "text": "Assignment within the group is permitted.",
    "interpretation": "Nordwind may pass seats to its subsidiaries.",
    "interpreted_by": "Dora Klein",
    "interpreted_on": "2026-02-20",
}


@pytest.fixture
def request_(pilot: Pilot) -> ChangeRequest:
    """Have a change of money, law and rights in review."""
    return pilot.submitted(drafts=[terms(pilot), more_seats(pilot), pilot.grant(14)])


def terms(pilot: Pilot) -> Draft:
    return Draft(
        "agreement.amend",
        {
            "clauses": [CLAUSE],
            "consents": [{"to": "Use by subsidiaries", "given_by": "Meridian Charts", "given_on": "2026-02-25"}],
            "screenings": [
                {"matter": "export", "subject": "Nordwind", "outcome": "clear", "screened_on": "2026-02-26"},
                {"matter": "residency", "subject": "Hosting", "outcome": "objection", "screened_on": "2026-02-26"},
            ],
            "budget": "50000",
            "currency": "EUR",
        },
        pilot.line.agreement_id,
    )


def more_seats(pilot: Pilot, quantity: int = 80) -> Draft:
    starts_at = pilot.line.starts_at.isoformat()
    periods = [{"starts_at": starts_at, "ends_at": None, "quantity": quantity, "unit_price": "100"}]
    return Draft("orderline.amend", {"periods": periods, "cost_center": "CC-12"}, pilot.line.id)


def page(user: User, request: ChangeRequest) -> str:
    return signed_in(user).get(f"/changes/{request.number}/").content.decode()


def contents(html: str) -> list[str]:
    found = re.search(r'aria-label="On this page">(.*?)</nav>', html, re.S)
    assert found
    return re.findall(r'href="#([a-z]+)"', found[1])


class TestReviewPage:
    def test_says_in_one_sentence_what_changes_and_for_how_much(self, pilot: Pilot, request_: ChangeRequest) -> None:
        html = page(pilot.first, request_)

        assert "Grant Chartwise (production) to Nordwind Reederei: 40 seats, from 16 Mar 2026, 11:00 CET" in html
        assert "it costs 10,000.00 EUR more in all" in html

    def test_shows_clauses_beside_our_reading(self, pilot: Pilot, request_: ChangeRequest) -> None:
        html = page(pilot.legal, request_)

        for told in ("Assignment within the group", "may pass seats", "Dora Klein", "20 Feb 2026"):
            assert told in html

    def test_shows_consent_screening_and_budget(self, pilot: Pilot, request_: ChangeRequest) -> None:
        html = page(pilot.first, request_)

        for told in ("Use by subsidiaries", "Objection", "Budget of AGR-2026-NW", "CC-12", "purchase order"):
            assert told in html

    def test_says_what_is_not_recorded_and_where_to_record_it(self, pilot: Pilot, request_: ChangeRequest) -> None:
        assert "Not recorded. Order line, in the admin or by a change of kind orderline.amend" in page(
            pilot.first, request_
        )

    @pytest.mark.parametrize(
        ("role", "first"),
        [
            ("finance", "cost"),
            ("legal", "clauses"),
            ("licensing", "changes"),
            ("security", "hosting"),
            ("it_operations", "coverage"),
        ],
    )
    def test_shows_each_role_first_what_it_signs_for(
        self, pilot: Pilot, request_: ChangeRequest, role: str, first: str
    ) -> None:
        reader = given.user(role)

        assert contents(page(reader, request_))[1] == first

    def test_lists_every_section_that_it_has(self, pilot: Pilot, request_: ChangeRequest) -> None:
        html = page(pilot.first, request_)

        assert all(f'id="{name}"' in html for name in contents(html))

    def test_counts_pending_changes_of_the_same_budget(self, pilot: Pilot, request_: ChangeRequest) -> None:
        other = pilot.submitted(title="Ten more seats", drafts=[more_seats(pilot, 90)])

        assert f"(#{other.number}), as of 2 Mar 2026, 11:00 CET" in page(pilot.first, request_)

    def test_shows_base_proposed_and_current_when_the_base_moved(self, pilot: Pilot) -> None:
        ends_at = (given.NOW + timedelta(days=23)).isoformat()
        request = pilot.submitted(drafts=[Draft("entitlement.extend", {"ends_at": ends_at}, pilot.trial.id)])
        other = (given.NOW + timedelta(days=40)).isoformat()
        given.record("entitlement.extend", target_id=pilot.trial.id, ends_at=other)

        html = page(pilot.first, request)

        assert contents(html)[1] == "moved"
        for told in ("23 Mar 2026, 11:00 CET", "25 Mar 2026, 11:00 CET", "11 Apr 2026", "both, and they differ"):
            assert told in html


class TestStatement:
    def test_is_the_same_on_the_page_and_in_the_api(self, pilot: Pilot, request_: ChangeRequest) -> None:
        client = signed_in(pilot.first)

        told = client.get(f"/api/v1/change-requests/{request_.id}").json()

        assert request_.current_revision.digest in told["statement"]
        assert told["statement"] in page(pilot.first, request_)
        assert told["plan"]["money"]["budgets"][0]["budget"] == "50000"

    def test_leads_from_mail_to_the_decision(self, pilot: Pilot, request_: ChangeRequest) -> None:
        texts = [str(row.payload) for row in OutboxMessage.objects.all()]

        assert any(f"/changes/{request_.number}/#decide" in text for text in texts)
