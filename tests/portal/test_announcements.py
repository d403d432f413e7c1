"""What was announced, on pages: read, acknowledged, subscribed to."""

import re
from datetime import timedelta
from typing import Any

import pytest

from approvals.announcements import distributing
from approvals.announcements.models import Acknowledgment, Announcement, Following, Subscription
from approvals.requests import application, review
from approvals.requests.models import ChangeRequest
from foundation import clock
from foundation.identity.models import User
from tests import given
from tests.approvals.test_announcements import condition, of_role
from tests.browser import Tab
from tests.portal.test_change_page import digest_of, signed_in
from tests.portal.world import PASSWORD, Pilot

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
LISTED = "/announcements/"
SUBSCRIBED = "/announcements/subscriptions/"


def announced(pilot: Pilot, **options: Any) -> ChangeRequest:
    """A change that was applied and announced."""
    request = pilot.submitted(**options)
    for reviewer in (pilot.first, pilot.second):
        review.approve(change_request_id=request.id, digest=digest_of(request), reviewer=reviewer, now=given.NOW)
    application.apply(change_request_id=request.id, user=pilot.first, now=given.NOW)
    distributing.announce(now=given.NOW)
    return request


def page(user: User, address: str = LISTED) -> str:
    return str(signed_in(user).get(address).content.decode())


class TestAnnouncements:
    def test_say_what_changed_and_why_one_is_told(self, pilot: Pilot) -> None:
        of_role("finance", hours=24)
        reader, other = given.user("finance"), given.user("finance", everywhere=False)
        number = announced(pilot).number

        shown = page(reader)

        assert "1 applied change that you have not read." in shown
        assert f"#{number} Chartwise goes to production at Nordwind" in shown
        assert "by the quorum of its stages. You are told because of " in shown
        assert "Finance: All" in shown
        assert 'Say by <time datetime="2026-03-03T10:00:00Z">' in shown
        assert "that you have not read</span>" in shown
        assert "You have read everything" in page(other)
        assert "Chartwise" not in page(other, f"{LISTED}?show=all")

    def test_are_acknowledged_and_kept(self, pilot: Pilot) -> None:
        of_role("finance", hours=24)
        reader = given.user("finance")
        number = announced(pilot).number
        key = Announcement.objects.get(reader=reader).id
        client = signed_in(reader)

        answer = client.post(f"{LISTED}{key}/read/", {"back": f"/changes/{number}/"})

        assert (answer.status_code, answer["Location"]) == (302, f"/changes/{number}/")
        assert Acknowledgment.objects.get().acknowledged_by == reader
        assert "Nothing is left to read." in page(reader)
        assert "You said that you have read it" in page(reader, f"{LISTED}?show=all")
        shown = " ".join(re.sub(r"<[^>]+>", "", page(reader, f"/changes/{number}/")).split())
        assert "of whom 1 has said to have read it. You did, " in shown
        assert "I have read it" not in shown

    def test_go_back_to_this_site_alone(self, pilot: Pilot) -> None:
        of_role("finance")
        reader = given.user("finance")
        announced(pilot)
        key = Announcement.objects.get(reader=reader).id

        for back in ("https://evil.example/", "//evil.example/", "javascript:alert(1)", "evil", "/\\evil.example"):
            answer = signed_in(reader).post(f"{LISTED}{key}/read/", {"back": back})
            assert answer["Location"] == LISTED, back

    def test_are_acknowledged_by_nobody_else(self, pilot: Pilot) -> None:
        of_role("finance")
        reader = given.user("finance")
        announced(pilot)
        key = Announcement.objects.get(reader=reader).id

        assert signed_in(pilot.author).post(f"{LISTED}{key}/read/").status_code == 404
        assert not Acknowledgment.objects.exists()

    def test_say_what_is_overdue(self, pilot: Pilot, monkeypatch: Any) -> None:
        of_role("finance", hours=24)
        reader = given.user("finance")
        number = announced(pilot).number
        monkeypatch.setattr(clock, "now", lambda: given.NOW + timedelta(days=2))

        assert "1 of them should have been read by now." in page(reader)
        assert "You were to say by" in page(reader)
        assert "You were to say so by" in page(reader, f"/changes/{number}/")
        assert "You were to say so by" not in page(pilot.author, f"/changes/{number}/")


class TestSubscriptions:
    def test_are_made_of_what_the_form_offers(self, pilot: Pilot) -> None:
        data = {
            "name": "Nordwind",
            "account": str(pilot.account.id),
            "aspects_touched": ["seats", "term"],
            "phase": ["production"],
            "losing": "yes",
        }

        assert signed_in(pilot.author).post(SUBSCRIBED, data).status_code == 302

        assert Subscription.objects.get(owner=pilot.author).conditions == [
            condition("accounts", "any_of", [str(pilot.account.id)]),
            condition("aspects_touched", "any_of", ["seats", "term"]),
            condition("phase", "any_of", ["production"]),
            condition("people_losing_access", "more_than", 0),
        ]
        shown = page(pilot.author, SUBSCRIBED)
        assert "the account is any of Nordwind Reederei, and what changes is any of seats, term" in shown
        assert "Everybody of finance</option>" not in shown

    @pytest.mark.parametrize(
        "data",
        [
            {"name": ""},
            {"name": "x", "account": "nonsense", "phase": "gone"},
            {"name": "x", "acknowledge_hours": "soon"},
            {"name": "x", "acknowledge_hours": "24"},
            {"name": "x", "role": "finance"},
        ],
    )
    def test_keep_what_was_typed_and_refused(self, pilot: Pilot, data: dict[str, str]) -> None:
        answer = signed_in(pilot.author).post(SUBSCRIBED, data)

        assert answer.status_code in {400, 403}
        assert "Not added" in answer.content.decode()
        assert f'name="name" maxlength="100" required value="{data["name"]}"' in answer.content.decode()

    def test_of_roles_are_left_and_followed(self, pilot: Pilot) -> None:
        row, must = of_role("finance"), of_role("finance", hours=24, name="Must")
        reader = given.user("finance")
        client = signed_in(reader)

        assert client.post(f"{SUBSCRIBED}{row.id}/follow/", {"follows": "no"}).status_code == 302
        assert client.post(f"{SUBSCRIBED}{must.id}/follow/", {"follows": "no"}).status_code == 409
        assert client.post(f"{SUBSCRIBED}{row.id}/end/").status_code == 403
        assert client.post(f"{SUBSCRIBED}{row.id}/edit/", {"name": "Other"}).status_code == 403

        assert Following.objects.get().follows is False
        assert "You can’t leave what your role has to read." in page(reader, SUBSCRIBED)

    def test_of_roles_are_set_up_by_administrators(self, pilot: Pilot) -> None:
        row = of_role("finance", condition("phase", "is", "trial"))
        client = signed_in(given.user("administrator"))

        made = {"name": "New", "role": "legal", "acknowledge_hours": "48"}
        assert client.post(SUBSCRIBED, made).status_code == 302
        assert client.post(f"{SUBSCRIBED}{row.id}/edit/", {"name": "B", "acknowledge_hours": "9"}).status_code == 302

        row.refresh_from_db()
        assert (row.name, row.acknowledge_hours, row.conditions) == ("B", 9, [condition("phase", "is", "trial")])
        assert Subscription.objects.get(role="legal").acknowledge_hours == 48
        assert client.post(f"{SUBSCRIBED}{row.id}/end/").status_code == 302
        assert not Subscription.objects.in_force().filter(id=row.id).exists()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestJourney:
    def test_is_told_reads_and_says_so(self, tab: Tab, pilot: Pilot) -> None:
        of_role("licensing", hours=24, name="Everything")
        number = announced(pilot).number
        tab.sign_in(pilot.second.username, PASSWORD)
        tab.open(LISTED)
        tab.check("announcements-unread")
        tab.open(f"/changes/{number}/")
        tab.check("change-announced")
        tab.page.get_by_role("button", name="I have read it").press("Enter")
        tab.page.get_by_text(f"You have read that change {number} was applied.").wait_for()
        tab.open(f"{LISTED}?show=all")
        tab.check("announcements-all")
        tab.page.get_by_role("link", name="What you are told of").click()
        tab.page.get_by_label("Name", exact=True).fill("Nordwind’s seats")
        tab.page.get_by_label("Account").select_option(label="Nordwind Reederei")
        tab.page.get_by_label("seats").check()
        tab.page.get_by_role("button", name="Add").press("Enter")
        tab.page.get_by_text("is told of what is applied from now on").wait_for()
        tab.check("subscriptions")
        assert Acknowledgment.objects.get().acknowledged_by == pilot.second
