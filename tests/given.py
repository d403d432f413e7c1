"""
Registry data for tests, written through the same governed path as everything else.

Each function returns the stored record. Defaults make the smallest sensible one; keywords override payload fields.
"""

import itertools
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission
from guardian.shortcuts import assign_perm

from approvals.bootstrap import bootstrap
from approvals.governed import Draft, kind
from approvals.requests.revisions import Rationale
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.models import SKU, Feature, Product, RegionGroup, SKURevision
from entitlements.directory.models import Account, Deployment, Person
from entitlements.directory.services import Details, NewPerson, register_people, stage_details
from entitlements.grants.models import Entitlement
from foundation.identity.models import User

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
_number = itertools.count(1)

RATIONALE = Rationale(
    justification="The pilot succeeded and the team needs it in production.",
    impact="The people of the pilot keep their access.",
    acceptance_criteria=("Everybody of the pilot can sign in the day after.",),
    rollback="Extend the trial; the order can be canceled within 14 days.",
)


def record(kind_name: str, *, now: datetime = NOW, target_id: uuid.UUID | None = None, **payload: Any) -> Any:
    """Write one record by a bootstrap and return it."""
    request = bootstrap(
        reason=f"Test data: {kind_name}", drafts=[Draft(kind=kind_name, payload=payload, target_id=target_id)], now=now
    )
    item = request.current_revision.items.get()
    return kind(kind_name).model.objects.get(id=item.record_id)


def product(**payload: Any) -> Product:
    """A product."""
    code = payload.pop("code", f"product-{next(_number)}")
    return record("product.create", **({"code": code, "name": code.title()} | payload))


def feature(of: Product, code: str = "export", **payload: Any) -> Feature:
    """A feature of a product."""
    return record("feature.create", **({"product_id": of.id, "code": code, "name": code.title()} | payload))


def sku(of: Product, **payload: Any) -> SKU:
    """A SKU of a product."""
    code = payload.pop("code", f"SKU-{next(_number)}")
    return record("sku.create", **({"product_id": of.id, "code": code, "name": code} | payload))


def sku_revision(of: SKU, **payload: Any) -> SKURevision:
    """The next revision of a SKU's terms: named users, 1 seat or more, Germany and the US, everywhere it may run."""
    terms = {
        "sku_id": of.id,
        "countries": ["DE", "US"],
        "environments": ["trial", "staging", "production"],
        "support_level": "business_hours",
    }
    return record("skurevision.create", **(terms | payload))


def region_group(code: str, countries: Sequence[str]) -> RegionGroup:
    """A region group."""
    return record("regiongroup.create", code=code, name=code, countries=list(countries))


def account(**payload: Any) -> Account:
    """An account."""
    code = payload.pop("code", f"account-{next(_number)}")
    return record("account.create", **({"code": code, "name": code.title()} | payload))


def deployment(of: Account, product: Product, environment: str = "production", **payload: Any) -> Deployment:
    """A deployment of a product by an account."""
    terms = {"account_id": of.id, "product_id": product.id, "name": f"d-{next(_number)}", "environment": environment}
    return record("deployment.create", **(terms | payload))


def agreement(licensee: Account, **payload: Any) -> Agreement:
    """An agreement in force from a year before NOW, without a fixed end."""
    terms = {
        "reference": f"AGR-{next(_number)}",
        "title": "Master agreement",
        "side": "licensee",
        "licensor": "Licensor Inc",
        "licensee_id": licensee.id,
        "starts_at": (NOW - timedelta(days=365)).isoformat(),
        "renewal": "evergreen",
    }
    return record("agreement.create", **(terms | payload))


def order_line(of: Agreement, revision: SKURevision, quantity: int | None = 1000, **payload: Any) -> OrderLine:
    """An order line from a year before NOW, open-ended, at 100 euros a seat and year."""
    starts_at = payload.pop("starts_at", (NOW - timedelta(days=365)).isoformat())
    ends_at = payload.pop("ends_at", None)
    terms = {
        "agreement_id": of.id,
        "reference": f"OL-{next(_number)}",
        "sku_revision_id": revision.id,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "periods": [{"starts_at": starts_at, "ends_at": ends_at, "quantity": quantity, "unit_price": "100"}],
        "currency": "EUR",
    }
    return record("orderline.create", **(terms | payload))


def ordered(quantity: int | None = 1000, *, licensee: Account | None = None, of: SKU | None = None) -> OrderLine:
    """An order line with everything beneath it."""
    revision = sku_revision(of or sku(product()))
    return order_line(agreement(licensee or account()), revision, quantity)


def entitlement(under: OrderLine | None = None, **payload: Any) -> Entitlement:
    """An entitlement of the licensee from a month before NOW for a year: production, 10 seats, Germany and the US."""
    line = under or ordered()
    terms = {
        "reference": f"ENT-{next(_number)}",
        "account_id": line.agreement.licensee_id,
        "order_line_id": line.id,
        "phase": "production",
        "seats": 10,
        "regions": ["DE", "US"],
        "starts_at": (NOW - timedelta(days=30)).isoformat(),
        "ends_at": (NOW + timedelta(days=335)).isoformat(),
    }
    return record("entitlement.grant", **(terms | payload))


def people(count: int, *, of: Account, now: datetime = NOW) -> list[Person]:
    """Registered people with names and mails."""
    new = [NewPerson(uuid.uuid4(), of.id, uuid.uuid4()) for _ in range(count)]
    rows = register_people(people=new, actor=None, now=now)
    stage_details(
        details=[
            Details(row.id, f"Person {number}", f"person{number}@example.com") for number, row in enumerate(rows, 1)
        ],
        now=now,
    )
    return rows


def user(*roles: str, everywhere: bool = True, **fields: Any) -> User:
    """A login with roles; granted all accounts and products unless told otherwise."""
    name = fields.pop("username", f"user-{next(_number)}")
    row = User.objects.create_user(username=name, password=fields.pop("password", "correct horse battery"), **fields)
    row.groups.set(Group.objects.filter(name__in=roles))
    if everywhere:
        row.user_permissions.set(Permission.objects.filter(codename__in=["all_accounts", "all_products"]))
    return User.objects.get(id=row.id)


def grant_access(to: User, *targets: Account | Product) -> None:
    """Object grants on accounts (and so their descendants) and products."""
    for target in targets:
        assign_perm("access_account" if isinstance(target, Account) else "access_product", to, target)
