"""What an account can use in the coming half year, and where somebody will go without."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from approvals.governed import Operation, PreparedItem, Scope
from approvals.records.rows import row_of
from entitlements.coverage.engine import cover
from entitlements.coverage.results import Coverage, Gap
from entitlements.directory.access import visible_accounts
from entitlements.directory.models import Account
from entitlements.grants.models import Entitlement
from entitlements.planning import capacity
from entitlements.planning.registry import Registry, touched
from entitlements.planning.timelines import ShownTimeline, timelines_of_now
from foundation.errors import NotFound
from foundation.identity.models import User
from foundation.web.instants import instant_text

HORIZON = timedelta(days=180)


@dataclass(frozen=True)
class Reading:
    """An account's coverage: a sentence, and a drawing for each place that differs."""

    account: Account
    lead: str
    has_gap: bool
    timelines: Sequence[ShownTimeline]
    entitlements: Sequence[Entitlement]
    starts_at: datetime
    ends_at: datetime


def read(*, code: str, user: User, now: datetime) -> Reading:
    """
    Coverage of an account for the coming 180 days, of the products granted to the user.

    :raises NotFound: if there is no such account, or it is not granted to the user
    """
    account = visible_accounts(user).filter(code=code).first()
    if account is None:
        raise NotFound("There is no such account, or it is not granted to you.")
    rows = list(
        Entitlement.objects.visible_to(user)
        .filter(account=account, withdrawn_at__isnull=True)
        .select_related("sku__product", "pool")
        .order_by("starts_at", "reference")
    )
    registry = touched([_as_it_stands(row) for row in rows])
    horizon = (now, now + HORIZON)
    found = cover(pools=capacity.pools(registry), needs=capacity.needs(registry, starts_at=now), horizon=horizon)
    gaps = [gap for gap in found.gaps if gap.place.account_id == account.id]
    return Reading(
        account=account,
        lead=_lead(account, gaps, rows),
        has_gap=bool(gaps),
        timelines=timelines_of_now(coverage=_of_account(found, account), labels=_labels(registry)),
        entitlements=[row for row in rows if row.ends_at is None or row.ends_at > now],
        starts_at=timezone.localtime(now),
        ends_at=horizon[1],
    )


def _lead(account: Account, gaps: Sequence[Gap], rows: Sequence[Entitlement]) -> str:
    if not rows:
        return f"{account} has no entitlement that you may see."
    if not gaps:
        return f"Nobody at {account} goes without in the coming 180 days."
    first = min(gaps, key=lambda gap: gap.starts_at)
    people = {person for gap in gaps for person in gap.people}
    count = max(len(people), max(gap.count for gap in gaps))
    return (
        f"{count:,} {'person' if count == 1 else 'people'} at {account} will go without, "
        f"the first from {instant_text(first.starts_at)}."
    )


def _as_it_stands(entitlement: Entitlement) -> PreparedItem:
    """An item that changes nothing, so that the planner's reader loads what the entitlement stands with."""
    row = row_of(entitlement)
    return PreparedItem(
        kind="entitlement.amend",
        table=Entitlement._meta.db_table,
        record_id=entitlement.id,
        operation=Operation.UPDATE,
        base_version=entitlement.version,
        before=row,
        after=row,
        label=entitlement.reference,
        payload={},
        scope=Scope(frozenset({entitlement.account_id}), frozenset({entitlement.sku.product_id})),
    )


def _of_account(coverage: Coverage, account: Account) -> Coverage:
    key: uuid.UUID = account.id
    return Coverage(
        horizon=coverage.horizon,
        timelines={place: rows for place, rows in coverage.timelines.items() if place.account_id == key},
        gaps=tuple(gap for gap in coverage.gaps if gap.place.account_id == key),
        needs=coverage.needs,
    )


def _labels(registry: Registry) -> dict[str, str]:
    return {key: str(row["name"]) for key, row in {**registry.accounts, **registry.products}.items()}
