"""The registry as lists for people: entitlements and accounts, filtered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet

from approvals.portal.facets import Choice
from entitlements.directory.access import visible_accounts
from entitlements.directory.models import Account
from entitlements.grants.models import Entitlement, EntitlementQuerySet, Phase
from entitlements.portal import facets
from foundation.identity.models import User

ROWS_PER_PAGE = 25
SOON = timedelta(days=90)
STATES: Mapping[str, tuple[str, str]] = {
    "in_force": ("In force", "success"),
    "ends_soon": ("Ends within 90 days", "warning"),
    "to_come": ("Starts later", "info"),
    "grace": ("In grace", "danger"),
    "ended": ("Ended", "neutral"),
    "withdrawn": ("Withdrawn", "neutral"),
}


@dataclass(frozen=True)
class Row:
    """One entitlement with its state in words and tone."""

    entitlement: Entitlement
    state: str
    tone: str


@dataclass(frozen=True)
class EntitlementList:
    """A page of entitlements, with the filters in force."""

    page: Page[Entitlement]
    rows: Sequence[Row]
    lead: str
    text: str
    account: str
    product: str
    phase: str
    state: str
    accounts: Sequence[Choice]
    products: Sequence[Choice]
    phases: Sequence[tuple[str, str]]
    states: Sequence[tuple[str, str]]
    query: str


@dataclass(frozen=True)
class AccountList:
    """A page of accounts."""

    page: Page[Any]
    lead: str
    text: str
    query: str


def state_of(entitlement: Entitlement, *, now: datetime) -> str:
    """The key of STATES that describes an entitlement at an instant."""
    ends_at = entitlement.ends_at
    if entitlement.withdrawn_at is not None:
        return "withdrawn"
    if entitlement.starts_at > now:
        return "to_come"
    if ends_at is None or ends_at > now + SOON:
        return "in_force"
    if ends_at > now:
        return "ends_soon"
    return "grace" if ends_at + timedelta(seconds=entitlement.grace_seconds) > now else "ended"


def entitlements(*, user: User, parameters: Mapping[str, str], now: datetime) -> EntitlementList:
    """A page of the entitlements that a user may see, those that end first on top."""
    given = {name: parameters.get(name, "").strip() for name in ("text", "account", "product", "phase", "state")}
    accounts, products = facets.accounts(user), facets.products(user)
    seen = Entitlement.objects.visible_to(user)
    ending = seen.in_force_at(now).filter(ends_at__lte=now + SOON).count()
    found = _filtered(seen, given, accounts, products, now)
    found = found.select_related("account", "sku__product", "pool", "owner").order_by("ends_at", "reference", "id")
    page = Paginator(found, ROWS_PER_PAGE).get_page(parameters.get("page"))
    rows = [Row(row, *STATES[state_of(row, now=now)]) for row in page.object_list]
    count = page.paginator.count
    lead = f"{count:,} {'entitlement' if count == 1 else 'entitlements'}{' that match' if any(given.values()) else ''}"
    if ending:
        lead += f"; {ending:,} of those that you may see {'ends' if ending == 1 else 'end'} within 90 days"
    return EntitlementList(
        page=page,
        rows=rows,
        lead=f"{lead}.",
        **given,
        accounts=accounts,
        products=products,
        phases=Phase.choices,
        states=[(key, label) for key, (label, _) in STATES.items()],
        query=urlencode({name: value for name, value in given.items() if value}),
    )


def accounts(*, user: User, parameters: Mapping[str, str], now: datetime) -> AccountList:
    """A page of the accounts that a user may see, with how many entitlements each has in force."""
    text = parameters.get("text", "").strip()
    found: QuerySet[Account] = visible_accounts(user).filter(retired_at__isnull=True)
    if text:
        found = found.filter(Q(name__icontains=text) | Q(code__icontains=text))
    in_force = Entitlement.objects.visible_to(user).in_force_at(now).values("id")
    found = found.annotate(
        in_force=Count("entitlements", filter=Q(entitlements__in=in_force), distinct=True)
    ).select_related("parent")
    page = Paginator(found.order_by("name", "id"), ROWS_PER_PAGE).get_page(parameters.get("page"))
    count = page.paginator.count
    lead = f"{count:,} {'account' if count == 1 else 'accounts'}{' of your filter' if text else ' granted to you'}."
    return AccountList(page, lead, text, urlencode({"text": text}) if text else "")


def _filtered(
    seen: EntitlementQuerySet,
    given: Mapping[str, str],
    accounts: Sequence[Choice],
    products: Sequence[Choice],
    now: datetime,
) -> EntitlementQuerySet:
    if given["text"]:
        text = given["text"]
        seen = seen.filter(
            Q(reference__icontains=text) | Q(sku__code__icontains=text) | Q(account__name__icontains=text)
        )
    for name, choices, lookup in (("account", accounts, "account"), ("product", products, "sku__product")):
        if given[name]:
            chosen = [key for key, _ in choices if str(key) == given[name]]
            seen = seen.filter(**{f"{lookup}__in": chosen})
    if given["phase"]:
        seen = seen.filter(phase=given["phase"])
    return _in_state(seen, given["state"], now)


def _in_state(seen: EntitlementQuerySet, state: str, now: datetime) -> EntitlementQuerySet:
    if state == "in_force":
        return seen.in_force_at(now)
    if state == "ends_soon":
        return seen.in_force_at(now).filter(ends_at__lte=now + SOON)
    if state == "to_come":
        return seen.filter(starts_at__gt=now, withdrawn_at__isnull=True)
    if state in {"ended", "grace"}:
        return seen.filter(ends_at__lte=now, withdrawn_at__isnull=True)
    return seen.filter(withdrawn_at__isnull=False) if state == "withdrawn" else seen
