"""Short ways to write entitlements and needs in tests: one account, one product, days counted from a Monday."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from entitlements.coverage.values import Need, Pool

ACCOUNT = UUID(int=0xA0)
SUBSIDIARY = UUID(int=0xA1)
PRODUCT = UUID(int=0xB0)
ADA, BOB, CYD, DAN = (UUID(int=0xC0 + number) for number in range(4))
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def day(number: float) -> datetime:
    """The instant `number` days after the start of the horizon."""
    return MONDAY + timedelta(days=number)


HORIZON = (day(0), day(10))


def pool_id(number: int) -> UUID:
    return UUID(int=0xD0 + number)


def pool(number: int, **fields: Any) -> Pool:
    """An entitlement to two named users, everywhere, since before the horizon and without an end."""
    terms: dict[str, Any] = {"account_ids": frozenset({ACCOUNT}), "starts_at": day(-30), "seats": 2}
    return Pool(id=pool_id(number), product_id=PRODUCT, **(terms | fields))


def need(person: UUID | None, **fields: Any) -> Need:
    """A need in Germany, since before the horizon and without an end."""
    terms: dict[str, Any] = {"account_id": ACCOUNT, "country": "DE", "starts_at": day(-30)}
    return Need(product_id=PRODUCT, person=person, **(terms | fields))
