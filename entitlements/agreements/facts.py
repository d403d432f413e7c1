"""What policies can compare of agreements and order lines, and what their fields belong to. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from approvals.governed import FactType, FactUnit
from approvals.records.rows import instant, parse_instant
from entitlements.agreements import backdating, growth
from entitlements.agreements.costs import add_months
from entitlements.catalog.aspects import NOBODYS, Aspect

Row = Mapping[str, Any]

TERM_FACTS = (
    FactType("starts_at", FactUnit.INSTANT, "UTC", "When the term starts.", says="the term starts at {value}"),
    FactType(
        "ends_at", FactUnit.INSTANT, "UTC", "When the term ends; absent if it is open.", says="the term ends at {value}"
    ),
    FactType("open_ended", FactUnit.BOOLEAN, "", "Whether the term is open.", says="the term is open|the term ends"),
    FactType(
        "term_months",
        FactUnit.INTEGER,
        "months",
        "How long the term is, a month begun counts; absent if it is open.",
        says="the term is {value} months",
    ),
    FactType(
        "term_change_days",
        FactUnit.INTEGER,
        "days",
        "By how many days the end moves, negative if earlier; 0 of a new record; absent if it becomes open or was.",
        says="the end moves by {value} days",
    ),
    *backdating.FACTS,
)

SEATS_OF_YEAR = (
    FactType(
        "seats_added_year",
        FactUnit.INTEGER,
        "seats",
        "Seats added under the agreement by what was applied in the last twelve months and by this change: granted, of "
        "entitlements; ordered, of order lines. Absent if unlimited.",
        says="{value} seats are added this year",
    ),
    FactType(
        "seats_added_year_percent",
        FactUnit.INTEGER,
        "percent",
        "The same relative to the seats twelve months ago, rounded up; absent if there were none.",
        says="seats rise by {value} % this year",
    ),
    FactType(
        "seats_removed_year",
        FactUnit.INTEGER,
        "seats",
        "Seats taken away or ended early under the agreement in the same time; never set off against what is added.",
        says="{value} seats are taken away this year",
    ),
    FactType(
        "seats_removed_year_percent",
        FactUnit.INTEGER,
        "percent",
        "The same relative to the seats twelve months ago, rounded up.",
        says="seats fall by {value} % this year",
    ),
)
SEATS_PENDING = FactType(
    "seats_pending",
    FactUnit.INTEGER,
    "seats",
    "Seats that other changes in review, approved or scheduled would add under the agreement; absent if unlimited.",
    says="other open changes ask for {value} more seats",
)
MONEY_OF_YEAR = (
    FactType(
        "cost_added_year",
        FactUnit.DECIMAL,
        "currency",
        "Cost in the line's currency that order lines of the agreement add, by what was applied in the last twelve "
        "months and by this change.",
        says="the cost added this year is {value}",
    ),
    FactType(
        "cost_added_year_percent",
        FactUnit.INTEGER,
        "percent",
        "The same relative to their cost at the start of the twelve months, rounded up; absent if there was none.",
        says="the cost rises by {value} % this year",
    ),
    FactType(
        "cost_saved_year",
        FactUnit.DECIMAL,
        "currency",
        "Cost that is taken away in the same time; never set off against what is added.",
        says="the cost saved this year is {value}",
    ),
    FactType(
        "price_rise_year_percent",
        FactUnit.INTEGER,
        "percent",
        "The rises of the line's net unit price within twelve months, relative to its start; absent of a new line.",
        says="the net price rises by {value} % this year",
    ),
)

AGREEMENT_FACTS = (
    FactType("licensor", FactUnit.TEXT, "", "The licensor.", says="the licensor is {value}"),
    FactType("side", FactUnit.TEXT, "", "Whether we are licensor, licensee or reseller."),
    FactType(
        "renewal",
        FactUnit.TEXT,
        "",
        "What happens at the end: ends, auto or evergreen.",
        choices=("ends", "auto", "evergreen"),
    ),
    FactType(
        "clauses_touched",
        FactUnit.BOOLEAN,
        "",
        "Whether clauses or documents change.",
        says="clauses or documents change|no clause or document changes",
    ),
    FactType("clauses_changed", FactUnit.TEXTS, "", "The numbers of clauses that are added, changed or taken out."),
    FactType("budget", FactUnit.DECIMAL, "currency", "The budget; absent if none is set."),
    FactType("currency", FactUnit.TEXT, "", "The currency of budget and bridge price; empty without one."),
    *TERM_FACTS,
)

ORDER_LINE_FACTS = (
    FactType("currency", FactUnit.TEXT, "", "The currency of the prices.", says="prices are in {value}"),
    FactType("quantity", FactUnit.INTEGER, "seats", "The largest quantity of any period; absent if unlimited."),
    FactType(
        "quantity_unlimited",
        FactUnit.BOOLEAN,
        "",
        "Whether a period is unlimited.",
        says="the quantity is unlimited|the quantity has a limit",
    ),
    FactType("unit_price", FactUnit.DECIMAL, "currency", "The highest unit price of any period."),
    FactType(
        "price_rise_percent",
        FactUnit.INTEGER,
        "percent",
        "The largest rise of the net unit price at any time, relative to before, rounded up; absent of a new line.",
        says="the net price rises by {value} %",
    ),
    *TERM_FACTS,
    *SEATS_OF_YEAR,
    *MONEY_OF_YEAR,
)

AGREEMENT_ASPECTS = {
    "reference": NOBODYS,
    "title": NOBODYS,
    **dict.fromkeys(
        (
            "side licensor licensee_id purchaser reseller covered_accounts covers_descendants assignability documents "
            "clauses consents bridge_production_use bridge_needs_written_consent"
        ).split(),
        (Aspect.CLAUSES,),
    ),
    **dict.fromkeys(
        (
            "starts_at ends_at renewal renewal_months notice_days notice_served_on bridge_days_total "
            "bridge_count_total retired_at"
        ).split(),
        (Aspect.TERM,),
    ),
    "price_cap_percent": (Aspect.PRICE,),
    "termination_terms": (Aspect.CLAUSES, Aspect.TERM),
    "true_up_terms": (Aspect.CLAUSES, Aspect.COST),
    "bridge_seats": (Aspect.SEATS,),
    "bridge_countries": (Aspect.REGIONS,),
    "bridge_price": (Aspect.PRICE,),
    "screenings": (Aspect.COMPLIANCE,),
    "budget": (Aspect.COST,),
    "exchange_rates": (Aspect.COST,),
    "currency": (Aspect.PRICE,),
    "owner_id": NOBODYS,
}

ORDER_LINE_ASPECTS = {
    "agreement_id": (Aspect.CLAUSES,),
    "reference": NOBODYS,
    "sku_revision_id": (Aspect.FEATURES,),
    "periods": (Aspect.SEATS, Aspect.PRICE, Aspect.COST),
    **dict.fromkeys("starts_at ends_at co_term_on cancelable_on retired_at".split(), (Aspect.TERM,)),
    **dict.fromkeys("billing list_price discount_percent currency".split(), (Aspect.PRICE,)),
    **dict.fromkeys(
        (
            "proration credit_rule purchase_order purchase_order_on purchase_order_amount tax_percent cost_center "
            "gl_code"
        ).split(),
        (Aspect.COST,),
    ),
}


def of_term(*, before: Row | None, after: Row, now: datetime) -> dict[str, Any]:
    """The facts of a row's term and of how far back it reaches; what is absent is None."""
    starts_at, ends_at = parse_instant(after["starts_at"]), instant(after["ends_at"])
    former_end = instant(before["ends_at"]) if before else ends_at
    moved = None if (ends_at is None) != (former_end is None) else timedelta(0)
    if ends_at is not None and former_end is not None:
        moved = ends_at - former_end
    return {
        "starts_at": after["starts_at"],
        "ends_at": after["ends_at"],
        "open_ended": ends_at is None,
        "term_months": None if ends_at is None else _months(starts_at, ends_at),
        "term_change_days": None if moved is None else growth.away_from_zero(moved, timedelta(days=1)),
    } | backdating.facts(before=before, after=after, now=now)


def of_agreement(*, before: Row | None, after: Row, now: datetime) -> dict[str, Any]:
    """The facts of an agreement's change; what is absent is None."""
    old, new = (_clauses(row) for row in (before, after))
    return {
        "licensor": after["licensor"],
        "side": after["side"],
        "renewal": after["renewal"],
        "clauses_touched": before is None or any(before[name] != after[name] for name in ("clauses", "documents")),
        "clauses_changed": sorted(key for key in {*old, *new} if old.get(key) != new.get(key)),
        "budget": after["budget"],
        "currency": after["currency"],
    } | of_term(before=before, after=after, now=now)


def of_order_line(*, before: Row | None, after: Row, now: datetime) -> dict[str, Any]:
    """The facts of an order line's change; what is absent is None."""
    quantity = growth.peak(after)
    return {
        "currency": after["currency"],
        "quantity": quantity,
        "quantity_unlimited": quantity is None,
        "unit_price": str(max(Decimal(period["unit_price"]) for period in after["periods"])),
        "price_rise_percent": None if before is None else growth.price_rise_percent([before, after]),
    } | of_term(before=before, after=after, now=now)


def _clauses(row: Row | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for clause in row["clauses"] if row else ():
        found.setdefault(clause["number"], []).append(clause)
    return found


def _months(starts_at: datetime, ends_at: datetime) -> int:
    months = (ends_at.year - starts_at.year) * 12 + ends_at.month - starts_at.month
    return months if add_months(starts_at, months) >= ends_at else months + 1
