"""
The part of the registry that a set of items touches, as rows: as it stands, and as the items would leave it.

Loaded in a constant number of queries, whatever the number of items.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from approvals.governed import PreparedItem
from approvals.records.models import GovernedModel
from approvals.records.rows import row_of
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.models import SKU, Feature, Product, Release, SKURevision
from entitlements.directory.models import Account, AccountClosure, Person
from entitlements.grants.models import Activation, Entitlement, Seat

Row = Mapping[str, Any]
Rows = dict[str, Row]


@dataclass
class Registry:
    """
    Rows by id (text), of every concept that plans look at.

    `above` holds for each account the ids of itself and its ancestors; `holders` for each entitlement the people who
    hold a seat; `people` the people's rows (account_id, country); `activations` only those that do not serve everybody.
    """

    entitlements: Rows = field(default_factory=dict)
    order_lines: Rows = field(default_factory=dict)
    agreements: Rows = field(default_factory=dict)
    revisions: Rows = field(default_factory=dict)
    skus: Rows = field(default_factory=dict)
    accounts: Rows = field(default_factory=dict)
    products: Rows = field(default_factory=dict)
    features: Rows = field(default_factory=dict)
    releases: Rows = field(default_factory=dict)
    above: dict[str, frozenset[str]] = field(default_factory=dict)
    holders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    people: Rows = field(default_factory=dict)
    activations: Rows = field(default_factory=dict)
    devices_held: dict[str, int] = field(default_factory=dict)

    def product_of(self, entitlement: Row) -> str:
        """The product of an entitlement, by way of its SKU."""
        return str(self.skus[entitlement["sku_id"]]["product_id"])

    def features_of(self, product_id: str) -> dict[str, Row]:
        """A product's features by code, retired ones left out."""
        return {
            row["code"]: row
            for row in self.features.values()
            if row["product_id"] == product_id and row["retired_at"] is None
        }


_TABLES: Mapping[str, str] = {
    Entitlement._meta.db_table: "entitlements",
    OrderLine._meta.db_table: "order_lines",
    Agreement._meta.db_table: "agreements",
    SKURevision._meta.db_table: "revisions",
    SKU._meta.db_table: "skus",
    Account._meta.db_table: "accounts",
    Product._meta.db_table: "products",
    Feature._meta.db_table: "features",
    Release._meta.db_table: "releases",
}


def touched(items: Sequence[PreparedItem]) -> Registry:
    """The registry as it stands, as far as these items touch it."""
    registry = Registry()
    found = _touched_entitlements(items)
    registry.entitlements = rows_of(Entitlement, found)
    rows = [*registry.entitlements.values(), *_pending(items, Entitlement)]
    _load(registry, "order_lines", OrderLine, _ids(rows, "order_line_id") | _item_ids(items, OrderLine))
    registry.order_lines |= rows_of(OrderLine, OrderLine.objects.filter(agreement_id__in=_item_ids(items, Agreement)))
    lines = [*registry.order_lines.values(), *_pending(items, OrderLine)]
    _load(registry, "agreements", Agreement, _ids(lines, "agreement_id") | _item_ids(items, Agreement))
    _load(registry, "revisions", SKURevision, _ids(rows, "sku_revision_id") | _ids(lines, "sku_revision_id"))
    revisions = [*registry.revisions.values(), *_pending(items, SKURevision)]
    _load(registry, "skus", SKU, _ids(rows, "sku_id") | _ids(revisions, "sku_id"))
    skus = [*registry.skus.values(), *_pending(items, SKU)]
    products = _ids(skus, "product_id") | {str(key) for item in items for key in item.scope.product_ids}
    _load(registry, "products", Product, products)
    registry.features = rows_of(Feature, Feature.objects.filter(product_id__in=products))
    _load_directory(registry, items, rows)
    return registry


def overlaid(before: Registry, items: Sequence[PreparedItem]) -> Registry:
    """The registry as the items would leave it; seats held and released by them are counted in."""
    after = Registry(**{name: _copied(value) for name, value in vars(before).items()})
    for item in items:
        name = _TABLES.get(item.table)
        if name is not None and item.after is not None:
            getattr(after, name)[str(item.record_id)] = item.after
        if item.table == Account._meta.db_table and item.after is not None:
            _move_account(after, item.after)
    for item in items:
        if item.table != Entitlement._meta.db_table or item.after is None:
            continue
        released = set(item.effects.get("release", ()))
        kept = [person for person in after.holders.get(str(item.record_id), ()) if person not in released]
        after.holders[str(item.record_id)] = tuple(dict.fromkeys([*kept, *item.effects.get("hold", ())]))
        for person in item.effects.get("register", ()):
            after.people[person["person_id"]] = {
                "account_id": item.after["account_id"],
                "country": person.get("country", ""),
            }
    return after


def _copied(value: Any) -> Any:
    return dict(value)


def _touched_entitlements(items: Sequence[PreparedItem]) -> "models.QuerySet[Entitlement]":
    """Entitlements of the accounts (with those above and below) and products that entitlement items touch, and those
    under changed order lines and agreements."""
    accounts = {row["account_id"] for row in _pending(items, Entitlement)}
    related = AccountClosure.objects.filter(
        models.Q(ancestor_id__in=accounts) | models.Q(descendant_id__in=accounts)
    ).values_list("ancestor_id", "descendant_id")
    everyone = {str(key) for pair in related for key in pair} | accounts
    products = {
        str(key) for item in items if item.table == Entitlement._meta.db_table for key in item.scope.product_ids
    }
    return Entitlement.objects.filter(
        models.Q(account_id__in=everyone, sku__product_id__in=products)
        | models.Q(id__in=_item_ids(items, Entitlement))
        | models.Q(order_line_id__in=_item_ids(items, OrderLine) | _ids(_pending(items, Entitlement), "order_line_id"))
        | models.Q(order_line__agreement_id__in=_item_ids(items, Agreement))
        | models.Q(account_id__in=_moved_accounts(items))
        | models.Q(id__in=_ids(_pending(items, Entitlement), "replaces_id"))
    )


def _moved_accounts(items: Sequence[PreparedItem]) -> set[uuid.UUID]:
    moved = [
        item.record_id
        for item in items
        if item.table == Account._meta.db_table
        and item.before is not None
        and item.after is not None
        and item.before["parent_id"] != item.after["parent_id"]
    ]
    if not moved:
        return set()
    return set(AccountClosure.objects.filter(ancestor_id__in=moved).values_list("descendant_id", flat=True))


def _load_directory(registry: Registry, items: Sequence[PreparedItem], rows: Sequence[Row]) -> None:
    accounts = _ids(rows, "account_id") | {str(key) for item in items for key in item.scope.account_ids}
    above: dict[str, set[str]] = {}
    for ancestor, descendant in AccountClosure.objects.filter(
        models.Q(descendant_id__in=accounts) | models.Q(ancestor_id__in=accounts)
    ).values_list("ancestor_id", "descendant_id"):
        above.setdefault(str(descendant), set()).add(str(ancestor))
    registry.above = {key: frozenset(value) for key, value in above.items()}
    _load(registry, "accounts", Account, accounts.union(above, *above.values()))
    seats = Seat.objects.held().filter(entitlement_id__in=list(registry.entitlements))
    holders: dict[str, list[str]] = {}
    by_person = seats.filter(person__isnull=False).order_by("taken_at", "id")
    for entitlement_id, person_id in by_person.values_list("entitlement_id", "person_id"):
        holders.setdefault(str(entitlement_id), []).append(str(person_id))
    for entitlement_id in seats.filter(person__isnull=True).values_list("entitlement_id", flat=True):
        registry.devices_held[str(entitlement_id)] = registry.devices_held.get(str(entitlement_id), 0) + 1
    registry.holders = {key: tuple(value) for key, value in holders.items()}
    named = {person for people in registry.holders.values() for person in people}
    named |= {person for item in items for person in item.effects.get("hold", ())}
    registry.people = {
        str(row["id"]): {"account_id": str(row["account_id"]), "country": row["country"]}
        for row in Person.objects.filter(id__in=named).values("id", "account_id", "country")
    }
    registry.activations = {
        str(row.entitlement_id): {
            "countries": row.countries,
            "accounts": None if row.accounts is None else [str(key) for key in row.accounts],
            "people": None if row.people is None else [str(key) for key in row.people],
        }
        for row in Activation.objects.filter(entitlement_id__in=list(registry.entitlements)).exclude(
            countries=None, accounts=None, people=None
        )
    }


def _move_account(registry: Registry, row: Row) -> None:
    """Keep `above` true for an account that an item adds or moves, and for those below it."""
    account_id, parent_id = str(row["id"]), row["parent_id"]
    upper = frozenset({parent_id}) | registry.above.get(parent_id, frozenset()) if parent_id else frozenset()
    former = registry.above.get(account_id, frozenset()) - {account_id}
    registry.above[account_id] = frozenset({account_id}) | upper
    for key, above in list(registry.above.items()):
        if account_id in above and key != account_id:
            registry.above[key] = (above - former) | upper


def _pending(items: Iterable[PreparedItem], model: type[GovernedModel]) -> list[Row]:
    return [item.after for item in items if item.table == model._meta.db_table and item.after is not None]


def _item_ids(items: Iterable[PreparedItem], model: type[GovernedModel]) -> set[str]:
    return {str(item.record_id) for item in items if item.table == model._meta.db_table}


def _ids(rows: Iterable[Row], column: str) -> set[str]:
    return {str(row[column]) for row in rows if row[column] is not None}


def _load(registry: Registry, name: str, model: type[GovernedModel], ids: Iterable[str]) -> None:
    getattr(registry, name).update(rows_of(model, model._default_manager.filter(id__in=set(ids))))


def rows_of(model: type[GovernedModel], found: "models.QuerySet[Any]") -> Rows:
    """Records as rows, by id."""
    return {str(instance.pk): row_of(instance) for instance in found}
