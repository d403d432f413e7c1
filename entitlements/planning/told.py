"""Values of a plan's document as people read them, for the sections of a reading."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from entitlements.catalog.regions import country_name
from foundation.templatetags.tenure import money
from foundation.web.blocks import Fact
from foundation.web.instants import day_text, instant_text

JSON = Any
Labels = Mapping[str, str]


def amount(value: JSON, currency: str) -> str:
    """An amount with its currency; a dash for none."""
    return "–" if value is None or not currency else str(money(Decimal(value), currency))


def change(before: JSON, after: JSON, currency: str) -> str:
    """An amount before and after, and how much more or less that is."""
    was, now = Decimal(before), Decimal(after)
    if was == now:
        return f"{amount(now, currency)}, unchanged"
    sign = "+" if now > was else ""
    return f"{amount(was, currency)} → {amount(now, currency)} ({sign}{amount(now - was, currency)})"


def day(value: str | None) -> str:
    """A day; a dash for none."""
    return "–" if not value else day_text(date.fromisoformat(value[:10]))


def instant(value: str | None, absent: str = "–") -> str:
    """An instant in the reader's zone."""
    return absent if not value else instant_text(datetime.fromisoformat(value))


def countries(codes: list[str]) -> str:
    """Countries by name."""
    return ", ".join(f"{country_name(code)} ({code})" for code in codes) or "–"


def fact(label: str, value: str, where: str) -> Fact:
    """A fact, or where to record it if the registry does not have it."""
    return Fact(label, value) if value and value != "–" else Fact(label, "", where)


def percent(value: JSON) -> str:
    """A percentage without needless zeros; a dash for none."""
    return "–" if value is None else f"{Decimal(value).normalize():f} %"


def gathered(facts: Iterable[Fact]) -> list[Fact]:
    """The facts, and one at the end for what is missing at each place of the registry, if it is more than one."""
    known: list[Fact] = []
    missing: dict[str, list[tuple[Fact, str]]] = {}
    for one in facts:
        place, _, what = one.absent.partition(": ")
        if what:
            missing.setdefault(place, []).append((one, what.removesuffix(".")))
        else:
            known.append(one)
    for place, found in missing.items():
        if len(found) == 1:
            known.append(found[0][0])
        else:
            known.append(Fact("Missing", "", f"{place}: {'; '.join(dict.fromkeys(what for _, what in found))}."))
    return known
