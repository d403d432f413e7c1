"""
Coverage: whether what is needed can be met by entitlements in force, over a horizon, and if not, when, where, for
whom and why.

Pure: no database, no clock, no settings. docs/coverage.md says what is decided and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from entitlements.coverage.components import components
from entitlements.coverage.families import check_successions
from entitlements.coverage.instants import check_aware, utc
from entitlements.coverage.results import Coverage, Dimension, Gap, GapKind, Place, Segment
from entitlements.coverage.sweep import Sweep
from entitlements.coverage.values import Need, Pool

_KIND = {kind: rank for rank, kind in enumerate(GapKind)}
_DIMENSION = {dimension: rank for rank, dimension in enumerate(Dimension)}


def cover(*, pools: Iterable[Pool], needs: Iterable[Need], horizon: tuple[datetime, datetime]) -> Coverage:
    """
    Return the timelines and gaps of all needs within a horizon.

    `pools` are entitlements as they are or as they would be; their order and the order of `needs` make no difference.
    `horizon` is half-open and timezone-aware. All instants returned are in UTC; an `ends_at` of None reaches the end
    of the horizon.

    :raises ValueError: if the horizon is naive or empty, a pool id occurs twice, or a pool replaces itself over any
        number of steps
    """
    starts_at, ends_at = _checked(horizon)
    by_id = _by_id(pools)
    check_successions(by_id)
    asked = tuple(needs)
    within = [need for need in asked if _within(need, starts_at, ends_at)]
    timelines: dict[Place, tuple[Segment, ...]] = {}
    gaps: list[Gap] = []
    for component in components(pools=by_id, needs=within):
        found, open_gaps = Sweep(component, (starts_at, ends_at)).run()
        timelines.update(found)
        gaps += open_gaps
    return Coverage(
        horizon=(starts_at, ends_at),
        timelines={place: timelines[place] for place in sorted(timelines, key=_place_order)},
        gaps=tuple(sorted(gaps, key=_gap_order)),
        needs=asked,
    )


def _checked(horizon: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    starts_at, ends_at = horizon
    check_aware("The start of the horizon", starts_at)
    check_aware("The end of the horizon", ends_at)
    if utc(ends_at) <= utc(starts_at):
        raise ValueError(
            f"The horizon from {starts_at.isoformat()} to {ends_at.isoformat()} is empty: let it end after it starts."
        )
    return utc(starts_at), utc(ends_at)


def _by_id(pools: Iterable[Pool]) -> dict[UUID, Pool]:
    by_id: dict[UUID, Pool] = {}
    for pool in pools:
        if pool.id in by_id:
            raise ValueError(f"Pool {pool.id} is given twice: give each entitlement once, as it is or as it would be.")
        by_id[pool.id] = pool
    return by_id


def _within(need: Need, starts_at: datetime, ends_at: datetime) -> bool:
    """Tell whether a need has any instant in the horizon; an empty period has none."""
    begins = max(utc(need.starts_at), starts_at)
    return begins < (ends_at if need.ends_at is None else min(utc(need.ends_at), ends_at))


def _place_order(place: Place) -> tuple[int, int, str, str, str]:
    return place.account_id.int, place.product_id.int, place.country, place.feature, place.unit


def _gap_order(gap: Gap) -> tuple[object, ...]:
    dimensions = tuple(_DIMENSION[each] for each in gap.dimensions)
    return _place_order(gap.place), gap.starts_at, _KIND[gap.kind], dimensions
