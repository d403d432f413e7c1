"""
By how much order lines grow: pure, over rows as JSON values.

A path is the same line's row at one time after the other. Rises along it are added up and falls are left out, so that
a way down and up again hides nothing, and a change in parts is never smaller than the whole.

Source: docs/facts.md
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from itertools import pairwise
from typing import Any

from approvals.records.rows import parse_instant

Row = Mapping[str, Any]


def percent_up(part: Decimal | int, whole: Decimal | int) -> int | None:
    """
    The part as whole percents of the whole, rounded up; 0 of no part, None of a part of nothing, which is beyond any.
    """
    if not part:
        return 0
    return int((Decimal(100) * part / whole).to_integral_value(ROUND_UP)) if whole else None


def away_from_zero(part: timedelta, whole: timedelta) -> int:
    """How often one duration holds the other; a part begun counts, in either direction."""
    count = -(-abs(part) // whole)
    return count if part >= timedelta(0) else -count


def peak(line: Row) -> int | None:
    """The largest quantity of any period; None: unlimited."""
    quantities = [period["quantity"] for period in line["periods"]]
    return None if None in quantities else max(quantities, default=0)


def price_rise_percent(path: Sequence[Row]) -> int | None:
    """
    The rises of the net unit price along a path, relative to its start, at the time at which they are largest.

    Where a version has no price, the one before it in time stands, or its first. None: it rises from zero.
    """
    instants = sorted({parse_instant(period["starts_at"]) for line in path for period in line["periods"]})
    found: list[int | None] = [0]
    for at in instants:
        prices = [_price(line, at) for line in path]
        rises = sum((max(later - former, Decimal(0)) for former, later in pairwise(prices)), Decimal(0))
        found.append(percent_up(rises, prices[0]))
    return None if None in found else max(percent for percent in found if percent is not None)


def _price(line: Row, at: datetime) -> Decimal:
    begun = [period for period in line["periods"] if parse_instant(period["starts_at"]) <= at]
    return Decimal((begun or line["periods"])[-1 if begun else 0]["unit_price"])
