"""Pages show what is granted (INV-12), to those who have a role, at a constant number of queries."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Event
from entitlements.directory.models import Account
from entitlements.grants.models import Entitlement
from tests import given
from tests.admin.conftest import Registry, governed_admins


def url(model: type, page: str, *args: object) -> str:
    """Return the address of a model's page."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def stranger(client: Client, registry: Registry) -> Client:
    """Have somebody of staff with a role, who is granted another account and product."""
    user = given.user("licensing", everywhere=False, is_staff=True)
    given.grant_access(user, given.account(), given.product())
    client.force_login(user)
    return client


class TestWhatIsNotGranted:
    def test_is_on_no_page(self, stranger: Client, registry: Registry) -> None:
        for page in governed_admins():
            name = page.model._meta.model_name
            if name in {"policy", "regiongroup", "accountingperiod", "standardtemplate", "authoritylimit"}:
                continue
            record = registry[name]
            listed = stranger.get(url(page.model, "changelist"))
            assert str(record.pk) not in listed.content.decode(), name
            # Django leads back to the start with a message where a record is not found.
            assert stranger.get(url(page.model, "change", record.pk)).status_code == 302, name
            version = record.history.first()
            for path in (
                url(page.model, "history", record.pk),
                url(page.model, "simple_history", record.pk, version.pk),
                url(page.model, "retire", record.pk),
            ):
                assert stranger.get(path).status_code == 404, path
                assert stranger.post(path, {}).status_code in {403, 404}, path

    def test_is_not_found_by_typing(self, stranger: Client, registry: Registry) -> None:
        for field in ("account", "order_line", "sku_revision", "replaces"):
            asked = {"app_label": "entitlements", "model_name": "entitlement", "field_name": field, "term": ""}
            found = stranger.get(reverse("admin:autocomplete"), asked).json()["results"]
            hidden = {str(record.pk) for record in registry.records.values()}
            assert not hidden & {row["id"] for row in found}, field

    def test_is_not_in_the_ledger(self, client: Client, registry: Registry) -> None:
        user = given.user("administrator", everywhere=False, is_staff=True)
        client.force_login(user)
        shown = client.get(url(Event, "changelist")).content.decode()
        assert "ENT-CAD" not in shown

    def test_cannot_be_proposed(self, stranger: Client, registry: Registry) -> None:
        response = stranger.post(url(Entitlement, "change", registry["entitlement"].pk), {"seats": "1"})
        assert response.status_code == 403 or response.url == "/admin/"


class TestWhoever:
    def test_has_no_role_sees_nothing(self, client: Client, registry: Registry) -> None:
        client.force_login(given.user(is_staff=True))
        for model in admin.site._registry:
            assert client.get(url(model, "changelist")).status_code == 403, model

    def test_audits_reads_and_does_not_propose(self, client: Client, registry: Registry) -> None:
        client.force_login(given.user("auditor", is_staff=True))
        for page in governed_admins():
            record = registry[page.model._meta.model_name]
            shown = client.get(url(page.model, "change", record.pk))
            assert shown.status_code == 200
            assert b"Propose change" not in shown.content
            assert client.post(url(page.model, "change", record.pk), {}).status_code == 403
            assert client.get(url(page.model, "add")).status_code == 403

    def test_proposes_finds_an_owner_by_typing_and_sees_no_logins(self, client: Client, registry: Registry) -> None:
        client.force_login(given.user("licensing", is_staff=True))
        asked = {"app_label": "entitlements", "model_name": "entitlement", "field_name": "owner", "term": "user"}
        assert client.get(reverse("admin:autocomplete"), asked).json()["results"]
        assert client.get("/admin/foundation/user/").status_code == 403


class TestLists:
    def test_take_as_many_queries_for_25_rows_as_for_one(self, signed_in: Client, registry: Registry) -> None:
        page = url(Entitlement, "changelist")
        signed_in.get(page)
        one = queries(signed_in, page)
        agreement = given.agreement(registry["account"], covers_descendants=True)
        line = given.order_line(agreement, registry["skurevision"])
        for _ in range(24):
            given.entitlement(line, account_id=given.account(parent_id=registry["account"].pk).pk)
        assert queries(signed_in, page) == one
        assert Entitlement.objects.count() == 25

    def test_of_accounts_and_events_too(self, signed_in: Client, registry: Registry) -> None:
        for model, more in ((Account, given.account), (Event, given.account)):
            page = url(model, "changelist")
            signed_in.get(page)
            few = queries(signed_in, page)
            for _ in range(3):
                more()
            assert queries(signed_in, page) == few, model


def queries(client: Client, path: str) -> int:
    """Return how many queries a page takes."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response: Any = client.get(path)
    assert response.status_code == 200
    return len(captured)
