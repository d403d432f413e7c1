"""
Freezes as readers meet them: what lasts now, what comes. Everybody who sees requests sees every freeze; accounts and
products that are not granted to the reader are not named.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals import governed
from approvals.freezes.calendar import DAY, Span
from approvals.freezes.gate import rule_of
from approvals.freezes.models import Freeze, FreezeQuerySet
from approvals.governed import Scope
from approvals.roles import VIEW_REQUESTS
from foundation.errors import NotPermitted
from foundation.identity.models import User

AHEAD = 366 * DAY


@dataclass(frozen=True)
class Named:
    """What a freeze names, for one reader; `others` tells that there is more, which is not granted to the reader."""

    accounts: Mapping[UUID, str]
    products: Mapping[UUID, str]
    other_accounts: bool
    other_products: bool


@dataclass(frozen=True)
class Entry:
    """One time of one freeze; the end is that of the holidays that follow each other."""

    freeze: Freeze
    span: Span
    named: Named


@dataclass(frozen=True)
class Listing:
    """What lasts now and what comes within a year, each in the order of its begin; and those that are over."""

    now: Sequence[Entry]
    coming: Sequence[Entry]
    quiet: Sequence[Freeze]


def visible_freezes(user: User) -> FreezeQuerySet:
    """
    All freezes, for who may read change requests.

    :raises NotPermitted: if the user may not
    """
    if not user.has_perm(VIEW_REQUESTS):
        raise NotPermitted("You may not read freezes. Ask an administrator for a role.")
    return Freeze.objects.all()


def names_for(freezes: Iterable[Freeze], user: User | None) -> Mapping[UUID, str]:
    """The names of accounts and products of these freezes, those that the user may see if there is one: two queries."""
    return governed.access().names(scope=Scope.merged(map(scope_of, freezes)), user=user)


def named(freeze: Freeze, names: Mapping[UUID, str]) -> Named:
    """What a freeze names, of which only `names` may be told."""
    scope = scope_of(freeze)
    accounts = {key: names[key] for key in sorted(scope.account_ids) if key in names}
    products = {key: names[key] for key in sorted(scope.product_ids) if key in names}
    return Named(accounts, products, len(accounts) < len(scope.account_ids), len(products) < len(scope.product_ids))


def scope_of(freeze: Freeze) -> Scope:
    """The accounts and products that a freeze names."""
    return Scope(frozenset(map(UUID, freeze.account_ids)), frozenset(map(UUID, freeze.product_ids)))


def listing(*, user: User, now: datetime) -> Listing:
    """
    The freezes in use, by when they last.

    :raises NotPermitted: if the user may not read change requests
    """
    freezes = list(visible_freezes(user).in_use())
    names = names_for(freezes, user)
    lasting, coming, quiet = [], [], []
    for freeze in freezes:
        rule, told = rule_of(freeze), named(freeze, names)
        current = rule.lasting_at(now)
        if current is not None:
            lasting.append(Entry(freeze, current, told))
        later = [span for span in rule.spans(now, now + AHEAD) if span.starts_at > now]
        coming += [Entry(freeze, span, told) for span in later if current is None or span.starts_at >= current.ends_at]
        if current is None and not later:
            quiet.append(freeze)
    return Listing(sorted(lasting, key=_begin), sorted(coming, key=_begin), quiet)


def _begin(entry: Entry) -> tuple[datetime, str]:
    return entry.span.starts_at, entry.freeze.name
