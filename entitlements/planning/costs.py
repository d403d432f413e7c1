"""The cost part of a plan: the order lines that the items touch, before and after, by year."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from approvals.governed import PreparedItem
from entitlements.agreements.costs import cost_by_year, line_from_row
from entitlements.agreements.models import OrderLine

YEARS_AHEAD = 3
Years = Mapping[tuple[int, str], Decimal]


def until(now: datetime) -> datetime:
    """To when open-ended lines are counted: the end of the third year after this one (UTC)."""
    return datetime(now.year + YEARS_AHEAD + 1, 1, 1, tzinfo=UTC)


def compare(*, items: Sequence[PreparedItem], now: datetime) -> tuple[Years, Years]:
    """Totals by year and currency of the lines that the items touch, before and after."""
    rows = [item for item in items if item.table == OrderLine._meta.db_table]
    before = [line_from_row(item.before) for item in rows if item.before is not None]
    after = [line_from_row(item.after) for item in rows if item.after is not None]
    horizon = until(now)
    return cost_by_year(lines=before, horizon=horizon), cost_by_year(lines=after, horizon=horizon)


def section(*, before: Years, after: Years, now: datetime) -> dict[str, Any]:
    """The plan document's `cost`."""
    return {
        "until": until(now),
        "years": [
            {
                "year": year,
                "currency": currency,
                "before": before.get((year, currency), Decimal("0.00")),
                "after": after.get((year, currency), Decimal("0.00")),
                "change": after.get((year, currency), Decimal("0.00")) - before.get((year, currency), Decimal("0.00")),
            }
            for year, currency in sorted({*before, *after})
        ],
    }
