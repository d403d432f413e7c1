"""Letting somebody decide, and deciding for them, in a real browser."""

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals.requests.models import Decision
from foundation import clock
from tests import given
from tests.browser import Tab
from tests.portal.test_browser import sign_out
from tests.portal.test_delegations import give
from tests.portal.world import PASSWORD, Pilot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestDelegate:
    def test_is_named_by_a_form_and_decides_in_their_place(self, tab: Tab, pilot: Pilot) -> None:
        request = pilot.submitted()
        give(pilot.legal, pilot.second)
        until = timezone.localtime(clock.now()) + timedelta(days=9)
        tab.sign_in(pilot.first.username, PASSWORD)
        tab.open("/delegations/")
        tab.check("delegations-empty")
        tab.page.get_by_label("Who", exact=True).select_option(label=str(pilot.second))
        tab.page.get_by_label("Until", exact=True).fill(f"{until:%Y-%m-%dT%H:%M}")
        tab.page.get_by_label("Why", exact=True).fill("On leave.")
        tab.page.get_by_role("button", name="Let them decide for you").press("Enter")
        tab.page.get_by_text("You can revoke it at any time.").wait_for()
        tab.check("delegations-given")
        sign_out(tab)
        tab.sign_in(pilot.second.username, PASSWORD)
        tab.open("/delegations/")
        tab.check("delegations-received")
        tab.open(f"/changes/{request.number}/")
        tab.check("change-with-a-choice")
        tab.page.get_by_label(f"for {pilot.first}").check()
        tab.page.get_by_role("button", name="Approve").click()
        tab.page.get_by_text("Your approval is recorded.").wait_for()
        tab.check("change-decided-for-somebody")
        assert Decision.objects.get().delegator_human_id == pilot.first.human_id

    def test_reads_for_whom_and_up_to_what(self, tab: Tab, pilot: Pilot) -> None:
        request = pilot.submitted()
        give(pilot.first, pilot.legal)
        starts_at = given.NOW.isoformat()
        terms = {"person": pilot.first.username, "role": "licensing", "seats": 4000, "starts_at": starts_at}
        given.record("authority_limit.create", **terms)
        tab.sign_in(pilot.legal.username, PASSWORD)
        tab.open(f"/changes/{request.number}/")
        assert f"You decide for {pilot.first}" in tab.page.inner_text("main")
        assert "Their limit: 4000 seats" in tab.page.inner_text("main")
        tab.check("change-for-somebody")
