"""
The money part of a plan: what each order line concerned commits to, before and after, and what that does to purchase
orders, budgets, closed books and periods paid twice.

All amounts are exact decimals, net unless said otherwise, in the currency named beside them. None means that the
registry does not say; it is never counted as zero.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Any

from approvals.freezes.models import AccountingPeriod
from approvals.governed import PreparedItem
from approvals.records.rows import instant
from entitlements.agreements.costs import CENT, Charge, PricedLine, charges, line_from_row
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.grants.models import Entitlement
from entitlements.planning.registry import Registry, Row, rows_of

JSON = Any
Rows = Mapping[str, Row]
ZERO = Decimal(0)


@dataclass(frozen=True)
class Lines:
    """The order lines of the agreements concerned, before and after; `concerned` are those that the items touch."""

    before: Rows
    after: Rows
    concerned: frozenset[str]
    horizon: datetime
    now: datetime

    @cached_property
    def totals(self) -> Mapping[str, Mapping[str, Decimal]]:
        """What each line costs up to the horizon, before and after."""
        return {
            name: {key: _total(row, self.horizon) for key, row in rows.items()}
            for name, rows in (("before", self.before), ("after", self.after))
        }

    def sums(self, column: Callable[[Row], JSON]) -> Mapping[str, Mapping[JSON, list[tuple[Row, Decimal]]]]:
        """Lines with their totals, grouped by a value of theirs, before and after."""
        found: dict[str, dict[JSON, list[tuple[Row, Decimal]]]] = {"before": {}, "after": {}}
        for name, rows in (("before", self.before), ("after", self.after)):
            for key, row in rows.items():
                found[name].setdefault(column(row), []).append((row, self.totals[name][key]))
        return found


def section(
    *, items: Sequence[PreparedItem], before: Registry, after: Registry, horizon: datetime, now: datetime
) -> dict[str, JSON]:
    """The plan document's `money`: see docs/plan-document.md."""
    lines = _lines(items, before, after, horizon, now)
    agreements = sorted({row["agreement_id"] for key, row in lines.after.items() if key in lines.concerned})
    return {
        "until": horizon,
        "lines": [_line(key, lines, after) for key in sorted(lines.concerned)],
        "purchase_orders": _purchase_orders(lines),
        "budgets": _budgets([after.agreements[key] for key in agreements if key in after.agreements], lines),
        "overlaps": _overlaps(items, after, lines),
        "closed_periods": _closed(items, lines),
    }


def concerned_lines(items: Iterable[PreparedItem]) -> frozenset[str]:
    """Order lines that the items change, or under which they change entitlements."""
    found = set()
    for item in items:
        if item.table == OrderLine._meta.db_table:
            found.add(str(item.record_id))
        elif item.table == Entitlement._meta.db_table:
            found |= {str(row["order_line_id"]) for row in (item.before, item.after) if row is not None}
    return frozenset(found)


def concerned_agreements(items: Iterable[PreparedItem], registry: Registry) -> frozenset[str]:
    """Agreements that the items change, or under whose order lines they change something."""
    known = tuple(items)
    direct = {str(item.record_id) for item in known if item.table == Agreement._meta.db_table}
    lines = (registry.order_lines[key] for key in concerned_lines(known) if key in registry.order_lines)
    return frozenset(direct | {str(line["agreement_id"]) for line in lines})


def _lines(items: Sequence[PreparedItem], before: Registry, after: Registry, horizon: datetime, now: datetime) -> Lines:
    agreements = concerned_agreements(items, after)
    standing = rows_of(OrderLine, OrderLine.objects.filter(agreement_id__in=agreements))
    changed = {
        str(item.record_id): item.after
        for item in items
        if item.table == OrderLine._meta.db_table and item.after is not None
    }
    return Lines(
        {**before.order_lines, **standing},
        {**standing, **after.order_lines, **changed},
        concerned_lines(items),
        horizon,
        now,
    )


def _line(key: str, lines: Lines, after: Registry) -> dict[str, JSON]:
    row, former = lines.after[key], lines.before.get(key)
    total = lines.totals["after"][key]
    tax = None if row["tax_percent"] is None else _cents(total * Decimal(row["tax_percent"]) / 100)
    listed, net = _list_total(row, after, lines.horizon), total
    return {
        "line": key,
        "reference": row["reference"],
        "agreement": row["agreement_id"],
        "currency": row["currency"],
        "billing": row["billing"],
        "starts_at": row["starts_at"],
        "ends_at": row["ends_at"],
        "list": listed,
        "net": net,
        "net_before": lines.totals["before"].get(key, ZERO),
        "discount_percent": _discount(listed, net),
        "firm": _firm(row, lines.horizon),
        "cancelable_on": row["cancelable_on"],
        "tax_percent": row["tax_percent"],
        "tax": tax,
        "gross": None if tax is None else total + tax,
        "already_charged": _charged(row, lines),
        "credit": ZERO if former is None else max(_charged(former, lines) - _charged(row, lines), ZERO),
        "credit_rule": row["credit_rule"],
        "proration": row["proration"],
        "cost_center": row["cost_center"],
        "gl_code": row["gl_code"],
        "purchase_order": row["purchase_order"],
        "purchase_order_on": row["purchase_order_on"],
    }


def _total(row: Row, horizon: datetime) -> Decimal:
    return sum((charge.amount for charge in charges(line=line_from_row(row), horizon=horizon)), ZERO).quantize(CENT)


def _charged(row: Row, lines: Lines) -> Decimal:
    """What was charged by now: of every billing period that has begun."""
    begun = (charge.amount for charge in _charges(row, lines.horizon) if charge.starts_at <= lines.now)
    return sum(begun, ZERO).quantize(CENT)


def _charges(row: Row, horizon: datetime) -> Iterable[Charge]:
    return charges(line=line_from_row(row), horizon=horizon)


def _firm(row: Row, horizon: datetime) -> Decimal | None:
    """What is owed even if it is canceled as soon as may be; None if an open-ended line does not say when that is."""
    if row["cancelable_on"] is None:
        return None if row["ends_at"] is None else _total(row, horizon)
    until = date.fromisoformat(row["cancelable_on"])
    return sum((charge.amount for charge in _charges(row, horizon) if charge.starts_at.date() < until), ZERO).quantize(
        CENT
    )


def _list_total(row: Row, after: Registry, horizon: datetime) -> Decimal | None:
    """What the same quantities cost at list price: the line's, or the SKU revision's if it is in the same currency."""
    price = row["list_price"]
    revision = after.revisions.get(row["sku_revision_id"])
    if price is None and revision is not None and revision["currency"] == row["currency"]:
        price = revision["list_price"]
    if price is None:
        return None
    line = line_from_row(row)
    at_list = replace(line, periods=tuple(replace(period, unit_price=Decimal(price)) for period in line.periods))
    return sum((charge.amount for charge in charges(line=at_list, horizon=horizon)), ZERO).quantize(CENT)


def _discount(listed: Decimal | None, net: Decimal) -> Decimal | None:
    return _cents((listed - net) * 100 / listed) if listed else None


def _purchase_orders(lines: Lines) -> list[dict[str, JSON]]:
    """Each purchase order that the lines concerned name: its amount, and what is left of it before and after."""
    grouped = lines.sums(lambda row: (row["purchase_order"], row["currency"]))
    concerned = {(lines.after[key]["purchase_order"], lines.after[key]["currency"]) for key in lines.concerned}
    return [
        _purchase_order(number, currency, {name: grouped[name].get((number, currency), []) for name in grouped})
        for number, currency in sorted(concerned)
        if number
    ]


def _purchase_order(number: str, currency: str, naming: Mapping[str, Sequence[tuple[Row, Decimal]]]) -> dict[str, JSON]:
    # Lines that disagree about the amount: the lowest is the one that can be relied on.
    recorded = (row["purchase_order_amount"] for row, _ in naming["after"])
    amounts = {Decimal(amount) for amount in recorded if amount is not None}
    amount = min(amounts, default=None)
    used = {name: sum((total for _, total in rows), ZERO) for name, rows in naming.items()}
    return {
        "number": number,
        "currency": currency,
        "amount": amount,
        "amounts_differ": len(amounts) > 1,
        "used_before": used["before"],
        "used_after": used["after"],
        "left_before": _left(amount, used["before"]),
        "left_after": _left(amount, used["after"]),
    }


def _budgets(agreements: Sequence[Row], lines: Lines) -> list[dict[str, JSON]]:
    grouped = lines.sums(lambda row: str(row["agreement_id"]))
    return [
        _budget(agreement, {name: grouped[name].get(str(agreement["id"]), []) for name in grouped}, lines.now)
        for agreement in agreements
    ]


def _budget(agreement: Row, under: Mapping[str, Sequence[tuple[Row, Decimal]]], now: datetime) -> dict[str, JSON]:
    """The budget of an agreement, and what its lines commit of it, in its currency at the dated rates that it names."""
    rates = latest_rates(agreement, now)
    used: dict[str, Decimal | None] = {}
    missing: set[str] = set()
    for name, rows in under.items():
        amounts = [
            (row["currency"], converted(total, row["currency"], agreement["currency"], rates)) for row, total in rows
        ]
        unknown = {currency for currency, amount in amounts if amount is None}
        missing |= unknown if agreement["currency"] else set()
        used[name] = None if unknown else sum((amount for _, amount in amounts if amount is not None), ZERO)
    budget = None if agreement["budget"] is None else Decimal(agreement["budget"])
    return {
        "agreement": agreement["id"],
        "reference": agreement["reference"],
        "currency": agreement["currency"],
        "budget": budget,
        "used_before": used["before"],
        "used_after": used["after"],
        "left_before": _left(budget, used["before"]),
        "left_after": _left(budget, used["after"]),
        "rates": list(rates.values()),
        "rates_missing": sorted(missing),
    }


def _left(budget: Decimal | None, used: Decimal | None) -> Decimal | None:
    return None if budget is None or used is None else budget - used


def latest_rates(agreement: Row, now: datetime) -> dict[str, Row]:
    """The latest rate of each currency that is not dated after `now`'s day (UTC)."""
    rates: dict[str, Row] = {}
    for rate in sorted(agreement["exchange_rates"], key=lambda row: str(row["rated_on"])):
        if date.fromisoformat(rate["rated_on"]) <= now.date():
            rates[rate["currency"]] = rate
    return rates


def converted(amount: Decimal, currency: str, into: str, rates: Mapping[str, Row]) -> Decimal | None:
    """An amount in another currency, to the cent; None if no rate is known."""
    if currency == into:
        return amount
    if currency not in rates:
        # Nothing is nothing in every currency.
        return ZERO if not amount else None
    return _cents(amount * Decimal(rates[currency]["rate"]))


def _overlaps(items: Sequence[PreparedItem], after: Registry, lines: Lines) -> list[dict[str, JSON]]:
    """Times in which a predecessor and its successor are both paid for, and what each costs in it."""
    found = []
    for item in items:
        successor = after.entitlements.get(str(item.record_id))
        if item.table != Entitlement._meta.db_table or successor is None or not successor["replaces_id"]:
            continue
        former = after.entitlements.get(str(successor["replaces_id"]))
        if former is None:
            continue
        starts_at = max(_at(successor["starts_at"]), _at(former["starts_at"]))
        ends_at = min(_end(successor, lines.horizon), _end(former, lines.horizon))
        if ends_at <= starts_at or former["order_line_id"] == successor["order_line_id"]:
            continue
        found.append(
            {
                "predecessor": str(former["id"]),
                "successor": str(successor["id"]),
                "starts_at": starts_at,
                "ends_at": ends_at,
                "predecessor_cost": _share(former, lines, starts_at, ends_at),
                "predecessor_currency": lines_row(lines, former)["currency"],
                "successor_cost": _share(successor, lines, starts_at, ends_at),
                "successor_currency": lines_row(lines, successor)["currency"],
            }
        )
    return found


def lines_row(lines: Lines, entitlement: Row) -> Row:
    """The order line of an entitlement."""
    return lines.after[str(entitlement["order_line_id"])]


def _share(entitlement: Row, lines: Lines, starts_at: datetime, ends_at: datetime) -> Decimal:
    """What an entitlement's seats cost from one instant to another at its line's prices, in proportion to time."""
    line = line_from_row(lines_row(lines, entitlement))
    total = ZERO
    for charge in charges(line=_for_seats(line, entitlement["seats"]), horizon=lines.horizon):
        common = min(charge.ends_at, ends_at) - max(charge.starts_at, starts_at)
        if common.total_seconds() > 0:
            whole = (charge.ends_at - charge.starts_at).total_seconds()
            total += charge.amount * Decimal(common.total_seconds()) / Decimal(whole)
    return _cents(total)


def _for_seats(line: PricedLine, seats: int | None) -> PricedLine:
    """The line as if only so many seats had been ordered; whole, if they or the line are unlimited."""
    return replace(
        line,
        periods=tuple(
            period
            if seats is None or period.quantity is None
            else replace(period, quantity=min(period.quantity, seats))
            for period in line.periods
        ),
    )


def _closed(items: Sequence[PreparedItem], lines: Lines) -> dict[str, JSON]:
    """Closed accounting periods in which charges or rights would change: what, which period, how much."""
    first = _earliest(items, lines)
    closed = AccountingPeriod.objects.closed()
    periods = [] if first is None else list(closed.filter(ends_at__gt=first, starts_at__lt=lines.now))
    rows: list[dict[str, JSON]] = []
    for key in sorted(lines.concerned) if periods else ():
        before, after = lines.before.get(key), lines.after[key]
        for period in periods:
            change = _charged_in(after, period, lines.horizon)
            change -= ZERO if before is None else _charged_in(before, period, lines.horizon)
            if change:
                told = {"what": after["reference"], "period": period.label, "change": change}
                rows.append(told | {"currency": after["currency"]})
    return {"rows": rows + _backdated(items, periods)}


def _earliest(items: Sequence[PreparedItem], lines: Lines) -> datetime | None:
    """The first instant that a line concerned, or a right whose start moves, has to do with; None if none has begun."""
    starts = [
        _at(rows[key]["starts_at"]) for rows in (lines.before, lines.after) for key in lines.concerned if key in rows
    ]
    begun = [instant for instant in (*starts, *(at for _, at in _moved_starts(items))) if instant < lines.now]
    return min(begun, default=None)


def _moved_starts(items: Sequence[PreparedItem]) -> list[tuple[PreparedItem, datetime]]:
    """Entitlements that begin, or whose start moves: the earlier of the instants."""
    found = []
    for item in items:
        if item.table == Entitlement._meta.db_table and item.after is not None:
            starts = {_at(row["starts_at"]) for row in (item.before, item.after) if row is not None}
            if item.before is None or len(starts) > 1:
                found.append((item, min(starts)))
    return found


def _backdated(items: Sequence[PreparedItem], periods: Sequence[AccountingPeriod]) -> list[dict[str, JSON]]:
    """Rights whose start is moved into, or out of, a closed period."""
    return [
        {"what": item.label, "period": period.label, "change": None, "currency": ""}
        for item, at in _moved_starts(items)
        for period in periods
        if period.starts_at <= at < period.ends_at
    ]


def _charged_in(row: Row, period: AccountingPeriod, horizon: datetime) -> Decimal:
    charged = (one.amount for one in _charges(row, horizon) if period.starts_at <= one.starts_at < period.ends_at)
    return sum(charged, ZERO)


def _at(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _end(row: Row, horizon: datetime) -> datetime:
    return instant(row["ends_at"]) or horizon


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)
