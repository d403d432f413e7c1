"""Standard templates and emergency permits on the pages."""

from datetime import timedelta
from typing import Any

import pytest

from approvals.governed import Draft
from approvals.permits import services
from approvals.permits.models import Permit
from approvals.requests.models import ChangeRequest
from approvals.standards.models import StandardTemplate
from foundation import clock
from foundation.identity.models import User
from tests import given
from tests.browser import Tab
from tests.portal.test_change_page import digest_of, signed_in
from tests.portal.world import PASSWORD, Pilot

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

REASON = "The harbor loses its charts tonight."


def template(**changes: Any) -> StandardTemplate:
    return given.record(
        "standard_template.create",
        **{
            "name": "A few more seats",
            "description": "Up to forty seats, nothing else.",
            "kinds": ["entitlement.amend"],
            "conditions": [
                {"field": "seats_after", "operator": "at_most", "value": 40},
                {"field": "fields_touched", "operator": "none_of", "value": ["ends_at", "countries"]},
            ],
            "proposer_roles": ["requester"],
            "daily_limit": 5,
            "accumulations": [{"fact": "seats_change", "at_most": 20}],
            "expires_at": (given.NOW + timedelta(days=200)).isoformat(),
        }
        | changes,
    )


def more_seats(pilot: Pilot, seats: int = 35) -> ChangeRequest:
    return pilot.proposed(title="More seats", drafts=[Draft("entitlement.amend", {"seats": seats}, pilot.trial.id)])


def page(request: ChangeRequest, user: User) -> str:
    return signed_in(user).get(f"/changes/{request.number}/").content.decode()


def holder(username: str = "emil") -> User:
    return given.user("emergency", username=username, first_name="Emil", last_name="Haas", password=PASSWORD)


def used(pilot: Pilot, user: User) -> Permit:
    request = more_seats(pilot)
    permit = services.take(
        change_request_id=request.id, digest=digest_of(request), user=user, reason=REASON, now=given.NOW
    )
    services.use(permit_id=permit.id, user=user, now=given.NOW)
    return Permit.objects.get(id=permit.id)


class TestStandardChange:
    def test_is_offered_chosen_and_approved_at_once(self, pilot: Pilot) -> None:
        of, request, client = template(), more_seats(pilot), signed_in(pilot.author)
        assert "Template “A few more seats”, version 1, covers this change." in page(request, pilot.author)

        values = {"template": str(of.id), "digest": digest_of(request)}
        assert client.post(f"/changes/{request.number}/template/", values).status_code == 302

        assert "Standard change by template “A few more seats”, version 1." in page(request, pilot.first)
        assert "it is approved at once and no stage is asked" in page(request, pilot.author)
        client.post(f"/changes/{request.number}/submit/")
        assert ChangeRequest.objects.get(id=request.id).status == "approved"
        assert "These stages were not asked: the standard template" in page(request, pilot.first)

    def test_says_which_bounds_are_not_kept_and_can_be_dropped(self, pilot: Pilot) -> None:
        of, request, client = template(), more_seats(pilot, 40), signed_in(pilot.author)
        given.record(
            "standard_template.amend",
            target_id=of.id,
            conditions=[{"field": "seats_after", "operator": "at_most", "value": 32}],
        )
        client.post(f"/changes/{request.number}/template/", {"template": str(of.id), "digest": digest_of(request)})

        content = page(request, pilot.author)

        assert "Seats after is 40 seats; allowed is at most 32." in content
        assert client.post(f"/changes/{request.number}/submit/").status_code == 409
        client.post(f"/changes/{request.number}/template/", {"template": "", "digest": digest_of(request)})
        client.post(f"/changes/{request.number}/submit/")
        assert ChangeRequest.objects.get(id=request.id).status == "in_review"

    @pytest.mark.parametrize("values", [{"template": "nonsense"}, {"digest": "0" * 64}])
    def test_refuses_what_is_out_of_date(self, pilot: Pilot, values: dict[str, str]) -> None:
        of, request = template(), more_seats(pilot)
        posted = {"template": str(of.id), "digest": digest_of(request)} | values

        assert signed_in(pilot.author).post(f"/changes/{request.number}/template/", posted).status_code in (400, 409)

    def test_templates_are_listed_in_words(self, pilot: Pilot) -> None:
        assert "There is no standard template." in signed_in(pilot.author).get("/standard-templates/").content.decode()
        template()

        content = signed_in(pilot.author).get("/standard-templates/").content.decode()

        assert "Seats after: at most 40 seats" in content
        assert "Applied at most 5 times in 24 hours" in content
        assert "You may use it" in content


class TestEmergency:
    def test_is_offered_to_holders_alone(self, pilot: Pilot) -> None:
        request = more_seats(pilot)

        assert "Take an emergency permit" in page(request, holder())
        for user in (pilot.author, pilot.first, given.user("administrator")):
            assert "Take an emergency permit" not in page(request, user)

    def test_is_taken_confirmed_and_applied(self, pilot: Pilot) -> None:
        request, user = more_seats(pilot), holder()
        client, address = signed_in(user), f"/changes/{request.number}/permit/"
        assert client.post(address, {"digest": digest_of(request), "reason": " "}).status_code == 400
        client.post(address, {"digest": digest_of(request), "reason": REASON})
        permit = Permit.objects.get()
        assert "You hold a permit until" in page(request, user)

        assert client.post(f"{address}use/", {"permit": str(permit.id)}).status_code == 400
        assert client.post(f"{address}use/", {"permit": str(permit.id), "confirmed": "yes"}).status_code == 302

        content = page(request, pilot.first)
        assert "Applied under an emergency permit by Emil Haas, without its approvals." in content
        assert REASON in content

    def test_says_why_none_can_be_taken(self, pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
        user = holder()
        used(pilot, user)
        request = pilot.proposed()
        monkeypatch.setattr(clock, "now", lambda: given.NOW + timedelta(hours=48))

        content = page(request, user)

        assert "You can’t take a permit for this." in content
        assert "Take an emergency permit" not in content

    def test_is_reviewed_by_those_who_would_have_been_asked(self, pilot: Pilot) -> None:
        permit = used(pilot, holder())
        number = permit.change_request.number
        work = signed_in(pilot.first).get("/").content.decode()
        assert "Emergencies to review" in work
        assert "1 emergency waits for your review" in work
        assert "they review the emergency afterwards" in page(permit.change_request, pilot.first)
        assert "Can be given by" not in page(permit.change_request, pilot.first)
        assert "Emergencies to review" not in signed_in(pilot.author).get("/").content.decode()
        values = {"permit": str(permit.id), "digest": permit.digest}

        for reviewer, verdict, comment in ((pilot.first, "justified", ""), (pilot.second, "not_justified", "No.")):
            posted = values | {"verdict": verdict, "comment": comment}
            answer = signed_in(reviewer).post(f"/changes/{number}/permit/review/", posted)
            assert answer.status_code == 302

        content = page(permit.change_request, pilot.author)
        assert "not justified. The change stays in force until somebody acts back." in content
        assert "Not justified" in signed_in(pilot.author).get("/permits/").content.decode()

    def test_marks_an_overdue_review(self, pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
        permit = used(pilot, holder())
        monkeypatch.setattr(clock, "now", lambda: given.NOW + timedelta(hours=48))

        assert "Its review is overdue since" in page(permit.change_request, pilot.first)
        listed = signed_in(pilot.first).get("/permits/").content.decode()
        assert "1 emergency waits for its review; 1 overdue." in listed

    def test_hides_permits_of_what_is_not_granted(self, pilot: Pilot) -> None:
        used(pilot, holder())

        listed = signed_in(given.user("licensing", everywhere=False)).get("/permits/").content.decode()

        assert "No emergency waits for its review." in listed
        assert REASON not in listed


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestInABrowser:
    def test_a_permit_is_taken_used_and_reviewed(self, tab: Tab, pilot: Pilot) -> None:
        template()
        request = more_seats(pilot)
        holder()
        tab.sign_in("ada", PASSWORD)
        tab.open("/standard-templates/")
        tab.check("standard-templates")
        tab.open(f"/changes/{request.number}/")
        tab.page.get_by_role("heading", name="Standard change").wait_for()
        tab.check("standard-offered")
        sign_out(tab)
        tab.sign_in("emil", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        tab.page.get_by_text("This can’t wait for its approvals").click()
        tab.check("permit-offered")
        tab.page.get_by_label("Why it can’t wait", exact=True).fill(REASON)
        tab.page.get_by_role("button", name="Take an emergency permit").click()
        tab.page.get_by_text("You hold a permit until").wait_for()
        tab.check("permit-held")
        tab.page.get_by_role("checkbox").check()
        tab.page.get_by_role("button", name="Apply now under the permit").click()
        tab.page.get_by_text("Applied under an emergency permit by").wait_for()
        tab.check("permit-used")
        sign_out(tab)
        tab.sign_in("bela", PASSWORD)
        tab.check("work-with-emergency")
        tab.open(f"/changes/{request.number}/")
        tab.check("permit-to-review")
        tab.page.get_by_label("What you found", exact=True).fill("It could have waited for Monday.")
        tab.page.get_by_role("button", name="Not justified").click()
        tab.page.get_by_text("Your review of the emergency is recorded.").wait_for()
        tab.open("/permits/")
        tab.check("permits")


def sign_out(tab: Tab) -> None:
    tab.page.context.clear_cookies()
