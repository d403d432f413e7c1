"""
The registry's rows as the values that the access check takes.

The one place where they are read: a constant number of queries for any number of questions, each over what the
questions name. Nothing is decided here.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from entitlements.catalog.models import Feature
from entitlements.checks.values import (
    Cohorts,
    Environment,
    FeatureLimit,
    Holding,
    LimitKind,
    Metric,
    Owner,
    Phase,
    Terms,
)
from entitlements.directory.models import AccountClosure
from entitlements.grants.models import Activation, Entitlement, Seat

# What ended longer ago, or begins later, explains no answer. No grace is longer (entitlements/grants/changes.py).
NEAR = timedelta(days=366)


@dataclass(frozen=True)
class Served:
    """Entitlements as values, and for each account asked about those that serve it."""

    terms: tuple[Terms, ...]
    holdings: tuple[Holding, ...]


def load(
    *,
    account_ids: Collection[uuid.UUID],
    product_ids: Collection[uuid.UUID],
    person_ids: Collection[uuid.UUID],
    device_ids: Collection[str],
    earliest: datetime,
    latest: datetime,
) -> Served:
    """
    Entitlements to the products that serve the accounts near the instants, and the subjects' seats of them.

    Four queries: ancestors, entitlements with what they stand under, features, seats.
    """
    if not account_ids or not product_ids:
        return Served((), ())
    ancestors = list(
        AccountClosure.objects.filter(descendant__in=account_ids).values_list("ancestor_id", "descendant_id")
    )
    rows = _entitlements({ancestor for ancestor, _ in ancestors}, product_ids, earliest, latest)
    kinds = {
        (product_id, code): LimitKind(kind)
        for product_id, code, kind in Feature.objects.filter(product__in=product_ids).values_list(
            "product_id", "code", "type"
        )
    }
    below: dict[uuid.UUID, set[uuid.UUID]] = {}
    for ancestor, descendant in ancestors:
        below.setdefault(ancestor, set()).add(descendant)
    terms = tuple(_terms(row, _served(row, below), kinds) for row in rows)
    return Served(terms, _holdings([row.id for row in rows], person_ids, device_ids))


def _entitlements(
    account_ids: Collection[uuid.UUID], product_ids: Collection[uuid.UUID], earliest: datetime, latest: datetime
) -> list[Entitlement]:
    return list(
        Entitlement.objects.filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=_shifted(earliest, -NEAR)),
            account__in=account_ids,
            sku__product__in=product_ids,
            starts_at__lt=_shifted(latest, NEAR),
        )
        .select_related("sku", "sku_revision", "order_line__agreement", "pool", "activation", "owner")
        .order_by("id")
    )


def _shifted(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at


def _served(row: Entitlement, below: Mapping[uuid.UUID, set[uuid.UUID]]) -> frozenset[uuid.UUID]:
    """Its own account and, where the agreement says so, the descendants among those asked about."""
    own = {row.account_id}
    return frozenset(own | below.get(row.account_id, set()) if row.order_line.agreement.covers_descendants else own)


def _terms(
    row: Entitlement, account_ids: frozenset[uuid.UUID], kinds: Mapping[tuple[uuid.UUID, str], LimitKind]
) -> Terms:
    product_id = row.sku.product_id
    revision = row.sku_revision
    limits: dict[str, Any] = {**revision.features, **row.feature_overrides}
    return Terms(
        entitlement_id=row.id,
        product_id=product_id,
        phase=Phase(row.phase),
        metric=Metric(revision.metric),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        account_ids=account_ids,
        environments=frozenset(map(Environment, row.environments)),
        countries=frozenset(row.countries),
        features={
            code: limit_of(kinds.get((product_id, code), LimitKind.SWITCH), value) for code, value in limits.items()
        },
        releases=None if revision.releases is None else frozenset(revision.releases),
        grace_seconds=row.grace_seconds,
        updates_until=row.updates_until,
        support_until=row.support_until,
        seats=row.seats,
        hard=row.enforcement == Entitlement.Enforcement.HARD,
        used_count=row.pool.used,
        activation=_cohorts(getattr(row, "activation", None)),
        replaces_id=row.replaces_id,
        owner=Owner(str(row.owner), row.owner_id) if row.owner else None,
        withdrawn=row.withdrawn_at is not None,
    )


def limit_of(kind: LimitKind, value: bool | int | None) -> FeatureLimit:
    """A limit as the registry stores it (true or false, a number, null for unlimited) as a value."""
    if isinstance(value, bool):
        return FeatureLimit(kind, enabled=value)
    if kind is LimitKind.SWITCH:
        return FeatureLimit(kind, enabled=value != 0)
    return FeatureLimit(kind, limit=value)


def _cohorts(activation: Activation | None) -> Cohorts | None:
    """Those whom a rollout has reached; None is everybody."""
    if activation is None:
        return None
    if activation.countries is None and activation.accounts is None and activation.people is None:
        return None
    return Cohorts(
        frozenset(activation.countries or ()), frozenset(activation.accounts or ()), frozenset(activation.people or ())
    )


def _holdings(
    entitlement_ids: Collection[uuid.UUID], person_ids: Collection[uuid.UUID], device_ids: Iterable[str]
) -> tuple[Holding, ...]:
    held = (
        Seat.objects.held()
        .filter(
            Q(person__in=person_ids) | Q(person__isnull=True, device__in=set(device_ids)),
            entitlement__in=entitlement_ids,
        )
        .order_by("id")
        .values_list("entitlement_id", "person_id", "device")
    )
    return tuple(
        Holding(entitlement_id=entitlement_id, person_id=person_id, device_id=device or None)
        for entitlement_id, person_id, device in held
    )
