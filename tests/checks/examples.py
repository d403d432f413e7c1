"""Questions and terms that fit each other, to be bent by one argument at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from entitlements.checks.values import (
    Environment,
    FeatureLimit,
    Holding,
    LimitKind,
    Metric,
    Owner,
    Phase,
    Question,
    Terms,
)

ACCOUNT = UUID(int=1)
OTHER_ACCOUNT = UUID(int=2)
PRODUCT = UUID(int=11)
OTHER_PRODUCT = UUID(int=12)
PERSON = UUID(int=21)
OTHER_PERSON = UUID(int=22)
DEVICE = "press-7"
DEPLOYMENT = UUID(int=31)
START = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
OWNER = Owner(label="Ines Duarte", contact_id=UUID(int=41))
FEATURES = {
    "reports": FeatureLimit(LimitKind.SWITCH),
    "beta": FeatureLimit(LimitKind.SWITCH, enabled=False),
    "projects": FeatureLimit(LimitKind.QUOTA, limit=25),
    "renders": FeatureLimit(LimitKind.METERED, limit=0),
    "archive": FeatureLimit(LimitKind.QUOTA, limit=0),
}


def entitlement_id(number: int) -> UUID:
    return UUID(int=1000 + number)


def question(**given: Any) -> Question:
    return Question(
        **{
            "account_id": ACCOUNT,
            "product_id": PRODUCT,
            "at": NOON,
            "person_id": PERSON,
            "country": "DE",
            "environment": Environment.PRODUCTION,
            **given,
        }
    )


def production(number: int = 1, **given: Any) -> Terms:
    return Terms(
        **{
            "entitlement_id": entitlement_id(number),
            "product_id": PRODUCT,
            "account_ids": frozenset({ACCOUNT}),
            "phase": Phase.PRODUCTION,
            "metric": Metric.NAMED_USER,
            "environments": frozenset({Environment.PRODUCTION, Environment.STAGING}),
            "countries": frozenset({"DE", "FR"}),
            "features": FEATURES,
            "starts_at": START,
            "ends_at": END,
            "seats": 10,
            "used_count": 4,
            "owner": OWNER,
            **given,
        }
    )


def trial(number: int = 2, **given: Any) -> Terms:
    return production(
        number,
        **{"phase": Phase.TRIAL, "environments": frozenset({Environment.TRIAL, Environment.STAGING}), **given},
    )


def seat(number: int = 1, **given: Any) -> Holding:
    return Holding(entitlement_id=entitlement_id(number), **(given or {"person_id": PERSON}))
