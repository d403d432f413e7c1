"""A change that needs legal, then finance, then any two of licensing: walked in a real browser as four people."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from approvals.governed import Draft
from approvals.policies.models import Policy
from approvals.printing import documents
from approvals.requests.models import ChangeRequest
from foundation.identity.models import User
from foundation.printing import typesetting
from tests import given
from tests.browser import Tab
from tests.portal.test_browser import sign_out
from tests.portal.world import PASSWORD, Pilot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # The files are served from where they are written: nothing is collected.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

CHAIN = [
    {"position": 1, "role": "legal", "quorum": 1, "why": "clauses change"},
    {"position": 2, "role": "finance", "quorum": 1, "why": "what is committed rises"},
    {"position": 3, "role": "licensing", "quorum": 2, "why": "two people of licensing read every change"},
]


def login(username: str, first_name: str, last_name: str, role: str) -> User:
    return given.user(
        role,
        username=username,
        first_name=first_name,
        last_name=last_name,
        password=PASSWORD,
        time_zone="Europe/Berlin",
    )


def whole(pilot: Pilot) -> list[Draft]:
    """Terms, money and right of one step into production."""
    clause = {
        "number": "7.2",
        "title": "Assignment",
        "text": "The licensee may assign seats within its group of companies, upon notice in text form.",
        "interpretation": "Nordwind may pass seats to its subsidiaries if it writes a mail first.",
        "interpreted_by": "Dora Klein, legal",
        "interpreted_on": "2026-02-20",
    }
    terms = {
        "clauses": [clause],
        "consents": [
            {"to": "Use by subsidiaries", "given_by": "Meridian Charts", "given_on": "2026-02-25", "document": "Mail"}
        ],
        "screenings": [
            {"matter": "export", "subject": "Nordwind Reederei", "outcome": "clear", "screened_on": "2026-02-26"},
            {"matter": "residency", "subject": "Hosting in Germany", "outcome": "clear", "screened_on": "2026-02-26"},
        ],
        "purchaser": "Nordwind Einkauf GmbH",
        "budget": "45000",
        "currency": "EUR",
        "renewal": "auto",
        "renewal_months": 12,
        "notice_days": 90,
        "ends_at": (given.NOW + timedelta(days=400)).isoformat(),
    }
    starts_at = pilot.line.starts_at.isoformat()
    line = {
        "periods": [
            {"starts_at": starts_at, "ends_at": given.NOW.isoformat(), "quantity": 60, "unit_price": "100"},
            {
                "starts_at": given.NOW.isoformat(),
                "ends_at": (given.NOW + timedelta(days=390)).isoformat(),
                "quantity": 80,
                "unit_price": "95.50",
            },
        ],
        "ends_at": (given.NOW + timedelta(days=390)).isoformat(),
        "list_price": "120",
        "tax_percent": "19",
        "cost_center": "CC-1200",
        "gl_code": "6855",
        "purchase_order": "PO-2026-118",
        "purchase_order_on": "2026-02-27",
        "purchase_order_amount": "15000",
    }
    trial_line = {"ends_at": (given.NOW + timedelta(days=395)).isoformat(), "periods": _free(pilot)}
    return [
        Draft("agreement.amend", terms, pilot.line.agreement_id),
        Draft("orderline.amend", line, pilot.line.id),
        Draft("orderline.amend", trial_line, pilot.trial.order_line_id),
        pilot.grant(14),
    ]


def _free(pilot: Pilot) -> list[dict[str, object]]:
    starts_at = pilot.trial.order_line.starts_at.isoformat()
    ends_at = (given.NOW + timedelta(days=395)).isoformat()
    return [{"starts_at": starts_at, "ends_at": ends_at, "quantity": 40, "unit_price": "0"}]


class TestChain:
    def test_is_walked_by_four_people(self, tab: Tab, pilot: Pilot) -> None:
        others = list(Policy.objects.in_force())
        given.record("policy.create", name="Law, money, seats", stages=CHAIN)
        for policy in others:
            given.record("policy.retire", target_id=policy.id)
        login("finn", "Finn", "Aalto", "finance")
        request = pilot.submitted(drafts=whole(pilot))

        self.decides(tab, request, "dora", first="#clauses", name="chain-1-legal")
        self.may_not_yet(tab, request, "carmen")
        self.decides(tab, request, "finn", first="#cost", name="chain-2-finance")
        self.decides(tab, request, "bela", first="#changes", name="chain-3-licensing")
        request.refresh_from_db()
        assert request.status == "in_review"
        self.decides(tab, request, "carmen", first="#changes", name="chain-4-licensing", leaves=True)

        tab.page.get_by_role("button", name="Apply now").click()
        tab.page.get_by_text("The change is applied, whole.").wait_for()
        tab.check("chain-5-applied")
        request.refresh_from_db()
        assert request.status == "applied"
        decided = request.current_revision.decisions.order_by("decided_at", "stage__position", "id")
        assert {row.stage.role for row in decided} == {"legal", "finance", "licensing"}
        assert len({row.decider_human_id for row in decided}) == 4
        keep_printed(request, pilot.author)

    def decides(
        self, tab: Tab, request: ChangeRequest, username: str, *, first: str, name: str, leaves: bool = False
    ) -> None:
        """Sign in, find it under "My work", read first what one signs for, approve it, and sign out."""
        tab.sign_in(username, PASSWORD)
        tab.page.get_by_role("link", name=request.title).first.click()
        tab.page.wait_for_load_state("networkidle")
        links = tab.page.get_by_role("navigation", name="On this page").get_by_role("link")
        assert links.nth(1).get_attribute("href") == first, links.all_inner_texts()
        tab.check(name)
        digest = request.current_revision.digest
        assert digest in tab.page.locator("#statement").inner_text()
        tab.page.get_by_label("Comment", exact=True).fill(f"Read by {username}.")
        tab.page.get_by_role("button", name="Approve").click()
        tab.page.get_by_text("Your approval is recorded.").wait_for()
        if not leaves:
            sign_out(tab)

    def may_not_yet(self, tab: Tab, request: ChangeRequest, username: str) -> None:
        """Read it before one's stage is asked: the buttons say why they can't be pressed."""
        tab.sign_in(username, PASSWORD)
        tab.open(f"/changes/{request.number}/")
        assert tab.page.get_by_role("button", name="Approve").get_attribute("aria-disabled") == "true"
        assert "You can’t decide on this." in tab.page.inner_text("main")
        sign_out(tab)


def keep_printed(request: ChangeRequest, user: User) -> None:
    """Keep the printed document and pictures of its pages, if pictures are asked for."""
    document = documents.document_of(change_request=request, user=user, now=given.NOW)
    assert typesetting.pdf(document).startswith(b"%PDF")
    folder = os.environ.get("TENURE_SCREENSHOTS")
    if folder:
        Path(folder, "chain.pdf").write_bytes(typesetting.pdf(document))
        for number, page in enumerate(typesetting.pictures(document), start=1):
            Path(folder, f"chain-pdf-{number}.png").write_bytes(page)
