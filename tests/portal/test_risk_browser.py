"""The risk of a change in a real browser: told with its reasons, raised on the edit page."""

import pytest

from tests.browser import Tab
from tests.portal.world import PASSWORD, Pilot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestRisk:
    def test_is_raised_with_a_reason_and_told_with_all_of_them(self, tab: Tab, pilot: Pilot) -> None:
        request = pilot.proposed(days=20)
        tab.sign_in("ada", PASSWORD)
        tab.open(f"/changes/{request.number}/edit/#risk")
        tab.check("risk-edit")
        tab.page.get_by_label("The risk is", exact=True).select_option("high")
        tab.page.get_by_label("Why it is raised", exact=True).fill("A merger is near.")
        tab.page.get_by_role("button", name="Save a new revision").click()
        tab.page.wait_for_load_state("networkidle")
        tab.page.locator("#risk ~ details summary").first.click()

        assert tab.page.get_by_text("Its author says high: A merger is near.").is_visible()
        tab.check("risk-page")
