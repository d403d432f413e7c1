"""The page of freezes, and what stands in the way on the page of a change and in the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from approvals.governed import Draft
from approvals.requests import review
from approvals.requests.models import ChangeRequest
from foundation import clock
from tests import given
from tests.approvals.test_freezes import freeze
from tests.portal.test_change_page import digest_of, signed_in
from tests.portal.world import Pilot

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

HOUR = timedelta(hours=1)


def page(client: Client, path: str = "/freezes/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def approved(pilot: Pilot) -> ChangeRequest:
    request = pilot.submitted(drafts=[Draft("entitlement.amend", {"notes": "Frozen"}, pilot.trial.id)])
    for reviewer in (pilot.first, pilot.second):
        review.approve(change_request_id=request.id, digest=digest_of(request), reviewer=reviewer, now=given.NOW)
    return request


class TestFreezes:
    def test_say_that_nothing_is_frozen(self, pilot: Pilot) -> None:
        assert "Nothing is frozen now, and no freeze is announced." in page(signed_in(pilot.author))

    def test_say_what_lasts_and_what_comes_in_the_readers_zone(self, pilot: Pilot) -> None:
        freeze()
        freeze(name="Holidays", starts_at=None, ends_at=None, holidays_of=["DE"], zone="Europe/Berlin")
        content = page(signed_in(pilot.author))

        assert "1 freeze lasts now" in content
        assert "2 Mar 2026, 10:00 CET" in content
        assert "Holidays: Good Friday, DE" in content
        assert "April 2026" in content
        assert "3 Apr 2026, 00:00 CEST" in content
        assert "each holiday lasts the day in Europe/Berlin" in content

    def test_name_no_account_or_product_that_is_not_granted(self, pilot: Pilot) -> None:
        hidden = given.account(name="Secret & Sons")
        freeze(account_ids=[str(hidden.id), str(pilot.account.id)])
        freeze(name="Audit", account_ids=[str(hidden.id)], product_ids=[str(given.product(name="Hush").id)])
        reader = given.user("licensing", everywhere=False)
        given.grant_access(reader, pilot.account)

        content = page(signed_in(reader))
        told = _client(reader).get("/api/v1/freezes").json()["results"]

        assert "Nordwind Reederei and accounts that are not granted to you, and of those below" in content
        assert "products that are not granted to you" in content
        assert "Secret" not in content
        assert "Hush" not in content
        assert {row["name"]: (row["account_ids"], row["product_ids"], row["others"]) for row in told} == {
            "Year end": ([str(pilot.account.id)], [], True),
            "Audit": ([], [], True),
        }
        assert str(hidden.id) not in page(_seen(given.user("auditor")))

    def test_ask_for_a_role_that_reads_changes(self, pilot: Pilot) -> None:
        assert signed_in(given.user()).get("/freezes/").status_code == 403
        assert Client().get("/freezes/").status_code == 302

    def test_are_listed_over_http_in_few_queries(self, pilot: Pilot, django_assert_max_num_queries: Any) -> None:
        for number in range(12):
            freeze(name=f"F{number}", account_ids=[str(pilot.account.id)])
        client = _client(given.user("auditor"))

        with django_assert_max_num_queries(12):
            rows = client.get("/api/v1/freezes").json()["results"]

        assert len(rows) == 12
        assert rows[0]["spans"] == [
            {"starts_at": "2026-03-02T09:00:00Z", "ends_at": "2026-03-02T13:00:00Z", "name": ""}
        ]


class TestChangePage:
    def test_says_what_stands_in_the_way_and_why_the_button_cannot_be_pressed(self, pilot: Pilot) -> None:
        request = approved(pilot)
        freeze()

        content = page(signed_in(given.user("it_operations")), f"/changes/{request.number}/")

        assert "In the way" in content
        assert "Stops application" in content
        assert "The freeze “Year end” lasts until 2 Mar 2026, 13:00 UTC" in content
        assert 'aria-describedby="why-apply"' in content

    def test_refuses_in_words(self, pilot: Pilot) -> None:
        request = approved(pilot)
        freeze()

        answer = signed_in(given.user("it_operations")).post(f"/changes/{request.number}/apply/")

        assert answer.status_code == 409
        assert "The freeze “Year end” lasts until" in answer.content.decode()

    def test_says_nothing_where_nothing_is_in_the_way(self, pilot: Pilot) -> None:
        assert "In the way" not in page(signed_in(pilot.author), f"/changes/{approved(pilot).number}/")


class TestApi:
    def test_tells_obstacles_of_a_request_and_why_it_is_not_applied(self, pilot: Pilot) -> None:
        request = approved(pilot)
        freeze()
        client = _client(given.user("it_operations"))

        told = client.get(f"/api/v1/change-requests/{request.id}").json()
        refused = client.post(f"/api/v1/change-requests/{request.id}/apply")

        (obstacle,) = told["obstacles"]
        assert (obstacle["title"], obstacle["stops"], obstacle["until"]) == (
            "Year end", ["application"], "2026-03-02T13:00:00Z",
        )  # fmt: skip
        why_not = {row["action"]: row["why_not"] for row in told["actions"]}
        assert why_not["apply"] == obstacle["sentence"]
        assert refused.status_code == 409
        assert (refused.json()["code"], refused.json()["until"]) == ("gate_closed", "2026-03-02T13:00:00+00:00")

    def test_tells_obstacles_of_a_plan_in_its_window(self, pilot: Pilot) -> None:
        freeze(since=2 * HOUR, until=4 * HOUR)
        item = {"kind": "entitlement.amend", "target_id": str(pilot.trial.id), "payload": {"notes": "Planned"}}
        window = {"opens_at": "2026-03-02T12:00:00Z", "closes_at": "2026-03-02T14:00:00Z", "zone": "UTC"}

        told = _client(pilot.author).post("/api/v1/plans", {"items": [item], "schedule": window}).json()

        assert [(row["title"], row["stops"]) for row in told["obstacles"]] == [("Year end", ["review"])]


def _client(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    assert clock.now() == given.NOW
    return client


def _seen(user: Any) -> Client:
    user.user_permissions.clear()
    return signed_in(user)
