"""The page of a change request and what is done on it."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from approvals.governed import Draft
from approvals.requests import review, services
from approvals.requests.models import ChangeRequest, Decision
from approvals.requests.revisions import Waiver
from audit.ledger.models import Event
from foundation.identity.models import User
from tests import given
from tests.portal.world import Pilot

EDITED = replace(given.RATIONALE, impact="Edited meanwhile.")

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def digest_of(request: ChangeRequest) -> str:
    revision = ChangeRequest.objects.select_related("current_revision").get(id=request.id).current_revision
    assert revision is not None
    return revision.digest


def decide(user: User, request: ChangeRequest, verdict: str, **more: Any) -> Any:
    headers = more.pop("headers", {})
    data = {"verdict": verdict, "digest": digest_of(request), "comment": ""} | more
    return signed_in(user).post(f"/changes/{request.number}/decide/", data, headers=headers)


class TestReading:
    def test_says_first_what_matters(self, pilot: Pilot) -> None:
        request = pilot.proposed(days=26)

        content = signed_in(pilot.author).get(f"/changes/{request.number}/").content.decode()

        assert "30 people lose access from 23 Mar 2026, 11:00 CET" in content
        assert content.index("30 people lose access") < content.index("Why, and how to undo it")
        for name in ("Amara Okafor", "Liam O’Connor"):
            assert name in content

    def test_is_for_those_who_are_granted_all_that_it_touches(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        stranger = given.user("licensing", everywhere=False)

        assert signed_in(stranger).get(f"/changes/{request.number}/").status_code == 404
        assert decide(stranger, request, "approve").status_code == 404
        assert not Decision.objects.exists()

    def test_asks_strangers_to_sign_in(self, pilot: Pilot) -> None:
        request = pilot.submitted()

        assert Client().get(f"/changes/{request.number}/")["Location"].startswith("/sign-in/")

    def test_escapes_what_people_write(self, pilot: Pilot) -> None:
        request = pilot.submitted(title="<script>alert(1)</script>")
        decide(pilot.first, request, "ask_for_changes", comment="<img src=x onerror=alert(2)>")

        content = signed_in(pilot.second).get(f"/changes/{request.number}/").content.decode()

        assert "<script>alert" not in content
        assert "<img src=x" not in content
        assert "&lt;img src=x onerror=alert(2)&gt;" in content

    def test_says_why_the_author_cannot_decide(self, pilot: Pilot) -> None:
        request = pilot.submitted()

        content = signed_in(pilot.author).get(f"/changes/{request.number}/").content.decode()

        assert "You wrote a revision of this change, so somebody else decides on it." in content
        assert 'name="verdict"' not in content

    def test_shows_what_is_needed_and_who_can_give_it(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        decide(pilot.first, request, "approve")

        content = signed_in(pilot.author).get(f"/changes/{request.number}/").content.decode()

        assert "Licensing: 1 of 2, asked now" in content
        assert "Can be given by Carmen Ortiz" in content
        assert "two people of licensing read every change" in content

    def test_shows_who_of_the_role_cannot_give_it_and_why(self, pilot: Pilot) -> None:
        blind = given.user("licensing", everywhere=False, first_name="Otto", last_name="Blind")
        request = pilot.proposed()
        services.amend(
            change_request_id=request.id, author=pilot.second, now=given.NOW, title="Mine", rationale=given.RATIONALE
        )

        content = signed_in(pilot.author).get(f"/changes/{request.number}/").content.decode()

        assert f"{blind} may not see every account and product that it touches" in content
        assert f"{pilot.second} wrote this change, under this or another login" in content
        assert "These stages need 1 more person than there are" in content

    def test_keeps_stale_decisions_in_sight(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        decide(pilot.first, request, "approve", comment="Read it all.")
        services.amend(change_request_id=request.id, author=pilot.author, now=given.NOW, title="Another title")

        content = signed_in(pilot.second).get(f"/changes/{request.number}/").content.decode()

        assert "Approved, stale" in content
        assert "Read it all." in content

    def test_names_other_open_changes_of_the_same_records(self, pilot: Pilot) -> None:
        draft = Draft("entitlement.extend", {"ends_at": (given.NOW + timedelta(days=30)).isoformat()}, pilot.trial.id)
        first, second = pilot.proposed(drafts=[draft]), pilot.proposed(drafts=[draft], title="The other")

        content = signed_in(pilot.author).get(f"/changes/{first.number}/").content.decode()

        assert f"#{second.number} The other" in content


class TestDeciding:
    def test_records_an_approval_on_the_digest_of_the_screen(self, pilot: Pilot) -> None:
        request = pilot.submitted()

        response = decide(pilot.first, request, "approve", comment="Fine.")

        assert (response.status_code, response["Location"]) == (302, f"/changes/{request.number}/")
        decision = Decision.objects.get()
        assert (decision.verdict, decision.comment, decision.digest) == ("approve", "Fine.", digest_of(request))

    @pytest.mark.parametrize(("verdict", "status"), [("ask_for_changes", "changes_requested"), ("reject", "rejected")])
    def test_needs_a_comment_for_a_no(self, pilot: Pilot, verdict: str, status: str) -> None:
        request = pilot.submitted()

        refused = decide(pilot.first, request, verdict, comment=" ")
        assert refused.status_code == 400
        assert "the author needs it to go on" in refused.content.decode()
        assert not Decision.objects.exists()

        decide(pilot.first, request, verdict, comment="The price is missing.")
        assert ChangeRequest.objects.get(id=request.id).status == status

    def test_refuses_a_stale_screen_kindly(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        stale = digest_of(request)
        services.amend(change_request_id=request.id, author=pilot.author, now=given.NOW, rationale=EDITED)
        services.submit(change_request_id=request.id, author=pilot.author, now=given.NOW)
        events = Event.objects.count()

        response = decide(pilot.first, request, "approve", digest=stale)

        assert response.status_code == 409
        assert (
            "This change was edited after you read it. Read revision 2 and decide on that." in response.content.decode()
        )
        assert not Decision.objects.exists()
        assert Event.objects.count() == events

    def test_never_takes_up_a_digest_that_is_not_on_the_screen(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        stale = digest_of(request)
        services.amend(change_request_id=request.id, author=pilot.author, now=given.NOW, rationale=EDITED)
        services.submit(change_request_id=request.id, author=pilot.author, now=given.NOW)

        part = decide(pilot.first, request, "approve", digest=stale, headers={"HX-Request": "true"}).content.decode()

        assert "Read the current revision" in part
        assert "<form" not in part
        assert digest_of(request) not in part

    def test_answers_htmx_with_the_whole_page_after_success(self, pilot: Pilot) -> None:
        request = pilot.submitted()

        response = decide(pilot.first, request, "approve", headers={"HX-Request": "true"})

        assert response["HX-Redirect"] == f"/changes/{request.number}/"

    def test_refuses_what_is_neither(self, pilot: Pilot) -> None:
        assert decide(pilot.first, pilot.submitted(), "maybe").status_code == 400

    def test_refuses_the_author(self, pilot: Pilot) -> None:
        response = decide(pilot.author, pilot.submitted(), "approve")

        assert response.status_code == 403
        assert not Decision.objects.exists()

    def test_needs_the_token_of_the_form(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        client = Client(enforce_csrf_checks=True)
        client.force_login(pilot.first, backend="django.contrib.auth.backends.ModelBackend")

        response = client.post(f"/changes/{request.number}/decide/", {"verdict": "approve"})

        assert response.status_code == 403
        assert not Decision.objects.exists()


class TestOtherButtons:
    def test_submit(self, pilot: Pilot) -> None:
        request = pilot.proposed()

        signed_in(pilot.author).post(f"/changes/{request.number}/submit/")

        assert ChangeRequest.objects.get(id=request.id).status == "in_review"

    def test_submit_says_why_not(self, pilot: Pilot) -> None:
        request = pilot.proposed(days=26)

        response = signed_in(pilot.author).post(f"/changes/{request.number}/submit/")

        assert response.status_code == 409
        assert "Change the dates so that nobody loses access" in response.content.decode()

    def test_withdraw(self, pilot: Pilot) -> None:
        request = pilot.submitted()

        signed_in(pilot.author).post(f"/changes/{request.number}/withdraw/")

        assert ChangeRequest.objects.get(id=request.id).status == "withdrawn"

    def test_apply(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        for reviewer in (pilot.first, pilot.second):
            review.approve(change_request_id=request.id, digest=digest_of(request), reviewer=reviewer, now=given.NOW)

        assert signed_in(pilot.author).post(f"/changes/{request.number}/apply/").status_code == 403
        signed_in(pilot.first).post(f"/changes/{request.number}/apply/")

        assert ChangeRequest.objects.get(id=request.id).status == "applied"

    @pytest.mark.parametrize("action", ["decide", "submit", "withdraw", "apply"])
    def test_addresses_of_forms_lead_to_the_page(self, pilot: Pilot, action: str) -> None:
        request = pilot.proposed()

        response = signed_in(pilot.author).get(f"/changes/{request.number}/{action}/")

        assert response["Location"] == f"/changes/{request.number}/"


class TestEditing:
    def form_of(self, request: ChangeRequest, user: User) -> dict[str, str]:
        content = signed_in(user).get(f"/changes/{request.number}/edit/").content.decode()
        inputs = re.findall(r'<input[^>]*name="(item-[^"]+)"[^>]*value="([^"]*)"', content)
        return dict(inputs) | {
            "digest": digest_of(request),
            "title": request.title,
            "justification": "Because.",
            "impact": "Everybody keeps access.",
            "acceptance_criteria": "One\nTwo\n",
            "rollback": "Extend the trial.",
        }

    def test_writes_a_new_revision_with_what_was_changed_alone(self, pilot: Pilot) -> None:
        request = pilot.proposed(days=26)
        posted = self.form_of(request, pilot.author)
        assert posted["item-0-starts_at"] == "2026-03-28T11:00"

        signed_in(pilot.author).post(
            f"/changes/{request.number}/edit/", posted | {"item-0-starts_at": "2026-03-16T09:00", "item-0-seats": "44"}
        )

        request.refresh_from_db()
        revision = request.current_revision
        assert revision is not None
        assert revision.number == 2
        item = revision.items.get()
        assert (item.after["starts_at"], item.after["seats"]) == ("2026-03-16T08:00:00Z", 44)
        assert item.after["ends_at"] == "2027-03-28T10:00:00Z"
        assert revision.rationale["acceptance_criteria"] == ["One", "Two"]
        assert not revision.document["plan"]["new_gaps"]

    def test_leaves_the_items_alone_where_nothing_of_them_was_changed(self, pilot: Pilot) -> None:
        request = pilot.proposed()
        former = ChangeRequest.objects.get(id=request.id).current_revision

        signed_in(pilot.author).post(f"/changes/{request.number}/edit/", self.form_of(request, pilot.author))

        request.refresh_from_db()
        assert former is not None
        assert request.current_revision is not None
        assert request.current_revision.items.get().payload == former.items.get().payload

    def test_declares_a_gap_in_a_waiver(self, pilot: Pilot) -> None:
        request = pilot.proposed(days=26)
        posted = self.form_of(request, pilot.author) | {"waiver_reason": "Agreed with them."}

        refused = signed_in(pilot.author).post(f"/changes/{request.number}/edit/", posted)
        assert refused.status_code == 400
        assert "who bears the risk" in refused.content.decode()
        signed_in(pilot.author).post(
            f"/changes/{request.number}/edit/", posted | {"waiver_risk_owner": "Head of sales"}
        )

        services.submit(change_request_id=request.id, author=pilot.author, now=given.NOW)
        request.refresh_from_db()
        assert request.current_revision is not None
        assert request.current_revision.document["waiver"] == {
            "reason": "Agreed with them.",
            "risk_owner": "Head of sales",
        }

    def test_refuses_a_stale_form_and_keeps_what_was_typed(self, pilot: Pilot) -> None:
        request = pilot.proposed()
        posted = self.form_of(request, pilot.author) | {"justification": "What I typed"}
        services.amend(
            change_request_id=request.id, author=pilot.author, now=given.NOW, waiver=Waiver("None", "Nobody")
        )

        response = signed_in(pilot.author).post(f"/changes/{request.number}/edit/", posted)

        assert response.status_code == 409
        assert "What I typed" in response.content.decode()

    def test_tells_what_a_payload_refuses(self, pilot: Pilot) -> None:
        request = pilot.proposed()
        posted = self.form_of(request, pilot.author) | {"item-0-seats": "many", "item-0-ends_at": "tomorrow"}

        response = signed_in(pilot.author).post(f"/changes/{request.number}/edit/", posted)

        assert response.status_code == 400
        assert "tomorrow" in response.content.decode()

    def test_is_for_open_requests_of_those_who_may_propose(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        auditor = given.user("auditor")
        assert signed_in(auditor).get(f"/changes/{request.number}/edit/").status_code == 403

        services.withdraw(change_request_id=request.id, user=pilot.author, now=given.NOW)
        assert signed_in(pilot.author).get(f"/changes/{request.number}/edit/").status_code == 409


class TestLargeRequest:
    def test_shows_the_first_changes_and_pages_the_rest(self, pilot: Pilot, django_assert_max_num_queries: Any) -> None:
        drafts = [Draft("account.create", {"code": f"unit-{n}", "name": f"Unit {n}"}) for n in range(300)]
        request = pilot.proposed(drafts=drafts, title="Three hundred units")
        client = signed_in(pilot.author)

        with django_assert_max_num_queries(60):
            content = client.get(f"/changes/{request.number}/").content.decode()
        assert content.count('class="tn-change"') == 25
        assert "300 × " in content
        part = client.get(f"/changes/{request.number}/items/?page=2", headers={"HX-Request": "true"}).content.decode()
        assert part.count('class="tn-change"') == 25
        assert "<html" not in part
        assert "Changes 276 to 300 of 300." in client.get(f"/changes/{request.number}/items/?page=99").content.decode()


class TestRisk:
    def test_is_shown_with_its_reasons(self, pilot: Pilot) -> None:
        request = pilot.proposed(days=26)

        content = signed_in(pilot.author).get(f"/changes/{request.number}/").content.decode()

        assert "▲ high" in content
        assert "High: many people lose access (30 people lose access, at least 10 people)" in content

    def test_is_raised_by_its_author_and_not_lowered(self, pilot: Pilot) -> None:
        request = pilot.proposed()
        client, address = signed_in(pilot.author), f"/changes/{request.number}/edit/"
        assert "as computed" in client.get(address).content.decode()
        posted = {"title": request.title, "digest": digest_of(request)}

        refused = client.post(address, posted | {"risk_level": "high", "risk_reason": " "})
        client.post(address, posted | {"risk_level": "high", "risk_reason": "A merger is near."})

        assert "Say why the risk is raised" in refused.content.decode()
        content = client.get(f"/changes/{request.number}/").content.decode()
        assert "Its author says high: A merger is near." in content
        assert client.post(address, posted | {"risk_level": "none"}).status_code == 400
