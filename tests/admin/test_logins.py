"""Logins, roles and grants: edited in the admin, each save with its events."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from audit.models import Event
from entitlements.directory import grants
from entitlements.directory.access import visible_accounts, visible_products
from entitlements.directory.models import Account
from foundation.errors import NotFound
from foundation.identity.models import User
from tests import given
from tests.admin.pages import errors_of, form_of

pytestmark = pytest.mark.django_db


def saved(client: Client, login: User, **changes: Any) -> None:
    """Save a login's page with some fields changed."""
    page = reverse("admin:foundation_user_change", args=[login.pk])
    response = client.post(page, form_of(client.get(page)) | changes)
    assert response.status_code == 302, list(errors_of(response))


def told(event_type: str) -> list[Event]:
    """Return the events of a type."""
    return list(Event.objects.filter(type=event_type))


class TestGrants:
    def test_are_given_and_taken_back_with_their_events(self, signed_in: Client, superuser: User) -> None:
        login, account, product = given.user("licensing", everywhere=False), given.account(), given.product()
        saved(signed_in, login, accounts=[str(account.pk)], products=[str(product.pk)])
        assert list(visible_accounts(login)) == [account]
        assert list(visible_products(login)) == [product]
        granted = told("entitlements.access.granted")
        assert {event.subject_id for event in granted} == {account.pk, product.pk}
        assert {event.actor_id for event in granted} == {superuser.pk}
        saved(signed_in, login, accounts=[])
        assert not visible_accounts(login).exists()
        assert [event.subject_id for event in told("entitlements.access.revoked")] == [account.pk]

    def test_of_everything_are_given(self, signed_in: Client) -> None:
        login = given.user("licensing", everywhere=False)
        account = given.account()
        saved(signed_in, login, all_accounts="on")
        assert list(visible_accounts(User.objects.get(pk=login.pk))) == [account]
        assert "all accounts: yes" in told("entitlements.login.changed")[0].data["fields"]

    def test_of_roles_are_given(self, signed_in: Client) -> None:
        account, role = given.account(), Group.objects.get(name="finance")
        login = given.user("finance", everywhere=False)
        page = reverse("admin:auth_group_change", args=[role.pk])
        assert signed_in.post(page, form_of(signed_in.get(page)) | {"accounts": [str(account.pk)]}).status_code == 302
        assert list(visible_accounts(login)) == [account]
        assert told("entitlements.access.granted")[0].data["holder"] == "role finance"

    def test_refuse_what_does_not_exist(self, superuser: User) -> None:
        with pytest.raises(NotFound):
            grants.grant_access(holder=superuser, target=Account, ids=[superuser.pk], actor=superuser, now=given.NOW)

    def test_leave_what_is_granted_already(self, superuser: User) -> None:
        account = given.account()
        for _ in range(2):
            grants.grant_access(holder=superuser, target=Account, ids=[account.pk], actor=superuser, now=given.NOW)
        assert len(told("entitlements.access.granted")) == 1

    def test_change_nothing_if_the_event_cannot_be_recorded(
        self, superuser: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(**_: object) -> None:
            raise RuntimeError("The ledger is full.")

        account = given.account()
        monkeypatch.setattr(grants, "record_all", refuse)
        with pytest.raises(RuntimeError):
            grants.grant_access(holder=superuser, target=Account, ids=[account.pk], actor=superuser, now=given.NOW)
        assert not grants.granted_ids(holder=superuser, target=Account)


class TestLogins:
    def test_are_changed_with_an_event_that_names_nobody(self, signed_in: Client) -> None:
        login = given.user("licensing")
        saved(signed_in, login, first_name="Ada", last_name="Lovelace", groups=[])
        event = told("entitlements.login.changed")[0]
        assert "roles now none" in event.data["fields"]
        assert b"Lovelace" not in bytes(event.content)

    def test_are_added_with_an_event(self, signed_in: Client) -> None:
        password = "correct horse battery staple"
        sent = {"username": "grace", "usable_password": "true", "password1": password, "password2": password}
        assert signed_in.post(reverse("admin:foundation_user_add"), sent).status_code == 302
        assert told("entitlements.login.added")[0].subject_id == User.objects.get(username="grace").pk

    def test_get_another_password_with_an_event(self, signed_in: Client) -> None:
        login, password = given.user("licensing"), "correct horse battery staple"
        page = reverse("admin:auth_user_password_change", args=[login.pk])
        sent = {"usable_password": "true", "password1": password, "password2": password, "set-password": "1"}
        assert signed_in.post(page, sent).status_code == 302
        assert "password" in told("entitlements.login.changed")[0].data["fields"]

    def test_are_not_deleted(self, signed_in: Client) -> None:
        login = given.user("licensing")
        page = reverse("admin:foundation_user_delete", args=[login.pk])
        assert signed_in.post(page, {"post": "yes"}).status_code == 403
        assert User.objects.filter(pk=login.pk).exists()

    def test_do_not_edit_their_own_rights(self, signed_in: Client, superuser: User) -> None:
        saved(signed_in, superuser, groups=[], all_accounts="", is_superuser="", human_id=str(given.user().human_id))
        again = User.objects.get(pk=superuser.pk)
        assert again.is_superuser
        assert again.human_id == superuser.human_id
        assert again.groups.exists()
        assert again.has_perm("entitlements.all_accounts")

    def test_of_superusers_are_changed_by_superusers_only(self, client: Client, superuser: User) -> None:
        clerk = given.user("administrator", is_staff=True)
        for codename in ("view_user", "change_user"):
            clerk.user_permissions.add(*_permissions(codename))
        client.force_login(User.objects.get(pk=clerk.pk))
        page = reverse("admin:foundation_user_change", args=[superuser.pk])
        assert client.post(page, {"username": "taken"}).status_code == 403
        password = reverse("admin:auth_user_password_change", args=[superuser.pk])
        assert client.post(password, {"password1": "x"}).status_code == 403
        other = given.user("requester", everywhere=False)
        saved(client, other, is_superuser="on", is_staff="on")
        assert not User.objects.get(pk=other.pk).is_superuser


def _permissions(codename: str) -> Any:
    return Group.permissions.rel.model.objects.filter(codename=codename)
