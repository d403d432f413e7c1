"""The explorer in a real browser: an auditor follows who read a price, and what became of a change."""

import pytest

from approvals.requests import review
from tests import given
from tests.browser import Tab
from tests.portal import world
from tests.portal.test_change_page import digest_of
from tests.portal.world import PASSWORD, Pilot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def pilot(transactional_db: None) -> Pilot:
    return world.pilot()


class TestExplorer:
    def test_leads_an_auditor_from_a_change_to_who_read_it(self, tab: Tab, pilot: Pilot) -> None:
        request = pilot.submitted()
        for reviewer in (pilot.first, pilot.second):
            review.approve(change_request_id=request.id, digest=digest_of(request), reviewer=reviewer, now=given.NOW)
        given.user(
            "auditor", username="odile", first_name="Odile", last_name="Rand", password=PASSWORD, time_zone="Asia/Tokyo"
        )
        tab.sign_in("odile", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        page = tab.page
        page.get_by_role("link", name="Audit", exact=True).click()
        page.wait_for_load_state("networkidle")
        tab.check("audit")

        page.get_by_label("Change number").fill(str(request.number))
        page.get_by_label("From (Asia/Tokyo)").fill("2026-03-01T00:00")
        page.get_by_role("button", name="Filter").click()
        page.wait_for_load_state("networkidle")
        told = page.inner_text("main")
        assert f"Béla Szabó approved change {request.number} for licensing" in told
        assert f"Odile Rand read prices of change {request.number} in the portal." in told
        assert "2 Mar 2026, 19:00 JST" in told
        tab.check("audit-change")

        page.get_by_role("link", name="Béla Szabó", exact=True).first.click()
        page.wait_for_load_state("networkidle")
        assert page.get_by_label("By whom: name or login").input_value() == "bela"
        assert "Odile Rand read" not in page.inner_text("main")

        page.get_by_label("By whom: name or login").fill("")
        page.get_by_label("Object: label or id").fill("OL-PROD")
        page.get_by_label("Kind").select_option("approvals.record.created")
        page.get_by_role("button", name="Filter").click()
        page.wait_for_load_state("networkidle")
        page.locator(".tn-row-link").first.click()
        page.wait_for_load_state("networkidle")
        assert "The new record" in page.inner_text("main")
        page.get_by_text("The canonical bytes").click()
        tab.check("audit-event")

        tab.open("/audit/?text=nothing-like-it")
        tab.check("audit-none")
        tab.expected.add("400")
        tab.open("/audit/?change=seven")
        tab.check("audit-refused")
