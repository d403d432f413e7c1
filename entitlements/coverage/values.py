"""
What the coverage engine reads: entitlements as capacity (`Pool`), what is needed of them (`Need`), and who they serve
already (`Cohort`).

Every instant is timezone-aware, in any zone. Every period is half-open, `[starts_at, ends_at)`; an `ends_at` of None
is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from entitlements.coverage.instants import check_aware, check_order


class Metric(StrEnum):
    """What an entitlement counts."""

    NAMED_USER = "named_user"
    DEVICE = "device"
    CONCURRENT = "concurrent"
    METERED = "metered"


class Unit(StrEnum):
    """What a need counts: holders (people or devices, one seat each) or sessions open at the same time."""

    HOLDERS = "holders"
    SESSIONS = "sessions"


class Source(StrEnum):
    """How a need is known."""

    HELD = "held"
    SEEN = "seen"
    FORECAST = "forecast"


#: What each metric counts. A metered entitlement counts use: its quota is not coverage's to judge.
UNIT_OF_METRIC: dict[Metric, Unit | None] = {
    Metric.NAMED_USER: Unit.HOLDERS,
    Metric.DEVICE: Unit.HOLDERS,
    Metric.CONCURRENT: Unit.SESSIONS,
    Metric.METERED: None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """
    A part of those whom a rollout serves already: who meets all conditions given. None is no condition.

    `countries` are ISO 3166 alpha-2 codes. An anonymous need is in no cohort that names people.
    """

    accounts: frozenset[UUID] | None = None
    countries: frozenset[str] | None = None
    people: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """
    One entitlement as capacity.

    - `account_ids`: every account it serves: its own and, where the agreement says so, the descendants (the caller
      expands).
    - `countries`: ISO 3166 alpha-2 codes where it may be used; None is everywhere.
    - `features`: the features it gives. The product itself, without a named feature, it always gives.
    - `releases`: names of the releases it covers, None for all; `updates_ends_at`: of those, only the ones released
      before.
    - `support`: rank of its support level, 0 for none, higher is more; `support_ends_at`: from then on its rank is 0.
    - `seats`: units of what `metric` counts; None is explicitly unlimited. A pool of 0 seats serves nobody.
    - `starts_at`, `ends_at`: right of use. `grace_ends_at`: until when checks still allow use after `ends_at`.
    - `replaces`: the predecessor. While both count, they count together: see docs/coverage.md, "Successors".
    - `activation`: the cohorts it serves already, any of which suffices; None is everybody, an empty tuple nobody.
    - `holders`: who holds a seat of it now; they keep theirs first.

    :raises ValueError: if an instant is naive, periods run backwards, seats are negative or grace has no end to
        follow
    """

    id: UUID
    product_id: UUID
    account_ids: frozenset[UUID]
    starts_at: datetime
    ends_at: datetime | None = None
    grace_ends_at: datetime | None = None
    seats: int | None
    metric: Metric = Metric.NAMED_USER
    countries: frozenset[str] | None = None
    features: frozenset[str] = frozenset()
    releases: frozenset[str] | None = None
    updates_ends_at: datetime | None = None
    support: int = 0
    support_ends_at: datetime | None = None
    replaces: UUID | None = None
    activation: tuple[Cohort, ...] | None = None
    holders: frozenset[UUID] = frozenset()

    def __post_init__(self) -> None:
        for name in ("starts_at", "ends_at", "grace_ends_at", "updates_ends_at", "support_ends_at"):
            check_aware(f"Pool.{name}", getattr(self, name))
        if not self.account_ids:
            raise ValueError("Pool.account_ids is empty: name at least the account that the entitlement belongs to.")
        check_order("Pool.starts_at", self.starts_at, "Pool.ends_at", self.ends_at)
        if self.grace_ends_at is not None:
            if self.ends_at is None:
                raise ValueError("Pool.grace_ends_at is given without ends_at: what never ends has no grace.")
            check_order("Pool.ends_at", self.ends_at, "Pool.grace_ends_at", self.grace_ends_at)
        if self.seats is not None and self.seats < 0:
            raise ValueError(
                f"Pool.seats is {self.seats}: give a count of 0 or more, or None for explicitly unlimited."
            )
        if self.support < 0:
            raise ValueError(f"Pool.support is {self.support}: a rank is 0 (none) or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """
    What must be covered: one person (or device), or an anonymous count, who uses a product for an account in a
    country.

    - `person`: UUID of the person or device; None for an anonymous count.
    - `count`: how many; 1 for a person. Anonymous counts add to each other and to people: give only what is
      additional.
    - `unit`: what is counted. Sessions are always anonymous: `count` is the peak within the period.
    - `features`: features needed, each for itself; empty for the product without a named feature.
    - `release`: name of the release that must be covered, None for any; `released_at`: when it is or was released.
    - `support`: least rank of support that is needed; 0 for none.

    :raises ValueError: if an instant is naive, the period runs backwards, or person, count and unit contradict each
        other
    """

    account_id: UUID
    product_id: UUID
    country: str
    starts_at: datetime
    ends_at: datetime | None = None
    person: UUID | None = None
    count: int = 1
    unit: Unit = Unit.HOLDERS
    features: frozenset[str] = frozenset()
    release: str | None = None
    released_at: datetime | None = None
    support: int = 0
    source: Source = Source.HELD

    def __post_init__(self) -> None:
        for name in ("starts_at", "ends_at", "released_at"):
            check_aware(f"Need.{name}", getattr(self, name))
        check_order("Need.starts_at", self.starts_at, "Need.ends_at", self.ends_at)
        if self.count < 1:
            raise ValueError(f"Need.count is {self.count}: a need counts at least one; leave out what is not needed.")
        if self.person is not None and (self.count != 1 or self.unit is not Unit.HOLDERS):
            raise ValueError("A Need with a person counts one holder: leave person out for several or for sessions.")
        if "" in self.features:
            raise ValueError("Need.features holds an empty name: leave features empty to need the product itself.")
        if self.support < 0:
            raise ValueError(f"Need.support is {self.support}: a rank is 0 (none) or more.")
