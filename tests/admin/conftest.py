"""Fixtures of the admin's tests: a registry with one record of each sort, and people who look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from approvals import governed
from approvals.policies.models import Policy
from entitlements.grants.services import take_seat
from foundation import clock
from foundation.identity.models import User
from tests import browser, given
from tests.browser import Tab


@dataclass(frozen=True)
class Registry:
    """One record of each governed model, by the model's name."""

    records: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.records[name]

    def login(self) -> User:
        """Return a login that is not the reader's own, with grants."""
        login = given.user("licensing", username="lena", everywhere=False, is_staff=True)
        given.grant_access(login, self["account"], self["product"])
        return login

    def of(self, model: type[Any]) -> Any:
        """Return the model's record, as it is stored."""
        return model._default_manager.get(pk=self.records[model._meta.model_name].pk)


@pytest.fixture
def registry(db: None) -> Registry:
    """Have one record of each sort."""
    product = given.product(code="cad", name="CAD suite")
    given.feature(product, "export")
    sku = given.sku(product, code="CAD-PRO")
    revision = given.sku_revision(sku, features={"export": True}, list_price="100", currency="EUR")
    account = given.account(code="acme", name="Acme")
    line = given.order_line(given.agreement(account, documents=[{"name": "Contract"}]), revision)
    entitlement = given.entitlement(line, reference="ENT-CAD")
    person = given.people(1, of=account)[0]
    take_seat(entitlement_id=entitlement.id, person_id=person.id, actor=None, now=given.NOW)
    given.record("release.create", product_id=product.id, version_name="1.0", released_on="2026-01-01")
    given.deployment(account, product)
    given.region_group("NORDICS", ["DK", "SE"])
    if not Policy.objects.exists():
        given.record("policy.create", name="Everything", stages=[{"position": 1, "role": "licensing", "quorum": 1}])
    # Over, so that it stops nothing.
    over = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-02-01T00:00:00Z"}
    given.record("freeze.create", name="Audit", reason="An audit.", account_ids=[str(account.id)], **over)
    given.record("accounting_period.close", label="2020-01", **over)
    for role in ("licensing", "licensing", "legal"):
        given.user(role)  # A policy that too few people could satisfy is refused.
    given.record(
        "authority_limit.create",
        person=given.user("finance").username,
        role="finance",
        seats=40,
        starts_at=given.NOW.isoformat(),
    )
    given.record(
        "standard_template.create",
        name="A few more seats",
        kinds=["entitlement.amend"],
        conditions=[{"field": "seats_after", "operator": "at_most", "value": 20}],
        proposer_roles=["requester"],
        expires_at=later(365).isoformat(),
    )
    return Registry(
        {model._meta.model_name: model._default_manager.first() for model in governed.governed_models()}
        | {"entitlement": entitlement, "skurevision": revision}
    )


@pytest.fixture
def superuser(db: None) -> User:
    """Have somebody whom Django asks nothing."""
    return given.user("administrator", username="root", is_staff=True, is_superuser=True)


@pytest.fixture
def signed_in(client: Client, superuser: User) -> Client:
    """Have that person signed in."""
    client.force_login(superuser)
    return client


@pytest.fixture
def administrator(db: None) -> User:
    """Have an administrator of staff who is granted everything."""
    return given.user("administrator", username="ada", is_staff=True)


@pytest.fixture(autouse=True)
def _fixed_clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(clock, "now", lambda: given.NOW)
    # Nothing is collected in tests; files are found where they are written.
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def tab(
    chromium: str,
    loopback: None,
    transactional_db: None,
    live_server: object,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Tab]:
    """Have a tab of a real browser on a running server."""
    # Playwright runs an event loop in this thread; the ORM is used beside it, never within.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with browser.opened(chromium=chromium, address=str(live_server)) as opened:
        yield opened


def governed_admins() -> list[Any]:
    """Return every admin registered for a governed model."""
    models = governed.governed_models()
    return [own for model, own in admin.site._registry.items() if model in models]


def later(days: int) -> Any:
    """Return an instant after the tests' own."""
    return given.NOW + timedelta(days=days)
