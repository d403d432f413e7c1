"""Reviewing who holds which rights, and erasing somebody, in a real browser."""

import pytest

from audit.models import AccessReview, ReviewDecision
from foundation.identity.models import ERASED, User
from tests import given
from tests.browser import Tab
from tests.portal.test_browser import sign_out
from tests.portal.world import PASSWORD, Pilot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestReview:
    def test_of_rights_and_an_erasure(self, tab: Tab, pilot: Pilot) -> None:
        given.user("auditor", username="audrey", first_name="Audrey", last_name="Lorde", password=PASSWORD)
        given.user("administrator", "finance", username="otto", password=PASSWORD)
        tab.sign_in("audrey", PASSWORD)
        tab.open("/audit/access/")
        tab.check("access")
        tab.open("/audit/reviews/")
        page = tab.page
        page.get_by_label("Name", exact=True).fill("First quarter")
        page.locator("#due_at").fill("2030-01-01T12:00")
        page.get_by_label("Roles").select_option("legal")
        page.get_by_label("Reviewer 1: login").fill("audrey")
        tab.check("reviews")
        page.get_by_role("button", name="Open the review").click()
        page.get_by_text("1 right waits for you.").wait_for()
        page.get_by_label("Why").fill("She moved to another team.")
        tab.check("review-open")
        page.get_by_role("button", name="Revoke right 1").click()
        page.get_by_text("It was taken back.").wait_for()
        tab.check("review-decided")
        page.get_by_role("button", name="Close the review").click()
        page.get_by_text("The review is closed.").wait_for()
        assert AccessReview.objects.get().closed_at
        assert ReviewDecision.objects.get().was_there
        assert not pilot.legal.groups.exists()
        sign_out(tab)
        User.objects.filter(pk=pilot.legal.pk).update(is_active=False)
        tab.sign_in("otto", PASSWORD)
        tab.open("/privacy/")
        page.get_by_label("Name, mail or login").fill("Dora Klein")
        page.get_by_role("button", name="Find").click()
        page.get_by_role("link", name="Dora Klein").wait_for()
        tab.check("privacy-found")
        page.get_by_role("link", name="Dora Klein").click()
        page.get_by_label("Why").select_option("left")
        page.get_by_label("I have read what is erased").check()
        tab.check("privacy-human")
        page.get_by_role("button", name="Erase what is known of them").click()
        page.get_by_text("Nothing is known of them by name any more.").wait_for()
        tab.check("privacy-erased")
        assert str(User.objects.get(pk=pilot.legal.pk)) == ERASED
