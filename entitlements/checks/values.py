"""
The values that an access check takes and gives.

All instants are timezone-aware, all periods half-open `[starts_at, ends_at)`, all countries upper-case ISO 3166
alpha-2 codes. Whoever reads them from the database resolves names, account trees and region groups first: nothing
here looks anything up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from entitlements.checks.reasons import Code


class Phase(StrEnum):
    """The phase of an entitlement."""

    TRIAL = "trial"
    BRIDGE = "bridge"
    PRODUCTION = "production"


class Environment(StrEnum):
    """What a deployment is for."""

    TRIAL = "trial"
    STAGING = "staging"
    PRODUCTION = "production"


class Metric(StrEnum):
    """What one unit of an entitlement is."""

    NAMED_USER = "named_user"
    CONCURRENT = "concurrent"
    DEVICE = "device"
    METERED = "metered"


class LimitKind(StrEnum):
    """What the limit of an answer counts."""

    SWITCH = "switch"
    QUOTA = "quota"
    METERED = "metered"
    SEATS = "seats"


@dataclass(frozen=True, slots=True)
class Question:
    """
    May this subject use this product, or this feature of it, here and at this instant?

    `deployment_environment` is that of the named deployment, as the registry knows it; it outranks the claimed
    `environment`. `released_at` is when the named release was released, if the registry knows.

    :raises ValueError: if an instant has no time zone
    """

    account_id: UUID
    product_id: UUID
    at: datetime
    feature: str | None = None
    person_id: UUID | None = None
    device_id: str | None = None
    country: str | None = None
    environment: Environment | None = None
    deployment_id: UUID | None = None
    deployment_environment: Environment | None = None
    release: str | None = None
    released_at: datetime | None = None

    def __post_init__(self) -> None:
        _check_aware("Question", self.at, self.released_at)

    @property
    def effective_environment(self) -> Environment | None:
        """Answer the environment that rules are held against: the deployment's, else the claimed one."""
        return self.deployment_environment or self.environment


@dataclass(frozen=True, slots=True)
class FeatureLimit:
    """
    What an entitlement gives of one feature.

    A switch is `enabled` or not. A quota has a `limit`, None for no limit. Of a metered feature, `limit` is the
    allowance that is included, zero when every unit is charged, None when none is.
    """

    kind: LimitKind
    enabled: bool = True
    limit: int | None = None

    @property
    def gives_nothing(self) -> bool:
        """Answer whether the feature is there only to say that it is off."""
        return not self.enabled or (self.kind is LimitKind.QUOTA and self.limit == 0)


@dataclass(frozen=True, slots=True)
class Cohorts:
    """
    Whom an entitlement serves already: a question belongs if its country, its account or its person is listed.

    Empty cohorts serve nobody. Accounts are listed with the descendants that are meant.
    """

    countries: frozenset[str] = frozenset()
    account_ids: frozenset[UUID] = frozenset()
    person_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers for an entitlement: the person to contact, and how that person is shown."""

    label: str
    contact_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """
    One entitlement as a value, in force or near.

    `account_ids` are the accounts served, None if the caller has selected them already. `countries` None is
    everywhere, `releases` None is every release, `ends_at` None is open-ended, `seats` None is explicitly unlimited,
    `activation` None is everybody. `used_count` counts the seats in use, `replaces_id` names the entitlement that
    this one succeeds for the same holders.

    :raises ValueError: if an instant has no time zone, or grace is negative
    """

    entitlement_id: UUID
    product_id: UUID
    phase: Phase
    metric: Metric
    starts_at: datetime
    ends_at: datetime | None = None
    account_ids: frozenset[UUID] | None = None
    environments: frozenset[Environment] = frozenset()
    countries: frozenset[str] | None = None
    features: Mapping[str, FeatureLimit] = field(default_factory=dict)
    releases: frozenset[str] | None = None
    grace_seconds: int = 0
    updates_until: datetime | None = None
    support_until: datetime | None = None
    seats: int | None = None
    hard: bool = True
    used_count: int = 0
    activation: Cohorts | None = None
    replaces_id: UUID | None = None
    owner: Owner | None = None
    withdrawn: bool = False

    def __post_init__(self) -> None:
        _check_aware("Terms", self.starts_at, self.ends_at, self.updates_until, self.support_until)
        if self.grace_seconds < 0:
            raise ValueError("Terms need a grace of zero seconds or more.")


@dataclass(frozen=True, slots=True)
class Holding:
    """One seat held: of which entitlement, by which person or which device."""

    entitlement_id: UUID
    person_id: UUID | None = None
    device_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """
    The answer to one question, with its reason.

    `until` is the instant at which this answer may change: the end of the entitlement, the end of its grace, or, of
    an entitlement that has not begun, its start; None if no such instant is known. `limit` counts what `limit_kind`
    says, None is no limit. `duplicate_ids` names one entitlement for each of the seats of which the subject needs
    only one. `guidance` is a path in the portal.
    """

    allowed: bool
    code: Code
    sentence: str
    next_action: str
    guidance: str
    limit: int | None = None
    limit_kind: LimitKind | None = None
    until: datetime | None = None
    entitlement_id: UUID | None = None
    phase: Phase | None = None
    owner: Owner | None = None
    duplicate_ids: tuple[UUID, ...] = ()
    warnings: tuple[Code, ...] = ()


def _check_aware(what: str, *instants: datetime | None) -> None:
    for instant in instants:
        if instant is not None and instant.tzinfo is None:
            raise ValueError(f"{what} needs instants with a time zone, not {instant.isoformat()}.")
