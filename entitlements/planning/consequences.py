"""What a change does, in one sentence; and what of it cannot be undone by acting back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from approvals import governed
from approvals.governed import Operation, PreparedItem
from approvals.records.rows import parse_instant
from entitlements.agreements.models import Agreement
from entitlements.grants.models import Entitlement
from entitlements.planning.costs import Years
from entitlements.planning.registry import Registry, Row

JSON = Any
Labels = Mapping[str, str]
NAMED_MOST = 3


def sentence(*, items: Sequence[PreparedItem], after: Registry, labels: Labels, money: str, ending: str) -> str:
    """The whole change in one sentence: what is granted, amended, ended, what it costs, and who loses access."""
    told = _entitlements([item for item in items if item.table == Entitlement._meta.db_table], after, labels)
    told += _others([item for item in items if item.table != Entitlement._meta.db_table])
    return f"{'; '.join([_capital(told[0]), *told[1:], money, ending] if told else [_capital(money), ending])}."


def money_told(*, before: Years, after: Years, until: datetime) -> str:
    """What it costs more or less, all in all, by currency."""
    change: dict[str, Decimal] = {}
    for sign, years in ((-1, before), (1, after)):
        for (_, currency), amount in years.items():
            change[currency] = change.get(currency, Decimal(0)) + sign * amount
    moved = {currency: amount for currency, amount in sorted(change.items()) if amount}
    if not moved:
        return "it costs nothing more"
    said = ", ".join(
        f"{abs(amount):,.2f} {currency} {'more' if amount > 0 else 'less'}" for currency, amount in moved.items()
    )
    return f"it costs {said} in all, net, counted to 31 Dec {until.year - 1}"


def permanent(*, items: Sequence[PreparedItem], document: Mapping[str, JSON], now: datetime) -> list[str]:
    """Sentences for what stays done even if the change is acted back."""
    told: list[str] = []
    for item in items:
        told += _of_item(item, now)
    released = document["seats"]["released"]
    if released:
        told.append(
            f"{_count(released, 'seat is', 'seats are')} taken back from people; acting back gives nobody a seat that "
            "somebody else took meanwhile"
        )
    told += [
        f"{row['reference']}: {row['net'] - row['net_before']:,.2f} {row['currency']} more are committed; acting back "
        "does not cancel what was ordered from the licensor meanwhile"
        for row in document["money"]["lines"]
        if row["net"] > row["net_before"]
    ]
    credit = [row for row in document["money"]["lines"] if row["credit"]]
    told += [
        f"{row['reference']}: {row['credit']:,.2f} {row['currency']} already charged would be credited"
        for row in credit
    ]
    return told


def _of_item(item: PreparedItem, now: datetime) -> list[str]:
    if item.table == Agreement._meta.db_table and _new(item, "notice_served_on"):
        return [f"notice of {item.label} is served: it is not withdrawn by acting back"]
    if item.table == Entitlement._meta.db_table and item.after is not None:
        moved = [name for name in ("starts_at", "ends_at") if _moved_past(item, name, now)]
        if moved:
            return [f"{item.label} changes what lies in the past: answers given until then stand as they were given"]
    return []


def _new(item: PreparedItem, name: str) -> bool:
    return item.after is not None and bool(item.after[name]) and (item.before or {}).get(name) != item.after[name]


def _moved_past(item: PreparedItem, name: str, now: datetime) -> bool:
    assert item.after is not None  # noqa: S101  asked of items with a row after them
    value = item.after[name]
    moved = (item.before or {}).get(name) != value
    return moved and value is not None and parse_instant(value) < now


def _entitlements(items: Sequence[PreparedItem], after: Registry, labels: Labels) -> list[str]:
    if len(items) <= NAMED_MOST:
        return [_entitlement(item, after, labels) for item in items]
    verbs = Counter(
        "grant" if item.operation is Operation.INSERT else "end" if item.kind == "entitlement.retire" else "amend"
        for item in items
    )
    accounts = {str(item.after["account_id"]) for item in items if item.after is not None}
    whom = f"of {_count(len(accounts), 'account', 'accounts')}"
    return [f"{verb} {_count(count, 'entitlement', 'entitlements')} {whom}" for verb, count in verbs.items()]


def _entitlement(item: PreparedItem, after: Registry, labels: Labels) -> str:
    row = item.after or item.before or {}
    what = labels.get(after.product_of(row), "a product")
    whom = labels.get(str(row["account_id"]), "an account")
    if item.operation is Operation.INSERT:
        return f"grant {what} ({row['phase']}) to {whom}: {_seats(row)}, {_term(row)}"
    if item.kind == "entitlement.retire":
        return f"end {what} ({row['phase']}) of {whom} on {_instant(row['ends_at'])}"
    before = item.before or {}
    moved = []
    if before.get("seats") != row["seats"]:
        moved.append(f"{_seats(before)} become {_seats(row)}")
    if before.get("ends_at") != row["ends_at"]:
        moved.append(f"it ends {_instant(row['ends_at'])} instead of {_instant(before.get('ends_at'))}")
    return f"amend {what} ({row['phase']}) of {whom}" + (f": {', '.join(moved)}" if moved else "")


def _others(items: Sequence[PreparedItem]) -> list[str]:
    if len(items) <= NAMED_MOST:
        return [f"{_title(item)} {item.label}" for item in items]
    return [f"{count}× {title}" for title, count in Counter(map(_title, items)).most_common()]


def _title(item: PreparedItem) -> str:
    title = governed.kind(item.kind).title
    return title[:1].lower() + title[1:]


def _seats(row: Row) -> str:
    return "unlimited seats" if row["seats"] is None else _count(row["seats"], "seat", "seats")


def _term(row: Row) -> str:
    return f"from {_instant(row['starts_at'])} " + (
        f"to {_instant(row['ends_at'])}" if row["ends_at"] else "without end"
    )


def _instant(value: str | None) -> str:
    return "never" if value is None else f"{parse_instant(value):%Y-%m-%d %H:%M} UTC"


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
