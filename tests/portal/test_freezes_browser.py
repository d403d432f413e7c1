"""Freezes in a real browser: the page, and a change that one stops."""

import pytest

from approvals.requests import review
from tests import given
from tests.approvals.test_freezes import freeze
from tests.browser import Tab
from tests.portal import world
from tests.portal.test_change_page import digest_of
from tests.portal.world import PASSWORD, Pilot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def pilot(transactional_db: None) -> Pilot:
    return world.pilot()


class TestFreezes:
    def test_are_read_and_stop_a_change(self, tab: Tab, pilot: Pilot) -> None:
        request = pilot.submitted()
        for reviewer in (pilot.first, pilot.second):
            review.approve(change_request_id=request.id, digest=digest_of(request), reviewer=reviewer, now=given.NOW)
        tab.sign_in("carmen", PASSWORD)
        tab.open("/freezes/")
        tab.check("freezes-none")
        freeze(name="Quarter end", account_ids=[str(pilot.account.id)], reason="The books of the quarter are closed.")
        freeze(name="Holidays", starts_at=None, ends_at=None, holidays_of=["DE-BY", "US"], zone="Europe/Berlin")
        tab.page.get_by_role("link", name="Freezes").click()
        tab.page.wait_for_load_state("networkidle")
        tab.page.get_by_role("heading", name="Freezes", exact=True).wait_for()
        assert "1 freeze lasts now" in tab.page.inner_text("main")
        tab.check("freezes")
        tab.open(f"/changes/{request.number}/")
        assert "Quarter end" in tab.page.inner_text("main")
        button = tab.page.get_by_role("button", name="Apply now")
        assert button.get_attribute("aria-disabled") == "true"
        tab.check("change-frozen")
