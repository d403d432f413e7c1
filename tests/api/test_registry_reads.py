"""Lists and details of the registry: what is granted, in one query."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from entitlements.directory.models import Person
from entitlements.grants.models import Entitlement, Seat
from entitlements.grants.services import take_seat
from tests import given
from tests.api.conftest import Sender, client_of

pytestmark = pytest.mark.django_db


def world() -> dict[str, Any]:
    """One record of each sort, of one account and one product."""
    product = given.product()
    feature = given.feature(product)
    release = given.record("release.create", product_id=product.id, version_name="1.0", released_on="2026-01-01")
    sku = given.sku(product)
    revision = given.sku_revision(sku, features={"export": True})
    account = given.account()
    deployment = given.deployment(account, product)
    agreement = given.agreement(account)
    line = given.order_line(agreement, revision)
    entitlement = given.entitlement(line)
    (person,) = given.people(1, of=account)
    seat = take_seat(entitlement_id=entitlement.id, actor=None, now=given.NOW, person_id=person.id)
    return {
        "products": product,
        "features": feature,
        "releases": release,
        "skus": sku,
        "sku-revisions": revision,
        "accounts": account,
        "deployments": deployment,
        "agreements": agreement,
        "order-lines": line,
        "entitlements": entitlement,
        "people": person,
        "seats": seat,
    }


RESOURCES = (
    "products",
    "features",
    "releases",
    "skus",
    "sku-revisions",
    "accounts",
    "deployments",
    "agreements",
    "order-lines",
    "entitlements",
    "people",
    "seats",
)


def ids(client: APIClient, resource: str) -> set[str]:
    answer = client.get(f"/api/v1/{resource}")
    assert answer.status_code == 200, answer.content
    return {row["id"] for row in answer.json()["results"]}


class TestVisibility:
    @pytest.mark.parametrize("resource", RESOURCES)
    def test_is_the_same_in_list_and_detail(self, resource: str) -> None:
        ours, theirs = world(), world()
        user = given.user("requester", everywhere=False)
        given.grant_access(user, ours["accounts"], ours["products"])
        client = client_of(user)

        assert ids(client, resource) == {str(ours[resource].id)}
        assert client.get(f"/api/v1/{resource}/{ours[resource].id}").status_code == 200
        hidden = client.get(f"/api/v1/{resource}/{theirs[resource].id}")
        missing = client.get(f"/api/v1/{resource}/{uuid.uuid4()}")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json()["detail"] == missing.json()["detail"]

    @pytest.mark.parametrize("resource", ["deployments", "order-lines", "entitlements", "seats"])
    def test_needs_the_account_and_the_product(self, resource: str) -> None:
        ours = world()
        for granted in ("accounts", "products"):
            user = given.user("requester", everywhere=False)
            given.grant_access(user, ours[granted])
            assert ids(client_of(user), resource) == set()

    def test_of_an_agreement_needs_every_account_that_it_covers(self) -> None:
        licensee, covered = given.account(), given.account()
        agreement = given.agreement(licensee, covered_accounts=[str(covered.id)])
        user = given.user("legal", everywhere=False)
        given.grant_access(user, licensee)
        assert ids(client_of(user), "agreements") == set()

        given.grant_access(user, covered)
        assert ids(client_of(user), "agreements") == {str(agreement.id)}

    def test_covers_descendants_of_an_account_granted(self) -> None:
        parent = given.account()
        child = given.account(parent_id=str(parent.id))
        user = given.user("requester", everywhere=False)
        given.grant_access(user, parent)

        assert ids(client_of(user), "accounts") == {str(parent.id), str(child.id)}

    def test_of_people_tells_no_names(self, sender: Sender) -> None:
        person = world()["people"]

        assert set(sender("licensing").get(f"/api/v1/people/{person.id}").json()) == {
            "id",
            "account_id",
            "country",
            "registered_at",
            "left_at",
        }


class TestQueries:
    @pytest.mark.parametrize("resource", [*RESOURCES, "region-groups", "policies", "change-requests"])
    @pytest.mark.parametrize("everywhere", [True, False])
    def test_are_as_many_for_one_row_as_for_many(self, resource: str, everywhere: bool) -> None:
        first = world()
        given.region_group("ONE", ["DE"])
        user = given.user("licensing", everywhere=everywhere)
        given.grant_access(user, first["accounts"], first["products"])
        client = client_of(user)
        # The first request of an hour notes that the token is used.
        client.get("/api/v1/kinds")
        few = self.count(client, resource)
        for number in range(3):
            more = world()
            given.region_group(f"R{number}", ["DE"])
            given.grant_access(user, more["accounts"], more["products"])

        assert self.count(client, resource) == few
        # The token and its user's others, the permissions of the user and of groups, then the list: one query. That
        # prices were read is one more.
        assert few <= 5 + (resource in ("agreements", "order-lines"))

    def count(self, client: APIClient, resource: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(f"/api/v1/{resource}").status_code == 200
        return len(captured)


class TestFilters:
    def test_select_entitlements(self, sender: Sender) -> None:
        ours, theirs = world()["entitlements"], world()["entitlements"]
        client = sender("licensing")

        assert ids(client, f"entitlements?account_id={ours.account_id}") == {str(ours.id)}
        assert ids(client, f"entitlements?product_id={theirs.sku.product_id}") == {str(theirs.id)}
        assert ids(client, "entitlements?in_force_at=2030-01-01T00:00:00Z") == set()
        assert ids(client, "entitlements?country=fr") == set()
        assert len(ids(client, "entitlements?country=de&phase=production&retired=false")) == 2

    @pytest.mark.parametrize(
        "query", ["account_id=x", "phase=x", "in_force_at=x", "reference=%00", "limit=0", "cursor=x"]
    )
    def test_refuse_what_cannot_be_compared(self, sender: Sender, query: str) -> None:
        answer = sender("licensing").get(f"/api/v1/entitlements?{query}")

        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"]


class TestDetail:
    def test_tells_the_version_and_spares_who_has_it(self, sender: Sender) -> None:
        entitlement, client = world()["entitlements"], sender("licensing")
        answer = client.get(f"/api/v1/entitlements/{entitlement.id}")

        assert answer["ETag"] == '"1"'
        assert answer.json()["seats_used"] == 1
        again = client.get(f"/api/v1/entitlements/{entitlement.id}", HTTP_IF_NONE_MATCH='"1"')
        assert (again.status_code, again.content) == (304, b"")


class TestSeats:
    def test_are_given_and_taken_back(self, sender: Sender) -> None:
        ours, client = world(), sender("requester")
        entitlement: Entitlement = ours["entitlements"]
        (person,) = given.people(1, of=ours["accounts"])
        address = f"/api/v1/entitlements/{entitlement.id}/seats"

        answer = client.post(address, {"person_id": str(person.id)})
        assert answer.status_code == 201, answer.content
        assert Seat.objects.held().filter(person=person).exists()
        assert client.post(address, {"person_id": str(person.id)}).json()["code"] == "seat_already_held"
        assert client.delete(f"{address}/{answer.json()['id']}").status_code == 204
        assert client.delete(f"{address}/{answer.json()['id']}").json()["code"] == "seat_not_held"
        assert not Seat.objects.held().filter(person=person).exists()

    def test_go_to_devices_too(self, sender: Sender) -> None:
        entitlement = world()["entitlements"]

        answer = sender("requester").post(f"/api/v1/entitlements/{entitlement.id}/seats", {"device": "press-7"})

        assert (answer.status_code, answer.json()["device"]) == (201, "press-7")

    @pytest.mark.parametrize("body", [{}, {"person_id": str(uuid.uuid4()), "device": "x"}, {"device": ""}, []])
    def test_have_one_holder(self, sender: Sender, body: Any) -> None:
        entitlement = world()["entitlements"]

        assert sender("requester").post(f"/api/v1/entitlements/{entitlement.id}/seats", body).status_code == 400

    def test_are_not_for_people_of_accounts_that_are_hidden(self) -> None:
        ours, theirs = world(), world()
        user = given.user("requester", everywhere=False)
        given.grant_access(user, ours["accounts"], ours["products"])
        stranger: Person = theirs["people"]
        client = client_of(user)

        refused = client.post(f"/api/v1/entitlements/{ours['entitlements'].id}/seats", {"person_id": str(stranger.id)})
        hidden = client.post(f"/api/v1/entitlements/{theirs['entitlements'].id}/seats", {"device": "x"})
        assert refused.status_code == hidden.status_code == 404
        assert Seat.objects.filter(entitlement=ours["entitlements"]).count() == 1

    def test_are_not_given_by_auditors(self, sender: Sender) -> None:
        entitlement = world()["entitlements"]

        answer = sender("auditor").post(f"/api/v1/entitlements/{entitlement.id}/seats", {"device": "x"})

        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")

    def test_run_out(self, sender: Sender) -> None:
        client, entitlement = sender("requester"), given.entitlement(seats=1)
        address = f"/api/v1/entitlements/{entitlement.id}/seats"

        assert client.post(address, {"device": "a"}).status_code == 201
        assert client.post(address, {"device": "b"}).json()["code"] == "no_seat_free"
