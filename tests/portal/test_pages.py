"""My work, lists, the registry's pages, checks and guidance."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern

from approvals.governed import Draft
from approvals.portal import inbox
from approvals.portal.urls import urlpatterns as change_patterns
from approvals.requests import review, services
from approvals.requests.models import ChangeRequest
from approvals.requests.revisions import Waiver
from audit.urls import portal_patterns as audit_patterns
from entitlements.checks.reasons import REASONS, guidance_path
from entitlements.portal.urls import urlpatterns as registry_patterns
from tests import given
from tests.portal.test_change_page import digest_of, signed_in
from tests.portal.world import PASSWORD, Pilot

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
KEY = "6f1c5f3e-1111-4111-8111-111111111111"
VALUES = {
    "number": "1",
    "entitlement_id": KEY,
    "event_id": KEY,
    "attachment_id": KEY,
    "delegation_id": KEY,
    "announcement_id": KEY,
    "subscription_id": KEY,
    "code": "nordwind",
    "ticket_id": KEY,
    "human_id": KEY,
    "review_id": KEY,
    "entry_id": KEY,
    "slug": "mine",
    "pack_id": KEY,
    "hold_id": KEY,
}
OPEN_TO_ALL = {"/sign-in/", "/sign-out/"}


def addresses(
    patterns: object = (*change_patterns, *registry_patterns, *audit_patterns), prefix: str = "/"
) -> list[str]:
    """Every address of the portal, with values in place of its parameters."""
    found = []
    for pattern in patterns:  # type: ignore[attr-defined]
        route = pattern.pattern
        assert isinstance(route, RoutePattern | RegexPattern)
        path = prefix + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: VALUES[match[1]], str(route))
        nested = getattr(pattern, "url_patterns", None)
        found += addresses(nested, path) if nested else [path]
    return found


class TestPermissions:
    @pytest.mark.parametrize("address", addresses())
    def test_every_page_asks_who_reads_it(self, address: str) -> None:
        if address in OPEN_TO_ALL:
            return
        for response in (Client().get(address), Client().post(address)):
            assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/sign-in/")

    def test_every_page_is_served(self) -> None:
        served = get_resolver()
        for address in addresses():
            assert served.resolve(address)


class TestWork:
    def test_says_in_words_what_waits(self, pilot: Pilot) -> None:
        pilot.submitted()
        gap = pilot.proposed(days=26, title="With a hole")
        services.amend(
            change_request_id=gap.id, author=pilot.author, now=given.NOW, waiver=Waiver("Agreed", "Head of sales")
        )
        services.submit(change_request_id=gap.id, author=pilot.author, now=given.NOW)

        content = signed_in(pilot.first).get("/").content.decode()

        assert "2 changes wait for your decision; 1 of them would interrupt somebody’s access." in content
        assert "30 people lose access" in content
        assert '<span class="tn-count">2<' in content

    def test_says_what_to_do_where_nothing_waits(self, pilot: Pilot) -> None:
        content = signed_in(pilot.author).get("/").content.decode()

        assert "Nothing waits for you." in content
        assert "You have no open request." in content

    def test_offers_approved_changes_to_those_who_apply(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        for reviewer in (pilot.first, pilot.second):
            review.approve(change_request_id=request.id, digest=digest_of(request), reviewer=reviewer, now=given.NOW)

        assert "1 approved change waits to be applied." in signed_in(pilot.first).get("/").content.decode()
        assert "Approved, to be applied" not in signed_in(pilot.author).get("/").content.decode()

    def test_hides_what_is_not_granted(self, pilot: Pilot) -> None:
        pilot.submitted()
        stranger = given.user("licensing", everywhere=False)

        assert "goes to production" not in signed_in(stranger).get("/").content.decode()


class TestList:
    def listed(self, pilot: Pilot, query: str) -> list[str]:
        content = signed_in(pilot.first).get(f"/changes/?{query}").content.decode()
        return re.findall(r'tn-row-link" href="[^"]+">#\d+ ([^<]+)<', content)

    def test_filters(self, pilot: Pilot) -> None:
        pilot.submitted(title="In review")
        pilot.proposed(title="A draft")
        other = given.account()

        assert self.listed(pilot, "status=draft") == ["A draft"]
        assert self.listed(pilot, "whose=awaiting") == ["In review"]
        assert self.listed(pilot, "text=draft") == ["A draft"]
        number = ChangeRequest.objects.get(title="A draft").number
        assert self.listed(pilot, f"text=%23{number}") == ["A draft"]
        assert self.listed(pilot, f"status=open&account={pilot.account.id}") == ["A draft", "In review"]
        assert self.listed(pilot, f"status=open&account={other.id}") == []
        assert self.listed(pilot, f"status=open&product={pilot.trial.sku.product_id}") == ["A draft", "In review"]
        assert self.listed(pilot, "account=nonsense") == []


class TestRegistry:
    def test_lists_entitlements_with_their_state(self, pilot: Pilot) -> None:
        content = signed_in(pilot.first).get("/entitlements/").content.decode()

        assert "1 entitlement; 1 of those that you may see ends within 90 days." in content
        assert "30 of 30 seats held" in content
        assert (
            "CHART-TRIAL" in signed_in(pilot.first).get("/entitlements/?state=ends_soon&phase=trial").content.decode()
        )
        for query in ("state=ended", "phase=production", "text=nothing-like-it", "account=nonsense"):
            assert "CHART-TRIAL" not in signed_in(pilot.first).get(f"/entitlements/?{query}").content.decode()

    def test_shows_an_entitlement(self, pilot: Pilot) -> None:
        request = pilot.submitted()
        draft_of_trial = pilot.proposed(drafts=[longer_trial(pilot)], title="A longer trial")

        content = signed_in(pilot.first).get(f"/entitlements/{pilot.trial.id}/").content.decode()

        assert "Nordwind Reederei may use Chartwise until 23 Mar 2026, 11:00 CET" in content
        assert "AGR-2026-NW" in content
        assert f"#{draft_of_trial.number} A longer trial" in content
        assert f"#{request.number} " not in content
        holders = signed_in(pilot.first).get(f"/entitlements/{pilot.trial.id}/holders/").content.decode()
        assert "Elif Yılmaz" in holders

    def test_hides_what_is_not_granted(self, pilot: Pilot) -> None:
        stranger = signed_in(given.user("licensing", everywhere=False))

        for address in (f"/entitlements/{pilot.trial.id}/", "/accounts/nordwind/coverage/"):
            assert stranger.get(address).status_code == 404
        assert "CHART-TRIAL" not in stranger.get("/entitlements/").content.decode()
        assert "Nordwind" not in stranger.get("/accounts/").content.decode()

    def test_tells_what_an_account_will_lack(self, pilot: Pilot) -> None:
        content = signed_in(pilot.first).get("/accounts/nordwind/coverage/").content.decode()

        assert "30 people at Nordwind Reederei will go without, the first from 23 Mar 2026, 11:00 CET." in content
        assert "nordwind/coverage" in signed_in(pilot.first).get("/accounts/?text=nord").content.decode()


class TestCheck:
    def ask(self, pilot: Pilot, query: str) -> str:
        question = f"account={pilot.account.id}&product={pilot.trial.sku.product_id}&environment=trial&{query}"
        return signed_in(pilot.first).get(f"/check/?{question}").content.decode()

    def test_answers_by_name_and_mail(self, pilot: Pilot) -> None:
        for person in ("Grace+Kim", "grace@nordwind.example"):
            assert "Yes: Grace Kim." in self.ask(pilot, f"person={person}&country=de")

    def test_explains_a_no_and_leads_to_guidance(self, pilot: Pilot) -> None:
        content = self.ask(pilot, "person=Grace+Kim&country=FR")

        assert "does not allow use in FR" in content
        assert 'href="/guidance/reason-codes#region_not_allowed"' in content

    def test_asks_back(self, pilot: Pilot) -> None:
        assert "Several people could be meant." in self.ask(pilot, "person=nordwind.example&country=DE")
        assert "Nobody at the accounts granted to you" in self.ask(pilot, "person=nobody-at-all&country=DE")

    def test_guidance_has_a_place_for_every_code(self, pilot: Pilot) -> None:
        content = signed_in(pilot.first).get("/guidance/reason-codes").content.decode()

        for code in REASONS:
            path, _, anchor = guidance_path(code).partition("#")
            assert path == "/guidance/reason-codes"
            assert f'id="{anchor}"' in content


class TestSignIn:
    def test_signs_in_and_out(self, pilot: Pilot) -> None:
        client = Client()

        assert client.post("/sign-in/", {"username": "ada", "password": PASSWORD})["Location"] == "/"
        assert client.get("/").status_code == 200
        assert client.post("/sign-out/")["Location"] == "/sign-in/"
        assert client.get("/").status_code == 302

    def test_says_what_was_wrong(self, pilot: Pilot) -> None:
        content = Client().post("/sign-in/", {"username": "ada", "password": "wrong"}).content.decode()

        assert "Please enter a correct username and password" in content

    def test_goes_nowhere_else(self, pilot: Pilot) -> None:
        data = {"username": "ada", "password": PASSWORD, "next": "https://evil.example/"}

        assert Client().post("/sign-in/", data)["Location"] == "/"


class TestProfile:
    def test_keeps_a_time_zone(self, pilot: Pilot) -> None:
        client = signed_in(pilot.author)

        client.post("/profile/", {"time_zone": "America/New_York"})

        assert "America/New_York" in client.get("/profile/").content.decode()
        pilot.author.refresh_from_db()
        assert pilot.author.time_zone == "America/New_York"

    def test_refuses_what_is_none(self, pilot: Pilot) -> None:
        assert signed_in(pilot.author).post("/profile/", {"time_zone": "Nowhere/Land"}).status_code == 400


class TestErrors:
    def test_are_told_in_the_shell(self, pilot: Pilot) -> None:
        response = signed_in(pilot.author).get("/nowhere/")

        assert response.status_code == 404
        assert 'class="tn-top"' in response.content.decode()

    def test_tell_nothing_of_a_defect(self, pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(**_: object) -> None:
            raise ZeroDivisionError("a secret")

        monkeypatch.setattr(inbox, "work", fail)
        client = signed_in(pilot.author)
        client.raise_request_exception = False

        response = client.get("/")

        assert response.status_code == 500
        assert "Something broke" in response.content.decode()
        assert "secret" not in response.content.decode()


def longer_trial(pilot: Pilot) -> Draft:
    ends_at = given.NOW + timedelta(days=40)
    return Draft("entitlement.extend", {"ends_at": ends_at.isoformat()}, target_id=pilot.trial.id)
