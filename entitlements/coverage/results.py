"""
What the coverage engine answers: per place the timeline of capacity and need, and every gap.

Every instant is in UTC and lies within the horizon. Every period is half-open; an `ends_at` of None says that the
period reaches the end of the horizon, `Coverage.horizon[1]`, and that nothing is said about what follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from entitlements.coverage.values import Need, Unit


class GapKind(StrEnum):
    """Why a need is not covered."""

    DARK = "dark"
    SHORT = "short"
    LOST = "lost"
    GRACE = "grace"


class Dimension(StrEnum):
    """What of a need no entitlement gives any more. The order is the one in which several are listed."""

    FEATURE = "feature"
    REGION = "region"
    RELEASE = "release"
    SUPPORT = "support"


class Place(NamedTuple):
    """
    Where need and capacity meet.

    `country` is an ISO 3166 alpha-2 code; `feature` is "" for the product without a named feature; `unit` says what
    is counted.
    """

    account_id: UUID
    product_id: UUID
    country: str
    feature: str
    unit: Unit


class Segment(NamedTuple):
    """
    A stretch of time with constant capacity and need at one place.

    `capacity` is the most that needs of this place alone could be given by entitlements in force, None if nothing
    limits it. Places share seats, so capacities of places must not be added up.
    """

    starts_at: datetime
    ends_at: datetime | None
    capacity: int | None
    need: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """
    A stretch of time in which need at one place is not covered, for one reason and the same people.

    - `dimensions`: for a lost gap what is missing, in the order of `Dimension`; empty otherwise.
    - `people`: who is not covered, in order of their UUIDs. `count`: how many in all, anonymous needs included.
    - `pools`: short: the entitlements that would do and are full; grace: those in grace that still allow it;
      otherwise empty.
    """

    kind: GapKind
    place: Place
    dimensions: tuple[Dimension, ...]
    starts_at: datetime
    ends_at: datetime | None
    people: tuple[UUID, ...]
    count: int
    pools: tuple[UUID, ...]

    @property
    def short_pools(self) -> tuple[UUID, ...]:
        """The entitlements whose seats do not suffice; empty unless the gap is short."""
        return self.pools if self.kind is GapKind.SHORT else ()

    @property
    def anonymous(self) -> int:
        """How many of `count` are not people known by UUID."""
        return self.count - len(self.people)

    @property
    def key(self) -> str:
        """A stable name: two gaps of one coverage never share it, and it is the same on every run."""
        place = self.place
        what = "+".join(self.dimensions) or "-"
        start = self.starts_at.isoformat().replace("+00:00", "Z")
        where = f"{place.account_id}/{place.product_id}/{place.country}/{place.feature or '-'}/{place.unit}"
        return f"{self.kind}/{where}/{what}/{start}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """
    Capacity, need and gaps within a horizon.

    - `timelines`: one entry for each place at which anything is needed within the horizon, in order of the places;
      its segments follow each other without a hole from the start of the horizon to its end, and neighbors differ.
    - `gaps`: in order of place, start and kind.
    - `needs`: what was asked, as given: comparisons need it to tell who had a need before.
    """

    horizon: tuple[datetime, datetime]
    timelines: Mapping[Place, tuple[Segment, ...]]
    gaps: tuple[Gap, ...]
    needs: tuple[Need, ...] = field(repr=False)
