"""Files, rounds and due dates in a real browser."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from approvals.requests import services
from approvals.requests.revisions import Rationale
from foundation import clock
from tests import given
from tests.approvals.files import PDF
from tests.approvals.test_reminders import due_policy
from tests.browser import Tab
from tests.portal.test_browser import extension, sign_out
from tests.portal.world import PASSWORD, Pilot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # The files are served from where they are written: nothing is collected.
    pytest.mark.filterwarnings("ignore:No directory at"),
]
LATER = given.NOW + timedelta(days=6)


class TestFiles:
    def test_are_attached_refused_and_downloaded(self, tab: Tab, pilot: Pilot, tmp_path: Path) -> None:
        request = pilot.submitted()
        good, bad = tmp_path / "The signed order of Nordwind, with its annex on subsidiaries.pdf", tmp_path / "run.exe"
        good.write_bytes(PDF)
        bad.write_bytes(b"MZ")
        tab.sign_in("bela", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        tab.expected.add("status of 400")
        tab.page.get_by_label("Attach a file", exact=True).set_input_files(bad)
        tab.page.get_by_role("button", name="Attach file").click()
        tab.page.get_by_text("is of no type that is kept").wait_for()
        tab.check("change-file-refused")
        tab.page.get_by_label("Attach a file", exact=True).set_input_files(good)
        tab.page.get_by_role("button", name="Attach file").click()
        tab.page.get_by_text("is kept with the change").wait_for()
        tab.page.get_by_label("Add a comment").fill("The same, with a word on it.")
        note = tmp_path / "note.txt"
        note.write_text("Forty seats.")
        tab.page.get_by_label("With a file").set_input_files(note)
        tab.page.get_by_role("button", name="Add comment").click()
        tab.page.get_by_text("Your comment is kept").wait_for()
        tab.check("change-files")
        with tab.page.expect_download() as download:
            tab.page.get_by_role("link", name=good.name).first.click()
        assert Path(download.value.path()).read_bytes() == PDF
        assert download.value.suggested_filename == good.name


class TestRounds:
    def test_show_what_changed_since_changes_were_asked(self, tab: Tab, pilot: Pilot) -> None:
        request = pilot.submitted()
        tab.sign_in("bela", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        tab.page.get_by_label("Comment", exact=True).fill("From when? And why forty?")
        tab.page.get_by_role("button", name="Ask for changes").click()
        tab.page.get_by_text("Your questions went back").wait_for()
        services.amend(
            change_request_id=request.id,
            author=pilot.author,
            now=given.NOW,
            drafts=[pilot.grant(15), extension(pilot)],
            rationale=Rationale(
                "The pilot succeeded, and two more people of the bridge watch need it in production.",
                given.RATIONALE.impact,
                (*given.RATIONALE.acceptance_criteria, "The bridge watch reads its charts."),
                given.RATIONALE.rollback,
            ),
        )
        services.submit(change_request_id=request.id, author=pilot.author, now=given.NOW)
        tab.open(f"/changes/{request.number}/")
        tab.page.get_by_role("link", name="Revision 2", exact=True).click()
        tab.page.get_by_role("heading", name="What changed").wait_for()
        assert "From revision 1 to revision 2" in tab.page.inner_text("main")
        tab.check("change-revisions")
        tab.page.get_by_label("To revision").select_option("1")
        tab.page.get_by_role("button", name="Compare").click()
        tab.page.get_by_text("There is nothing to compare").wait_for()
        tab.check("change-revisions-same")


class TestMyWork:
    def test_shows_what_is_due_put_off_and_overdue(
        self, tab: Tab, pilot: Pilot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        due_policy()
        pilot.submitted()
        pilot.submitted(title="Two more days of the trial", drafts=[extension(pilot)])
        tab.sign_in("bela", PASSWORD)
        tab.check("work-due")
        tab.page.get_by_role("button", name="I have seen it").first.click()
        tab.page.get_by_text("You are not reminded of it until it is due.").wait_for()
        assert "It waits for you" in tab.page.inner_text("main")
        tab.check("change-seen")
        tab.open("/")
        tab.page.get_by_role("button", name="Put off").last.click()
        tab.page.get_by_text("You are not reminded of it until then.").wait_for()
        tab.open("/")
        tab.page.get_by_text("Show", exact=True).click()
        tab.check("work-put-off")
        tab.open("/profile/")
        tab.page.get_by_label("Remind me of what waits for me").select_option("immediate")
        tab.page.get_by_role("button", name="Save how I am reminded").click()
        tab.page.get_by_text("How you are reminded is saved.").wait_for()
        tab.check("profile-reminders")
        sign_out(tab)
        self.at(LATER, monkeypatch)
        tab.sign_in("carmen", PASSWORD)
        assert "2 decisions are overdue" in tab.page.inner_text("main")
        tab.check("work-overdue")

    def at(self, instant: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "now", lambda: instant)
