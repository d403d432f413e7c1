"""What a change breaks, whom it hurts and whom it helps."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entitlements.coverage.comparison import access, new_gaps, people_gaining, people_losing, severity
from entitlements.coverage.engine import cover
from entitlements.coverage.instants import utc
from entitlements.coverage.results import Coverage, Gap, GapKind
from tests.coverage.build import ACCOUNT, ADA, BOB, HORIZON, PRODUCT, day, need, pool
from tests.coverage.cases import Case, cases
from tests.coverage.grid import grid


def covered(*parts: object) -> Coverage:
    pools = [part for part in parts if not hasattr(part, "person")]
    needs = [part for part in parts if hasattr(part, "person")]
    return cover(pools=pools, needs=needs, horizon=HORIZON)


class TestNewGaps:
    def test_are_none_between_a_coverage_and_itself(self) -> None:
        coverage = covered(pool(1, ends_at=day(5)), need(ADA))

        assert coverage.gaps
        assert new_gaps(coverage, coverage) == ()

    def test_do_not_include_a_gap_that_shrinks(self) -> None:
        before = covered(pool(1, ends_at=day(5)), need(ADA), need(BOB))
        after = covered(pool(1, ends_at=day(8)), need(ADA), need(BOB))

        assert new_gaps(before, after) == ()

    def test_are_only_the_added_days_of_a_gap_that_starts_earlier(self) -> None:
        before = covered(pool(1, ends_at=day(5)), need(ADA))
        after = covered(pool(1, ends_at=day(3)), need(ADA))

        (gap,) = new_gaps(before, after)

        assert (gap.kind, gap.starts_at, gap.ends_at, gap.people) == (GapKind.DARK, day(3), day(5), (ADA,))

    def test_are_only_the_added_people_of_a_gap_that_concerns_more(self) -> None:
        before = covered(pool(1, seats=1, holders=frozenset({BOB})), need(ADA), need(BOB))
        after = covered(pool(1, ends_at=day(5), seats=1, holders=frozenset({BOB})), need(ADA), need(BOB))

        dark = [gap for gap in new_gaps(before, after) if gap.kind is GapKind.DARK]

        # Ada had no seat already, but from "no seat" to "nothing at all" is worse.
        assert [(gap.people, gap.starts_at, gap.ends_at) for gap in dark] == [((ADA, BOB), day(5), None)]

    def test_count_anonymous_needs_by_their_number(self) -> None:
        before = covered(pool(1, seats=4), need(None, count=6))
        after = covered(pool(1, seats=3), need(None, count=6))

        (gap,) = new_gaps(before, after)

        assert (gap.kind, gap.count, gap.people) == (GapKind.SHORT, 1, ())

    def test_refuse_different_horizons(self) -> None:
        coverage = covered(need(ADA))
        other = cover(pools=[], needs=[], horizon=(HORIZON[0], HORIZON[1] + timedelta(days=1)))

        with pytest.raises(ValueError, match="different horizons"):
            new_gaps(coverage, other)


class TestPeopleLosing:
    def test_names_who_was_covered_and_is_not_with_the_time(self) -> None:
        before = covered(pool(1), need(ADA, ends_at=day(8)))
        after = covered(pool(1, ends_at=day(5)), need(ADA, ends_at=day(8)))

        (shift,) = people_losing(before, after)

        assert (shift.person, shift.account_id, shift.product_id) == (ADA, ACCOUNT, PRODUCT)
        assert (shift.starts_at, shift.ends_at, shift.kind) == (day(5), day(8), GapKind.DARK)
        assert people_gaining(before, after) == ()

    def test_is_silent_about_who_had_nothing_before(self) -> None:
        before = covered(pool(1, seats=1, holders=frozenset({ADA})), need(ADA), need(BOB))
        after = covered(need(ADA), need(BOB))

        assert [shift.person for shift in people_losing(before, after)] == [ADA]

    def test_is_silent_about_needs_that_are_new(self) -> None:
        assert people_losing(covered(), covered(need(ADA))) == ()

    def test_counts_falling_back_on_grace(self) -> None:
        before = covered(pool(1), need(ADA))
        after = covered(pool(1, ends_at=day(5), grace_ends_at=day(7)), need(ADA))

        shifts = people_losing(before, after)

        assert [(shift.kind, shift.starts_at, shift.ends_at) for shift in shifts] == [
            (GapKind.GRACE, day(5), day(7)),
            (GapKind.DARK, day(7), None),
        ]


class TestPeopleGaining:
    def test_names_who_was_not_covered_and_is(self) -> None:
        before = covered(pool(1, ends_at=day(5)), need(ADA))
        after = covered(pool(1, ends_at=day(5)), pool(2, starts_at=day(5), ends_at=day(7)), need(ADA))

        (shift,) = people_gaining(before, after)

        assert (shift.person, shift.starts_at, shift.ends_at, shift.kind) == (ADA, day(5), day(7), GapKind.DARK)
        assert people_losing(before, after) == ()


@st.composite
def changes(draw: st.DrawFn) -> tuple[Case, Case]:
    """A case, and the same with entitlements and needs changed a little."""
    case = draw(cases())
    pools = list(case.pools)
    for index in range(len(pools)):
        match draw(st.integers(0, 4)):
            case 0:
                pools[index] = replace(pools[index], seats=draw(st.integers(0, 4)))
            case 1:
                end = utc(pools[index].starts_at) + timedelta(minutes=draw(st.integers(0, 200)))
                pools[index] = replace(pools[index], ends_at=end, grace_ends_at=None)
    if pools and draw(st.booleans()):
        gone = pools.pop()
        pools = [each if each.replaces != gone.id else replace(each, replaces=None) for each in pools]
    needs = case.needs[1:] if draw(st.integers(0, 3)) == 0 else case.needs
    return case, Case(pools, needs, case.horizon)


def worst_at(coverage: Coverage, gaps: tuple[Gap, ...], instant: datetime, rank: object) -> dict[object, int]:
    found: dict[object, int] = {}
    for gap in gaps:
        if gap.starts_at <= instant < (gap.ends_at or coverage.horizon[1]):
            for person in gap.people:
                found[person, gap.place] = max(found.get((person, gap.place), 0), rank(gap))  # type: ignore[operator]
    return found


class TestComparisons:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(both=changes())
    def test_agree_with_looking_at_each_instant(self, both: tuple[Case, Case]) -> None:
        before, after = (cover(pools=c.pools, needs=c.needs, horizon=c.horizon) for c in both)
        new, losing = new_gaps(before, after), people_losing(before, after)

        for instant in grid(both[0].pools + both[1].pools, both[0].needs, both[0].horizon):
            was, now = (worst_at(c, c.gaps, instant, severity) for c in (before, after))
            found = worst_at(after, new, instant, severity)
            assert {key for key in found} == {key for key in now if now[key] > was.get(key, 0)}
            usable_was, usable_now = (worst_at(c, c.gaps, instant, access) for c in (before, after))
            needed = {
                (need.person, need.account_id, need.product_id, need.country, feature)
                for need in both[0].needs
                if utc(need.starts_at) <= instant and (need.ends_at is None or instant < utc(need.ends_at))
                for feature in need.features or {""}
            }
            expected = {
                (person, place.account_id, place.product_id)
                for (person, place), rank in usable_now.items()
                if rank > usable_was.get((person, place), 0) and (person, *place[:4]) in needed
            }
            assert expected == {
                (shift.person, shift.account_id, shift.product_id)
                for shift in losing
                if shift.starts_at <= instant < (shift.ends_at or after.horizon[1])
            }

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(both=changes())
    def test_find_what_anonymous_needs_lack_in_addition(self, both: tuple[Case, Case]) -> None:
        before, after = (cover(pools=c.pools, needs=c.needs, horizon=c.horizon) for c in both)
        new = new_gaps(before, after)

        for instant in grid(both[0].pools + both[1].pools, both[0].needs, both[0].horizon):
            for place in {gap.place for gap in after.gaps}:
                was, now, found = (
                    [
                        severity(gap)
                        for gap in gaps
                        if gap.place == place and gap.starts_at <= instant < (gap.ends_at or after.horizon[1])
                        for _ in range(gap.anonymous)
                    ]
                    for gaps in (before.gaps, after.gaps, new)
                )
                # Whatever the pairing, at least so many of each rank and above have no equal before.
                lacking = max(
                    (sum(each >= rank for each in now) - sum(each >= rank for each in was) for rank in range(1, 6)),
                    default=0,
                )
                assert len(found) == max(lacking, 0)
