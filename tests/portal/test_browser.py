"""Journeys in a real browser: no console error, nothing refused by the policy, no violation of axe-core."""

from datetime import timedelta

import pytest

from approvals.governed import Draft
from approvals.requests import services, timetable
from approvals.requests.models import ChangeRequest
from approvals.requests.revisions import Waiver
from approvals.requests.schedules import Schedule
from tests import given
from tests.browser import Tab
from tests.portal.test_change_page import decide
from tests.portal.world import PASSWORD, Pilot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # The files are served from where they are written: nothing is collected.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestJourney:
    def test_sign_in_and_empty_pages(self, tab: Tab, pilot: Pilot) -> None:
        product = pilot.trial.sku.product_id
        question = f"/check/?account={pilot.account.id}&product={product}&person=Grace+Kim&environment=trial"
        tab.expected.add("status of 404")
        tab.open("/sign-in/")
        tab.check("sign-in")
        tab.sign_in("ada", PASSWORD)
        for name, path in (
            ("work-empty", "/"),
            ("changes-empty", "/changes/?whose=mine"),
            ("profile", "/profile/"),
            ("accounts", "/accounts/"),
            ("entitlements", "/entitlements/"),
            ("entitlement", f"/entitlements/{pilot.trial.id}/"),
            ("holders", f"/entitlements/{pilot.trial.id}/holders/"),
            ("account", "/accounts/nordwind/coverage/"),
            ("check", "/check/"),
            ("check-yes", f"{question}&country=DE"),
            ("check-no", f"{question}&country=FR"),
            ("not-found", "/changes/4711/"),
            ("guidance", "/guidance/reason-codes"),
        ):
            tab.open(path)
            tab.check(name)

    def test_a_change_without_a_gap_is_decided_by_two_and_applied(self, tab: Tab, pilot: Pilot) -> None:
        request = pilot.submitted()
        pilot.submitted(title="Two more days of the trial", drafts=[extension(pilot)])
        tab.sign_in("bela", PASSWORD)
        tab.check("work")
        tab.page.get_by_role("link", name="Chartwise goes to production").first.click()
        tab.page.wait_for_load_state("networkidle")
        tab.check("change")
        tab.expected.add("status of 400")
        tab.page.get_by_role("button", name="Reject").click()
        tab.page.get_by_role("alert").wait_for()
        assert "the author needs it to go on" in tab.page.get_by_role("alert").inner_text()
        tab.check("change-refused")
        tab.page.get_by_label("Comment", exact=True).fill("Read with the order at hand.")
        tab.page.get_by_role("button", name="Approve").click()
        tab.page.get_by_text("Your approval is recorded.").wait_for()
        tab.check("change-decided-once")
        sign_out(tab)
        tab.sign_in("carmen", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        tab.page.get_by_role("button", name="Approve").click()
        tab.page.get_by_text("Your approval is recorded.").wait_for()
        tab.page.get_by_role("button", name="Apply now").click()
        tab.page.get_by_text("The change is applied, whole.").wait_for()
        tab.check("change-applied")
        assert ChangeRequest.objects.get(id=request.id).status == "applied"
        tab.open(f"/entitlements/{pilot.trial.id}/")
        tab.check("entitlement-with-successor")
        tab.open("/accounts/nordwind/coverage/")
        tab.check("account-covered")

    def test_a_change_with_a_gap_is_mended_by_its_author(self, tab: Tab, pilot: Pilot) -> None:
        request = pilot.proposed(days=26)
        tab.sign_in("ada", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        assert "30 people lose access" in tab.page.inner_text("main")
        tab.check("change-with-gap")
        tab.page.get_by_text("As a table").first.click()
        tab.check("change-with-gap-table")
        tab.page.get_by_role("link", name="Change the dates").click()
        tab.page.wait_for_load_state("networkidle")
        tab.check("change-edit")
        tab.page.get_by_label("Starts").fill("2026-03-16T09:00")
        tab.page.get_by_role("button", name="Save a new revision").click()
        tab.page.get_by_text("Saved as a new revision").wait_for()
        assert "nobody loses access" in tab.page.inner_text("main")
        tab.page.get_by_role("button", name="Send to review").click()
        tab.page.get_by_text("The change is in review.").wait_for()
        tab.check("change-own-in-review")

    def test_a_waived_gap_with_cost_and_a_large_request_are_read(self, tab: Tab, pilot: Pilot) -> None:
        waived = pilot.submitted(
            days=26, drafts=[more_seats(pilot), pilot.grant(26)], waiver=Waiver("Agreed in writing.", "Head of sales")
        )
        accounts = [Draft("account.create", {"code": f"unit-{n}", "name": f"Unit {n}"}) for n in range(120)]
        large = pilot.submitted(drafts=accounts, title="A hundred and twenty units")
        tab.sign_in("bela", PASSWORD)
        tab.check("work-with-gap")
        tab.open(f"/changes/{waived.number}/")
        tab.check("change-waived")
        tab.page.emulate_media(media="print")
        tab.keep("change-waived-print")
        tab.page.emulate_media(media="screen")
        tab.open(f"/changes/{large.number}/")
        assert tab.page.locator(".tn-change").count() == 25
        tab.page.get_by_role("link", name="Show 25 more").click()
        tab.page.locator(".tn-change").nth(49).wait_for()
        assert tab.page.locator(".tn-change").count() == 50
        tab.check("change-large")
        tab.open("/changes/?status=in_review&text=unit")
        tab.check("changes-filtered")

    def test_a_change_is_left_to_the_clock(self, tab: Tab, pilot: Pilot) -> None:
        opens_at = given.NOW + timedelta(days=2)
        window = Schedule(opens_at, opens_at + timedelta(hours=1), "Europe/Berlin")
        due = pilot.submitted(schedule=window)
        missed = pilot.submitted(title="Two more days of the trial", drafts=[extension(pilot)], schedule=window)
        for request in (due, missed):
            for reviewer in (pilot.first, pilot.second):
                decide(reviewer, request, "approve")
        tab.sign_in("ada", PASSWORD)
        tab.open(f"/changes/{due.number}/")
        tab.check("change-scheduled")
        tab.open(f"/changes/{due.number}/edit/")
        tab.check("change-edit-schedule")
        timetable.apply_due(now=window.closes_at)
        tab.open(f"/changes/{missed.number}/")
        tab.page.get_by_text("This change missed its window").wait_for()
        tab.check("change-missed")
        tab.open("/")
        tab.check("work-with-missed")

    def test_a_change_is_talked_about(self, tab: Tab, pilot: Pilot) -> None:
        request = pilot.submitted()
        tab.sign_in("bela", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        tab.page.get_by_label("Add a comment").fill("@carmen, is forty what the order line says?\nI read thirty-eight.")
        tab.page.get_by_role("button", name="Add comment").click()
        tab.page.get_by_text("Your comment is kept").wait_for()
        sign_out(tab)
        services.amend(change_request_id=request.id, author=pilot.author, now=given.NOW, title="Forty seats")
        tab.sign_in("carmen", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        tab.page.get_by_label("Add a comment").fill("Forty, @bela: two were ordered in January.")
        tab.page.get_by_role("button", name="Add comment").click()
        tab.page.get_by_text("Your comment is kept").wait_for()
        tab.check("change-discussed")
        assert tab.page.locator(".tn-comment-text strong").all_inner_texts() == ["@carmen", "@bela"]

    def test_a_stale_screen_is_refused_kindly(self, tab: Tab, pilot: Pilot) -> None:
        request = pilot.submitted()
        tab.sign_in("bela", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        services.amend(
            change_request_id=request.id, author=pilot.author, now=given.NOW, waiver=Waiver("Agreed", "Head of sales")
        )
        services.submit(change_request_id=request.id, author=pilot.author, now=given.NOW)
        tab.expected.add("status of 409")
        tab.page.get_by_role("button", name="Approve").click()
        tab.page.get_by_role("alert").wait_for()
        tab.check("change-stale")
        tab.page.get_by_role("link", name="Read the current revision").click()
        tab.page.get_by_text("Revision 2").first.wait_for()

    def test_works_by_keyboard_and_remembers_the_theme(self, tab: Tab, pilot: Pilot) -> None:
        tab.sign_in("ada", PASSWORD)
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("document.activeElement.textContent") == "Skip to the content"
        tab.page.keyboard.press("Enter")
        assert tab.page.evaluate("document.activeElement.id") == "main"
        tab.page.get_by_role("button", name="Dark mode").click()
        tab.open("/changes/")
        assert tab.page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def more_seats(pilot: Pilot) -> Draft:
    starts_at = given.NOW.isoformat()
    periods = [
        {"starts_at": pilot.line.starts_at.isoformat(), "ends_at": starts_at, "quantity": 60, "unit_price": "100"},
        {"starts_at": starts_at, "ends_at": None, "quantity": 80, "unit_price": "95.50"},
    ]
    return Draft("orderline.amend", {"periods": periods}, target_id=pilot.line.id)


def extension(pilot: Pilot) -> Draft:
    ends_at = given.NOW + timedelta(days=23)
    return Draft("entitlement.extend", {"ends_at": ends_at.isoformat()}, target_id=pilot.trial.id)


def sign_out(tab: Tab) -> None:
    tab.page.locator("details.tn-menu > summary").click()
    tab.page.get_by_role("button", name="Sign out").click()
    tab.page.wait_for_load_state("networkidle")
