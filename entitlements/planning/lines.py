"""Whole values old → new, in words with units: what an item changes, for people."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from approvals import governed
from approvals.governed import PreparedItem
from approvals.records.rows import changed_fields
from entitlements.catalog.regions import country_name

JSON = Any

UNITS: Mapping[str, str] = {
    "seats": "seats",
    "seats_minimum": "seats",
    "seats_maximum": "seats",
    "bridge_seats": "seats",
    "notice_days": "days",
    "bridge_days_total": "days",
    "renewal_months": "months",
    "discount_percent": "%",
    "tax_percent": "%",
    "price_cap_percent": "%",
}
LABELS: Mapping[str, str] = {"grace_seconds": "grace after the end", "gl_code": "GL code"}
# Amounts in the row's own currency.
AMOUNTS = frozenset({"list_price", "budget", "purchase_order_amount", "bridge_price"})
COUNTRY_FIELDS = frozenset({"countries", "hosting_countries", "bridge_countries"})
# What people do not read: keys, and what repeats another line.
HIDDEN = frozenset({"id", "version", "sku_id", "region_groups"})


def lines_of(item: PreparedItem, labels: Mapping[str, str]) -> list[dict[str, JSON]]:
    """One line for each field that changes; for a new record, for each field that says something."""
    model = governed.kind(item.kind).model
    after = item.after or {}
    found = []
    for name in changed_fields(item.before, after):
        value = after.get(name)
        # An open end of a new record says something: nothing limits it.
        says_something = value not in (None, "", [], {}, False) or name in ("ends_at", "seats", "seats_maximum")
        if name in HIDDEN or (item.before is None and not says_something):
            continue
        field = model._meta.get_field(name.removesuffix("_id"))
        named = {**labels, **chosen(field)}
        found.append(
            {
                "field": name,
                "label": LABELS.get(name, str(getattr(field, "verbose_name", name))),
                "old": None if item.before is None else in_words(name, item.before.get(name), named),
                "new": in_words(name, value, named),
                "unit": UNITS.get(name, after.get("currency", "") if name in AMOUNTS else ""),
            }
        )
    return found


def chosen(field: Any) -> dict[str, str]:
    """What people call the choices of a field, or of its elements."""
    choices = getattr(getattr(field, "base_field", field), "choices", None) or ()
    return {str(value): str(label) for value, label in choices}


def seat_lines(item: PreparedItem) -> list[dict[str, JSON]]:
    """Lines for people registered and seats held or released with the item."""
    said = (("register", "people registered"), ("hold", "seats given"), ("release", "seats taken back"))
    return [
        {"field": name, "label": label, "old": None, "new": str(len(item.effects[name])), "unit": "people"}
        for name, label in said
        if item.effects.get(name)
    ]


def in_words(name: str, value: JSON, labels: Mapping[str, str]) -> str:
    """A value as people read it; ids become names, empty ends say what they mean."""
    if name == "grace_seconds":
        return _duration(value) if value else "none"
    if value is None:
        return _ABSENT.get(name, "–")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in COUNTRY_FIELDS:
        return ", ".join(f"{country_name(code)} ({code})" for code in value) or "–"
    if name in AMOUNTS:
        return f"{Decimal(value):,}"
    if name in ROWS_IN_WORDS:
        return "; ".join(ROWS_IN_WORDS[name](row) for row in value) or "–"
    if name == "periods":
        return "; ".join(_period(period) for period in value)
    for form in (_sequence, _mapping):
        told = form(value, labels)
        if told is not None:
            return told
    return labels.get(str(value), str(value)) or "–"


def _clause(row: Mapping[str, JSON]) -> str:
    read = " ".join(part for part in (row["interpreted_by"], row.get("interpreted_on") or "") if part)
    told = f"{row['number']} {row['title']}"
    told += f", text SHA-256 {row['digest'][:12]}…" if row.get("digest") else ""
    return f"{told}, read by {read}" if read else told


def _consent(row: Mapping[str, JSON]) -> str:
    return f"{row['to']}, given by {row['given_by']} on {row['given_on']}"


def _screening(row: Mapping[str, JSON]) -> str:
    return f"{row['matter']} of {row['subject']}: {row['outcome']}, {row['screened_on']}"


def _rate(row: Mapping[str, JSON]) -> str:
    return f"1 {row['currency']} is {Decimal(row['rate']).normalize():f}, of {row['rated_on']}"


# Rows that have sections of their own: here only what tells one from another.
ROWS_IN_WORDS: Mapping[str, Callable[[Mapping[str, JSON]], str]] = {
    "clauses": _clause,
    "consents": _consent,
    "screenings": _screening,
    "exchange_rates": _rate,
}


def _duration(seconds: int) -> str:
    """Whole days if it is whole days, else days and hours:minutes:seconds."""
    days, rest = divmod(seconds, 86_400)
    told = f"{days} {'day' if days == 1 else 'days'}" if days else ""
    return told if not rest else f"{told} {timedelta(seconds=rest)}".strip()


_ABSENT: Mapping[str, str] = {
    "seats": "unlimited",
    "seats_maximum": "no maximum",
    "ends_at": "open-ended",
    "releases": "all releases",
    "updates_until": "as long as the right of use",
    "support_until": "as long as the right of use",
}


def _sequence(value: JSON, labels: Mapping[str, str]) -> str | None:
    if not isinstance(value, list):
        return None
    return ", ".join(_mapping(part, labels) or labels.get(str(part), str(part)) for part in value) or "–"


def _mapping(value: JSON, labels: Mapping[str, str]) -> str | None:
    if not isinstance(value, dict):
        return None
    return ", ".join(f"{key}: {_limit(part)}" for key, part in value.items() if part != "") or "–"


def _limit(value: JSON) -> str:
    if value is None:
        return "unlimited"
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _period(period: Mapping[str, JSON]) -> str:
    quantity = "unlimited" if period["quantity"] is None else f"{period['quantity']:,}"
    until = period["ends_at"] or "the line's end"
    price = Decimal(period["unit_price"]).normalize()
    return f"{quantity} at {price:f} each from {period['starts_at']} to {until}"


def named_in(items: Sequence[PreparedItem]) -> set[UUID]:
    """UUIDs that the items' rows refer to, so that they can be shown by name."""
    return {key for item in items for row in (item.before or {}, item.after or {}) for key in named_in_row(row)}


def named_in_row(row: Mapping[str, JSON]) -> set[UUID]:
    """UUIDs of other records that a row refers to."""
    found = {UUID(value) for name, value in row.items() if name.endswith("_id") and isinstance(value, str)}
    return found | {UUID(part) for part in row.get("covered_accounts", ())}
