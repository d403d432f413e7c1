"""
What order lines cost: pure, over values.

A period's unit price pays for one seat and one billing period (`once`, `month`, `year`), counted from the period's
start. A last, incomplete billing period is prorated by the day, or charged whole where the line says so. An open-ended
line is counted to a horizon. Amounts are exact decimals, rounded half-even to the cent at each charge.

Source: docs/decisions/0003-cost-from-order-lines.md
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from approvals.records.rows import instant, parse_instant

CENT = Decimal("0.01")


@dataclass(frozen=True)
class PricePeriod:
    """One period of an order line: half-open instants, quantity (None: unlimited, charged once), net unit price."""

    starts_at: datetime
    ends_at: datetime | None
    quantity: int | None
    unit_price: Decimal


@dataclass(frozen=True)
class PricedLine:
    """An order line as far as money goes."""

    line_id: str
    reference: str
    billing: str
    currency: str
    proration: str
    periods: tuple[PricePeriod, ...]


@dataclass(frozen=True)
class Charge:
    """What one billing period of one line costs, net."""

    line_id: str
    reference: str
    starts_at: datetime
    ends_at: datetime
    amount: Decimal
    currency: str


def charges(*, line: PricedLine, horizon: datetime) -> Iterator[Charge]:
    """The line's charges that begin before the horizon (UTC), in order."""
    for period in line.periods:
        ends_at = period.ends_at
        quantity = 1 if period.quantity is None else period.quantity
        step = 0
        starts_at = period.starts_at
        while starts_at < horizon and (ends_at is None or starts_at < ends_at):
            step += 1
            full_end = _billing_end(period.starts_at, line.billing, step, ends_at, horizon)
            charged_end = full_end if ends_at is None else min(full_end, ends_at)
            share = _share(starts_at, charged_end, full_end) if line.proration == "daily" else Decimal(1)
            amount = (period.unit_price * quantity * share).quantize(CENT, ROUND_HALF_EVEN)
            if amount:
                yield Charge(line.line_id, line.reference, starts_at, charged_end, amount, line.currency)
            starts_at = full_end


def cost_by_year(*, lines: Iterable[PricedLine], horizon: datetime) -> dict[tuple[int, str], Decimal]:
    """Totals by calendar year of the charge's start (UTC) and currency."""
    totals: dict[tuple[int, str], Decimal] = {}
    for line in lines:
        for charge in charges(line=line, horizon=horizon):
            key = (charge.starts_at.year, charge.currency)
            totals[key] = totals.get(key, Decimal(0)) + charge.amount
    return totals


def line_from_row(row: Mapping[str, Any]) -> PricedLine:
    """An order line's row (JSON values) as far as money goes."""
    ends_at = instant(row["ends_at"])
    return PricedLine(
        line_id=str(row["id"]),
        reference=row["reference"],
        billing=row["billing"],
        currency=row["currency"],
        proration=row["proration"],
        periods=tuple(
            PricePeriod(
                starts_at=parse_instant(period["starts_at"]),
                ends_at=instant(period["ends_at"]) or ends_at,
                quantity=period["quantity"],
                unit_price=Decimal(period["unit_price"]),
            )
            for period in row["periods"]
        ),
    )


def _billing_end(anchor: datetime, billing: str, step: int, ends_at: datetime | None, horizon: datetime) -> datetime:
    if billing == "once":
        return max(ends_at or horizon, anchor + timedelta(days=1))
    return add_months(anchor, step * (12 if billing == "year" else 1))


def add_months(at: datetime, months: int) -> datetime:
    """The same day and time so many months later, or the month's last day where it has none such."""
    index = at.year * 12 + at.month - 1 + months
    year, month = divmod(index, 12)
    for day in (at.day, 30, 29, 28):
        try:
            return at.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError(f"No month has a day {at.day}.")


def _share(starts_at: datetime, ends_at: datetime, full_end: datetime) -> Decimal:
    if ends_at >= full_end:
        return Decimal(1)
    day = timedelta(days=1)
    charged_days = -((starts_at - ends_at) // day)  # a day begun is a day charged
    full_days = -((starts_at - full_end) // day)
    return Decimal(min(charged_days, full_days)) / Decimal(full_days)
