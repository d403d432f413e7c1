"""The instants at which engine and oracle are compared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from entitlements.coverage.values import Need, Pool
from tests.coverage.oracle import z

MICROSECOND = timedelta(microseconds=1)


def grid(pools: Iterable[Pool], needs: Iterable[Need], horizon: tuple[datetime, datetime]) -> list[datetime]:
    """Every instant of the input, a microsecond to either side of it, and the middle between neighbors."""
    start, end = z(horizon[0]), z(horizon[1])
    edges = {start, end}
    for pool in pools:
        edges |= {
            z(edge)
            for edge in (pool.starts_at, pool.ends_at, pool.grace_ends_at, pool.support_ends_at, pool.updates_ends_at)
            if edge is not None
        }
    for need in needs:
        edges |= {z(edge) for edge in (need.starts_at, need.ends_at, need.released_at) if edge is not None}
    ordered = sorted(edges)
    points = {point for edge in ordered for point in (edge - MICROSECOND, edge, edge + MICROSECOND)}
    points |= {before + (after - before) / 2 for before, after in pairwise(ordered)}
    return sorted(point for point in points if start <= point < end)
