"""After application in a real browser: a third person verifies and closes; another change is acted back."""

import pytest

from approvals.requests.models import ChangeRequest
from entitlements.grants.models import Entitlement
from foundation import clock
from tests import given
from tests.browser import Tab
from tests.portal.test_after import applied
from tests.portal.test_browser import sign_out
from tests.portal.world import PASSWORD, Pilot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the clock stand a minute after the change was applied."""
    monkeypatch.setattr(clock, "now", lambda: given.NOW.replace(minute=1))


class TestJourney:
    def test_a_third_person_verifies_and_the_change_closes(self, tab: Tab, pilot: Pilot) -> None:
        request = applied(pilot)
        tab.sign_in("bela", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        tab.page.get_by_text("You applied this change, so somebody else verifies it.").wait_for()
        tab.check("after-own")
        sign_out(tab)
        tab.sign_in("carmen", PASSWORD)
        tab.check("work-to-verify")
        tab.open(f"/changes/{request.number}/")
        tab.page.get_by_text("Say what you saw").click()
        tab.check("after-form")
        tab.page.get_by_label("Link to the evidence", exact=True).fill("not a link")
        tab.expected.add("status of 400")
        tab.page.get_by_role("button", name="It is met", exact=True).click()
        tab.page.get_by_role("alert").wait_for()
        tab.check("after-refused")
        tab.page.get_by_label("Link to the evidence", exact=True).fill("https://status.example/sign-ins")
        tab.page.get_by_label("Or a new file", exact=True).set_input_files(
            {"name": "sign-ins.csv", "mimeType": "text/csv", "buffer": b"person,signed in\n1,yes\n"}
        )
        tab.page.get_by_label("What you checked and saw", exact=True).fill("All thirty signed in this morning.")
        tab.page.get_by_role("button", name="It is met", exact=True).click()
        tab.page.get_by_text("Every criterion is met: the change is verified and closed.").wait_for()
        tab.check("after-verified")
        assert ChangeRequest.objects.get(id=request.id).status == "verified"

    def test_a_change_is_acted_back(self, tab: Tab, pilot: Pilot) -> None:
        request = applied(pilot)
        tab.sign_in("carmen", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        tab.page.get_by_role("link", name="Act back: see what would be restored").click()
        tab.page.get_by_role("heading", name="What would be restored").wait_for()
        tab.check("act-back")
        tab.page.get_by_role("button", name="Act back now").click()
        tab.page.get_by_text(f"Change {request.number} is acted back by this change.").wait_for()
        tab.check("acted-back")
        assert ChangeRequest.objects.get(id=request.id).status == "reverted"
        granted = Entitlement.objects.get(replaces=pilot.trial)
        assert granted.withdrawn_at is not None

    def test_what_others_changed_since_is_filed_as_a_draft(self, tab: Tab, pilot: Pilot) -> None:
        request = applied(pilot)
        granted = Entitlement.objects.get(replaces=pilot.trial)
        given.record("entitlement.amend", target_id=granted.id, seats=45)
        tab.sign_in("carmen", PASSWORD)
        tab.open(f"/changes/{request.number}/act-back/")
        tab.page.get_by_text("One click is not possible.").wait_for()
        tab.check("act-back-conflict")
        tab.page.get_by_role("button", name="File the inverse as a draft").click()
        tab.page.get_by_text("The inverse is filed as a draft.").wait_for()
        tab.check("inverse-draft")
        assert ChangeRequest.objects.get(reverts=request).status == "draft"
