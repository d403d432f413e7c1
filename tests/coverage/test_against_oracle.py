"""The engine against the oracle at every instant of a fine grid. TENURE_SOAK_EXAMPLES sets how many cases."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings

from entitlements.coverage.engine import cover
from entitlements.coverage.results import Coverage
from tests.coverage.cases import Case, cases
from tests.coverage.grid import grid
from tests.coverage.oracle import Oracle, Picture

pytestmark = pytest.mark.soak

EXAMPLES = int(os.environ.get("TENURE_SOAK_EXAMPLES", "250"))


def picture_of(coverage: Coverage, instant: datetime) -> Picture:
    """What a coverage says of one instant, in the oracle's words."""
    end = coverage.horizon[1]
    timelines = {}
    for place, segments in coverage.timelines.items():
        (segment,) = [each for each in segments if each.starts_at <= instant < (each.ends_at or end)]
        timelines[tuple(place)] = (segment.capacity, segment.need)
    gaps = {}
    for gap in coverage.gaps:
        if gap.starts_at <= instant < (gap.ends_at or end):
            name = (gap.kind, tuple(gap.place), gap.dimensions)
            assert name not in gaps, "two gaps of one name at one instant"
            assert len(set(gap.people)) == len(gap.people) <= gap.count
            gaps[name] = (frozenset(gap.people), gap.count, frozenset(gap.pools))
    return Picture(timelines, gaps)


def check_shape(coverage: Coverage) -> None:
    """Segments follow each other, neighbors differ, keys are unique, everything is in UTC and within the horizon."""
    start, end = coverage.horizon
    for segments in coverage.timelines.values():
        assert segments[0].starts_at == start
        assert segments[-1].ends_at is None
        for before, after in pairwise(segments):
            assert before.ends_at == after.starts_at
            assert before[2:] != after[2:]
    assert len({gap.key for gap in coverage.gaps}) == len(coverage.gaps)
    for gap in coverage.gaps:
        assert start <= gap.starts_at < (gap.ends_at or end) <= end
        assert gap.ends_at != end
        assert gap.starts_at.tzinfo is UTC
    whole = {(g.kind, g.place, g.dimensions, g.people, g.count, g.pools, g.starts_at) for g in coverage.gaps}
    for gap in coverage.gaps:
        follows = (gap.kind, gap.place, gap.dimensions, gap.people, gap.count, gap.pools, gap.ends_at)
        assert follows not in whole, "two gaps that are one"


class TestTheEngine:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases())
    def test_says_at_every_instant_what_trying_every_assignment_says(self, case: Case) -> None:
        coverage = cover(pools=case.pools, needs=case.needs, horizon=case.horizon)

        check_shape(coverage)
        oracle = Oracle(case.pools, case.needs, case.horizon)
        for instant in grid(case.pools, case.needs, case.horizon):
            assert picture_of(coverage, instant) == oracle.at(instant), instant

    @settings(max_examples=max(EXAMPLES // 10, 30), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases())
    def test_does_not_depend_on_the_order_of_its_input(self, case: Case) -> None:
        forward = cover(pools=case.pools, needs=case.needs, horizon=case.horizon)
        backward = cover(pools=case.pools[::-1], needs=case.needs[::-1], horizon=case.horizon)

        assert forward.gaps == backward.gaps
        assert forward.timelines == backward.timelines
        assert list(forward.timelines) == list(backward.timelines)
