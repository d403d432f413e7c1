"""How instants, days, amounts and numbers are written on pages."""

from datetime import UTC, date, datetime
from decimal import Decimal

from babel.numbers import format_currency, format_decimal, validate_currency
from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

LOCALE = "en_US"
NONE = "–"


@register.filter
def instant(value: datetime | None, absent: str = NONE) -> str | SafeString:
    """
    Write an instant in the reader's zone, with the zone's name: 24 Nov 2026, 14:05 CET. `absent` stands for none.

    :raises ValueError: if the instant has no time zone
    """
    if value is None:
        return absent
    local = timezone.localtime(value)
    machine = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}">{} {}</time>', machine, f"{_day(local)}, {local:%H:%M}", zone_name(local))


@register.filter
def day(value: date | None, absent: str = NONE) -> str | SafeString:
    """Write a day: 24 Nov 2026. An instant is written as its day in the reader's zone; `absent` stands for none."""
    if value is None:
        return absent
    shown = timezone.localtime(value).date() if isinstance(value, datetime) else value
    return format_html('<time datetime="{}">{}</time>', shown.isoformat(), _day(shown))


@register.filter
def money(amount: Decimal | int | None, currency: str) -> str:
    """
    Write an amount with its currency's code and number of decimals: 1,234.50 EUR, 1,234 JPY.

    :raises UnknownCurrencyError: if the currency is not one of ISO 4217
    """
    if amount is None:
        return NONE
    validate_currency(currency)
    return format_currency(Decimal(amount), currency, "#,##0.00 ¤¤", locale=LOCALE).replace("\xa0", " ")


@register.filter
def whole(value: int | None) -> str:
    """Write a whole number: 12,345."""
    return NONE if value is None else format_decimal(value, "#,##0", locale=LOCALE)


def zone_name(local: datetime) -> str:
    """Return the zone's usual abbreviation at that instant (CET), or its offset where it has none (UTC-03:00)."""
    name = local.tzname() or ""
    if name.isalpha():
        return name
    offset = local.strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:]}"


def _day(value: date) -> str:
    return f"{value.day} {value:%b} {value.year}"
