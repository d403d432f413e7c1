"""
The facts that only a plan knows: of the whole change, and what it adds up to under an agreement within twelve months.

Source: docs/facts.md
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from approvals.governed import FactType, FactUnit, PreparedItem
from approvals.records.kinds import known
from entitlements.agreements.costs import add_months, charges, line_from_row
from entitlements.agreements.growth import percent_up, price_rise_percent
from entitlements.planning import accumulation, history
from entitlements.planning.accumulation import Growth, Moved
from entitlements.planning.costs import until
from entitlements.planning.history import ENTITLEMENTS, MONTHS, ORDER_LINES, Year

JSON = Any
Row = Mapping[str, Any]
ZERO = Decimal("0.00")

FACTS = (
    FactType(
        "new_gaps",
        FactUnit.BOOLEAN,
        "",
        "Whether the whole change opens a gap that needs a waiver.",
        says="the plan opens a gap|the plan opens no gap",
    ),
    FactType(
        "people_losing_access",
        FactUnit.INTEGER,
        "people",
        "People who lose access by the whole change.",
        says="{value} people lose access",
    ),
    FactType(
        "people_gaining_access",
        FactUnit.INTEGER,
        "people",
        "People who gain access by the whole change.",
        says="{value} people gain access",
    ),
    FactType(
        "records_touched",
        FactUnit.INTEGER,
        "records",
        "Records that the whole change touches.",
        says="it touches {value} records",
    ),
    FactType(
        "cost_currencies",
        FactUnit.TEXTS,
        "",
        "The currencies in which the whole change moves cost.",
        says="cost moves in {value}",
    ),
    FactType(
        "cost_change",
        FactUnit.DECIMAL,
        "currency",
        "By how much the whole change moves the cost of its order lines, to the plan's horizon; absent if it moves "
        "cost in more than one currency.",
        says="cost changes by {value}",
    ),
    FactType(
        "cost_added",
        FactUnit.DECIMAL,
        "currency",
        "The same without what becomes cheaper.",
        says="the change adds {value} of cost",
    ),
    FactType(
        "cost_change_percent",
        FactUnit.INTEGER,
        "percent",
        "The cost change relative to those order lines before, rounded up; absent if there was none.",
        says="cost changes by {value} %",
    ),
)


def of_change(
    *, items: Sequence[PreparedItem], people: Mapping[str, JSON], new_gaps: bool, now: datetime
) -> dict[str, JSON]:
    """The facts of the whole change, `people` being the plan document's; what is absent is left out."""
    step = [Moved(str(item.record_id), item.before, item.after) for item in items if _is_line(item) and item.after]
    currencies = sorted(
        {currency for moved in step for currency in _currencies(moved) if _change(moved, currency, now)}
    )
    facts: dict[str, JSON] = {
        "new_gaps": new_gaps,
        "people_losing_access": len({str(row["person"]) for row in people["lose"]}),
        "people_gaining_access": len({str(row["person"]) for row in people["gain"]}),
        "records_touched": len(items),
        "cost_currencies": currencies,
    }
    if len(currencies) <= 1:
        changes = [_change(moved, currency, now) for moved in step for currency in currencies]
        before = sum((_cost(moved.before, currency, now, now) for moved in step for currency in currencies), ZERO)
        total = sum(changes, ZERO)
        percent = percent_up(abs(total), before)
        facts |= {
            "cost_change": total,
            "cost_added": sum((change for change in changes if change > 0), ZERO),
            "cost_change_percent": percent if percent is None or total >= 0 else -percent,
        }
    return known(facts)


def of_items(*, items: Sequence[PreparedItem], now: datetime) -> list[dict[str, JSON]]:
    """For each item what it adds up to under its agreement, with what was applied in the twelve months before."""
    agreements = history.agreements_of(items)
    added_up = {position: key for position, key in agreements.items() if items[position].table in _ADDED_UP}
    years = history.years_of(agreements=added_up, items=items, now=now)
    seats = {key: _of_entitlements(year) for key, year in years.items()}
    paths = {key: _paths(year) for key, year in years.items()}
    money = {
        (key, currency): _of_money(year, currency, now) for key, year in years.items() for currency in _moving(year)
    }
    quantities = {key: _of_order_lines(year) for key, year in years.items()}
    found = []
    for position, item in enumerate(items):
        facts: dict[str, JSON] = {}
        if item.table == ENTITLEMENTS and position in agreements:
            facts = seats[agreements[position]]
        elif item.table == ORDER_LINES and position in agreements:
            key = agreements[position]
            rise = _price_rise(paths[key][str(item.record_id)])
            facts = (
                quantities[key] | money[key, str((item.after or {})["currency"])] | {"price_rise_year_percent": rise}
            )
        found.append(known(facts))
    return found


_ADDED_UP = (ENTITLEMENTS, ORDER_LINES)


def _of_entitlements(year: Year) -> dict[str, JSON]:
    growth = accumulation.of_entitlements(rows=year.entitlements.values(), steps=year.entitlement_steps)
    return _growth_facts(growth) | {"seats_pending": _pending(year)}


def _of_order_lines(year: Year) -> dict[str, JSON]:
    growth = accumulation.of_order_lines(rows=year.order_lines.values(), steps=year.order_line_steps)
    return _growth_facts(growth)


def _growth_facts(growth: Growth) -> dict[str, JSON]:
    return {
        "seats_added_year": growth.added,
        "seats_added_year_percent": growth.added_percent,
        "seats_removed_year": growth.removed,
        "seats_removed_year_percent": growth.removed_percent,
    }


def _pending(year: Year) -> int | None:
    """What other requests would add: each by itself, because nobody knows which of them come to be."""
    total = 0
    for item in year.pending:
        former = item.before or year.entitlements.get(str(item.after["replaces_id"])) or {"seats": 0}
        if former["seats"] is None:
            continue
        if item.after["seats"] is None:
            return None
        total += max(item.after["seats"] - former["seats"], 0)
    return total


def _moving(year: Year) -> set[str]:
    """The currencies of the order lines that move within the year."""
    return {currency for step in year.order_line_steps for moved in step for currency in _currencies(moved)}


def _of_money(year: Year, currency: str, now: datetime) -> dict[str, JSON]:
    since = add_months(now, -MONTHS)
    start = accumulation.at_start(year.order_lines.values(), year.order_line_steps)
    base = sum((_cost(line, currency, now, since) for line in start.values()), ZERO)
    moved = [one for step in year.order_line_steps for one in step]
    added, saved, percent = accumulation.of_costs(start=base, changes=(_change(one, currency, now) for one in moved))
    return {"cost_added_year": added, "cost_saved_year": saved, "cost_added_year_percent": percent}


def _paths(year: Year) -> dict[str, list[Row]]:
    """The versions of each order line that moves within the year, the first of which stood at its start or is new."""
    found: dict[str, list[Row]] = {}
    for moved in (moved for step in year.order_line_steps for moved in step):
        found.setdefault(moved.key, [] if moved.before is None else [moved.before]).append(moved.after)
    return found


def _price_rise(path: Sequence[Row]) -> int | None:
    return price_rise_percent(path) if len(path) > 1 else None


def _is_line(item: PreparedItem) -> bool:
    return item.table == ORDER_LINES


def _currencies(moved: Moved) -> set[str]:
    return {str(row["currency"]) for row in (moved.before, moved.after) if row is not None}


def _change(moved: Moved, currency: str, now: datetime) -> Decimal:
    return _cost(moved.after, currency, now) - _cost(moved.before, currency, now)


def _cost(line: Row | None, currency: str, now: datetime, since: datetime | None = None) -> Decimal:
    """What a line costs in a currency to the plan's horizon, of charges that begin at `since` or later."""
    if line is None or line["currency"] != currency:
        return ZERO
    found = charges(line=line_from_row(line), horizon=until(now))
    return sum((charge.amount for charge in found if since is None or charge.starts_at >= since), ZERO)
