"""What the coverage engine says, in examples that a person can check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from entitlements.coverage.engine import cover
from entitlements.coverage.results import Coverage, Dimension, Gap, GapKind, Place, Segment
from entitlements.coverage.values import Cohort, Metric, Need, Pool, Unit
from tests.coverage.build import ACCOUNT, ADA, BOB, CYD, DAN, HORIZON, PRODUCT, SUBSIDIARY, day, need, pool, pool_id

BERLIN = ZoneInfo("Europe/Berlin")
SECOND = timedelta(seconds=1)


def covered(*parts: Pool | Need) -> Coverage:
    return cover(
        pools=[part for part in parts if isinstance(part, Pool)],
        needs=[part for part in parts if isinstance(part, Need)],
        horizon=HORIZON,
    )


def segments(
    coverage: Coverage, country: str = "DE", feature: str = "", unit: Unit = Unit.HOLDERS
) -> tuple[Segment, ...]:
    return coverage.timelines[Place(ACCOUNT, PRODUCT, country, feature, unit)]


def said(gap: Gap) -> tuple[str, datetime, datetime | None, tuple[UUID, ...]]:
    return gap.kind, gap.starts_at, gap.ends_at, gap.people


class TestTime:
    def test_has_no_gap_where_a_successor_starts_in_the_instant_in_which_the_trial_ends(self) -> None:
        trial = pool(1, ends_at=day(5))
        production = pool(2, starts_at=day(5), replaces=trial.id)

        assert covered(trial, production, need(ADA)).gaps == ()

    def test_has_a_dark_gap_of_a_second_with_its_people_where_a_second_is_missing(self) -> None:
        trial = pool(1, ends_at=day(5))
        production = pool(2, starts_at=day(5) + SECOND, replaces=trial.id)

        (gap,) = covered(trial, production, need(ADA), need(BOB)).gaps

        assert said(gap) == (GapKind.DARK, day(5), day(5) + SECOND, (ADA, BOB))

    def test_compares_instants_and_not_wall_clocks(self) -> None:
        # On 29 March 2026 clocks in Berlin go from 2 to 3: the missing 02:30 is the instant that is also called 03:30.
        ends_at = datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN)
        trial = pool(1, ends_at=ends_at)
        production = pool(2, starts_at=datetime(2026, 3, 29, 1, 30, tzinfo=UTC), replaces=trial.id)
        horizon = (datetime(2026, 3, 28, tzinfo=BERLIN), datetime(2026, 3, 30, tzinfo=BERLIN))

        assert cover(pools=[trial, production], needs=[need(ADA)], horizon=horizon).gaps == ()

    def test_tells_the_two_hours_apart_that_have_the_same_name_in_autumn(self) -> None:
        first, second = (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1))
        horizon = (datetime(2026, 10, 24, tzinfo=BERLIN), datetime(2026, 10, 26, tzinfo=BERLIN))

        coverage = cover(pools=[pool(1, ends_at=first), pool(2, starts_at=second)], needs=[need(ADA)], horizon=horizon)

        (gap,) = coverage.gaps
        assert gap.ends_at is not None
        assert gap.ends_at - gap.starts_at == timedelta(hours=1)

    def test_is_clipped_to_the_horizon_where_an_open_end_says_so(self) -> None:
        coverage = covered(pool(1, ends_at=day(5)), need(ADA, starts_at=day(-2), ends_at=day(20)))

        assert [said(gap) for gap in coverage.gaps] == [(GapKind.DARK, day(5), None, (ADA,))]
        assert segments(coverage) == (Segment(day(0), day(5), 2, 1), Segment(day(5), None, 0, 1))

    def test_leaves_out_needs_outside_the_horizon(self) -> None:
        coverage = covered(
            need(ADA, ends_at=day(0)), need(BOB, starts_at=day(10)), need(CYD, starts_at=day(3), ends_at=day(3))
        )

        assert coverage.gaps == ()
        assert coverage.timelines == {}


class TestASuccessor:
    def test_that_overlaps_the_trial_by_a_day_does_not_add_its_seats(self) -> None:
        trial = pool(1, seats=2, ends_at=day(5))
        production = pool(2, seats=3, starts_at=day(4), replaces=trial.id)

        assert segments(covered(trial, production, need(ADA))) == (
            Segment(day(0), day(4), 2, 1),
            Segment(day(4), None, 3, 1),
        )

    def test_of_too_few_seats_is_short_from_the_end_of_the_trial_and_not_before(self) -> None:
        trial = pool(1, seats=3, ends_at=day(5), holders=frozenset({ADA, BOB, CYD}))
        production = pool(2, seats=2, starts_at=day(4), replaces=trial.id, holders=frozenset({CYD}))

        (gap,) = covered(trial, production, need(ADA), need(BOB), need(CYD)).gaps

        assert said(gap) == (GapKind.SHORT, day(5), None, (BOB,))
        assert gap.short_pools == (production.id,)

    def test_adds_to_another_successor_of_the_same_trial(self) -> None:
        trial = pool(1, seats=3)
        parts = [pool(2, seats=2, replaces=trial.id), pool(3, seats=2, replaces=trial.id)]

        (segment,) = segments(covered(trial, *parts, need(ADA)))

        assert segment.capacity == 4

    def test_shares_seats_with_the_trial_even_where_they_serve_different_accounts(self) -> None:
        third = UUID(int=0xA2)
        trial = pool(1, seats=2)
        production = pool(2, seats=2, replaces=trial.id, account_ids=frozenset({SUBSIDIARY}))
        german = pool(3, seats=3, account_ids=frozenset({SUBSIDIARY, third}), countries=frozenset({"DE"}))
        other = pool(4, seats=2, account_ids=frozenset({third}))
        there = [need(CYD, account_id=SUBSIDIARY, country="US"), need(DAN, account_id=SUBSIDIARY)]
        crowd = [need(UUID(int=0xE0 + number), account_id=third) for number in range(3)]

        (gap,) = covered(trial, production, german, other, need(ADA), need(BOB), *there, *crowd).gaps

        # Ada and Bob have both seats of the family. There are seats elsewhere, but Cyd cannot use them and Dan can.
        assert said(gap) == (GapKind.SHORT, day(0), None, (CYD,))
        assert gap.short_pools == (production.id,)

    def test_that_counts_something_else_does_not_share_capacity(self) -> None:
        trial = pool(1, seats=1)
        production = pool(2, seats=1, metric=Metric.CONCURRENT, replaces=trial.id)
        sessions = need(None, unit=Unit.SESSIONS, count=1)

        assert covered(trial, production, need(ADA), need(BOB), sessions).gaps == ()

    def test_does_not_serve_whom_its_rollout_has_not_reached(self) -> None:
        trial = pool(1, seats=3, ends_at=day(5))
        reached = (Cohort(countries=frozenset({"DE"})), Cohort(people=frozenset({CYD})))
        production = pool(2, seats=3, replaces=trial.id, activation=reached)

        coverage = covered(trial, production, need(ADA), need(BOB, country="US"), need(CYD, country="US"))

        assert [said(gap) for gap in coverage.gaps] == [(GapKind.DARK, day(5), None, (BOB,))]

    def test_may_not_replace_itself(self) -> None:
        circle = [pool(1, replaces=pool_id(2)), pool(2, replaces=pool_id(1))]

        with pytest.raises(ValueError, match="replaces itself over 2 step"):
            covered(*circle, need(ADA))


class TestASeat:
    def test_counts_once_for_a_person_in_two_countries_two_accounts_and_two_features(self) -> None:
        shared = pool(1, seats=1, account_ids=frozenset({ACCOUNT, SUBSIDIARY}), features=frozenset({"export", "sign"}))

        coverage = covered(
            shared,
            need(ADA, features=frozenset({"export", "sign"})),
            need(ADA, country="US"),
            need(ADA, account_id=SUBSIDIARY, features=frozenset({"sign"})),
        )

        assert coverage.gaps == ()
        assert len(coverage.timelines) == 4

    def test_is_shared_by_accounts_so_that_the_second_account_may_find_none(self) -> None:
        shared = pool(1, seats=1, account_ids=frozenset({ACCOUNT, SUBSIDIARY}))

        (gap,) = covered(shared, need(ADA), need(BOB, account_id=SUBSIDIARY)).gaps

        assert (gap.kind, gap.place.account_id, gap.people) == (GapKind.SHORT, SUBSIDIARY, (BOB,))

    def test_is_passed_on_by_whoever_can_take_another_pool(self) -> None:
        # Ada could take either; Bob only the pool for both countries. Flow moves Ada although she comes first.
        everywhere = pool(1, seats=1)
        german = pool(2, seats=1, countries=frozenset({"DE"}))

        assert covered(everywhere, german, need(ADA), need(BOB, country="US")).gaps == ()

    def test_stays_with_its_holder(self) -> None:
        (gap,) = covered(pool(1, seats=1, holders=frozenset({DAN})), need(ADA), need(DAN)).gaps

        assert gap.people == (ADA,)

    def test_of_a_base_and_one_of_an_add_on_cover_a_need_together(self) -> None:
        base, add_on = pool(1, features=frozenset({"export"})), pool(2, features=frozenset({"sign"}), ends_at=day(5))

        (gap,) = covered(base, add_on, need(ADA, features=frozenset({"export", "sign"}))).gaps

        assert (gap.kind, gap.dimensions, gap.place.feature, gap.starts_at) == (
            GapKind.LOST,
            (Dimension.FEATURE,),
            "sign",
            day(5),
        )

    def test_at_home_remains_to_a_traveler_who_finds_none_for_both_countries(self) -> None:
        everywhere = pool(1, seats=1, holders=frozenset({BOB}))
        german = pool(2, seats=2, countries=frozenset({"DE"}))

        (gap,) = covered(everywhere, german, need(BOB, country="US"), need(ADA), need(ADA, country="US")).gaps

        assert (gap.place.country, gap.people, gap.short_pools) == ("US", (ADA,), (everywhere.id,))

    def test_of_a_base_still_gives_what_a_full_add_on_would_have_given_too(self) -> None:
        base = pool(1, features=frozenset({"export"}))
        add_on = pool(
            2, seats=1, countries=frozenset({"DE"}), features=frozenset({"export", "sign"}), holders=frozenset({BOB})
        )
        both = frozenset({"export", "sign"})

        coverage = covered(
            base,
            add_on,
            need(BOB, features=frozenset({"sign"})),
            need(ADA, features=both),
            need(ADA, country="US", features=frozenset({"export"})),
        )

        (gap,) = coverage.gaps
        assert (gap.kind, gap.place.feature, gap.people) == (GapKind.SHORT, "sign", (ADA,))

    def test_is_not_needed_where_an_entitlement_is_explicitly_unlimited(self) -> None:
        coverage = covered(pool(1, seats=None), *(need(UUID(int=number + 1)) for number in range(50)))

        assert coverage.gaps == ()
        assert segments(coverage) == (Segment(day(0), None, None, 50),)

    def test_is_given_by_no_entitlement_of_zero_seats(self) -> None:
        (gap,) = covered(pool(1, seats=0), need(ADA)).gaps

        assert gap.kind is GapKind.DARK


class TestAConcurrentEntitlement:
    def test_counts_peak_sessions_and_not_people(self) -> None:
        floating = pool(1, seats=5, metric=Metric.CONCURRENT)
        people = [need(UUID(int=number + 1)) for number in range(40)]
        peak = need(None, unit=Unit.SESSIONS, count=7, starts_at=day(2), ends_at=day(3))

        coverage = covered(floating, *people, peak)

        (gap,) = coverage.gaps
        assert (gap.kind, gap.count, gap.people, gap.starts_at, gap.ends_at) == (GapKind.SHORT, 2, (), day(2), day(3))
        assert [segment.need for segment in segments(coverage, unit=Unit.SESSIONS)] == [0, 7, 0]


class TestAGap:
    @pytest.mark.parametrize(
        ("terms", "dimensions"),
        [
            ({"features": frozenset()}, (Dimension.FEATURE,)),
            ({"countries": frozenset({"US"})}, (Dimension.REGION,)),
            ({"releases": frozenset({"4"})}, (Dimension.RELEASE,)),
            ({"updates_ends_at": day(1)}, (Dimension.RELEASE,)),
            ({"support": 1}, (Dimension.SUPPORT,)),
            ({"support_ends_at": day(-1)}, (Dimension.SUPPORT,)),
            ({"support": 0, "countries": frozenset()}, (Dimension.REGION, Dimension.SUPPORT)),
        ],
    )
    def test_names_what_is_lost(self, terms: dict[str, object], dimensions: tuple[Dimension, ...]) -> None:
        whole = {"features": frozenset({"export"}), "releases": frozenset({"4", "5"}), "support": 2}
        wanted = need(ADA, features=frozenset({"export"}), release="5", released_at=day(1), support=2)

        assert covered(pool(1, **whole), wanted).gaps == ()
        (gap,) = covered(pool(1, **(whole | terms)), wanted).gaps

        assert (gap.kind, gap.dimensions) == (GapKind.LOST, dimensions)

    def test_names_what_the_nearest_entitlement_lacks(self) -> None:
        far = pool(1, countries=frozenset({"US"}), support=0)
        near = pool(2, support=1)

        (gap,) = covered(far, near, need(ADA, support=2)).gaps

        assert gap.dimensions == (Dimension.SUPPORT,)

    def test_opens_when_support_ends_before_the_right_of_use(self) -> None:
        (gap,) = covered(pool(1, support=2, support_ends_at=day(6)), need(ADA, support=1)).gaps

        assert (gap.kind, gap.starts_at) == (GapKind.LOST, day(6))

    def test_keeps_a_release_that_came_out_while_updates_were_included(self) -> None:
        perpetual = pool(1, updates_ends_at=day(2))

        assert covered(perpetual, need(ADA, release="5", released_at=day(2) - SECOND)).gaps == ()
        assert covered(perpetual, need(ADA, release="5")).gaps != ()

    def test_is_grace_while_only_grace_allows_it_and_dark_thereafter(self) -> None:
        ended = pool(1, ends_at=day(4), grace_ends_at=day(6))

        first, second = covered(ended, need(ADA)).gaps

        assert said(first) == (GapKind.GRACE, day(4), day(6), (ADA,))
        assert first.pools == (ended.id,)
        assert said(second) == (GapKind.DARK, day(6), None, (ADA,))

    def test_is_grace_only_for_as_many_as_grace_has_seats(self) -> None:
        ended = pool(1, seats=1, ends_at=day(4), grace_ends_at=day(20), holders=frozenset({BOB}))

        found = {gap.kind: gap.people for gap in covered(ended, need(ADA), need(BOB)).gaps if gap.starts_at >= day(4)}

        assert found == {GapKind.DARK: (ADA,), GapKind.GRACE: (BOB,)}

    def test_goes_on_as_one_while_nothing_about_it_changes(self) -> None:
        coverage = covered(
            need(ADA), need(BOB, country="US", starts_at=day(3)), need(ADA, starts_at=day(2), ends_at=day(4))
        )

        assert [said(gap) for gap in coverage.gaps if gap.place.country == "DE"] == [
            (GapKind.DARK, day(0), None, (ADA,))
        ]

    def test_has_a_key_that_says_what_where_and_since_when(self) -> None:
        (gap,) = covered(need(ADA)).gaps

        assert gap.key == f"dark/{ACCOUNT}/{PRODUCT}/DE/-/holders/-/2026-03-02T00:00:00Z"


class TestRefusals:
    @pytest.mark.parametrize("name", ["starts_at", "ends_at", "grace_ends_at", "updates_ends_at", "support_ends_at"])
    def test_a_naive_instant_of_a_pool_says_how_to_mend_it(self, name: str) -> None:
        instants = {"starts_at": day(0), "ends_at": day(1), "grace_ends_at": day(2), name: datetime(2026, 3, 2)}  # noqa: DTZ001

        with pytest.raises(ValueError, match=rf"Pool\.{name} .* without a time zone.*attach the zone"):
            pool(1, **instants)

    def test_a_naive_need_or_horizon(self) -> None:
        with pytest.raises(ValueError, match=r"Need\.ends_at"):
            need(ADA, ends_at=datetime(2026, 3, 2))  # noqa: DTZ001
        with pytest.raises(ValueError, match="end of the horizon"):
            cover(pools=[], needs=[], horizon=(day(0), datetime(2026, 3, 2)))  # noqa: DTZ001

    @pytest.mark.parametrize(
        "terms",
        [
            {"ends_at": day(-31)},
            {"grace_ends_at": day(1)},
            {"ends_at": day(1), "grace_ends_at": day(0)},
            {"seats": -1},
            {"support": -1},
            {"account_ids": frozenset()},
        ],
    )
    def test_a_pool_that_contradicts_itself(self, terms: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"Pool\."):
            pool(1, **terms)

    @pytest.mark.parametrize(
        ("person", "terms"),
        [
            (ADA, {"count": 2}),
            (ADA, {"unit": Unit.SESSIONS}),
            (None, {"count": 0}),
            (None, {"features": frozenset({""})}),
            (None, {"support": -1}),
            (ADA, {"ends_at": day(-31)}),
        ],
    )
    def test_a_need_that_contradicts_itself(self, person: UUID | None, terms: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"Need"):
            need(person, **terms)

    def test_an_empty_horizon_and_a_pool_given_twice(self) -> None:
        with pytest.raises(ValueError, match="is empty"):
            cover(pools=[], needs=[], horizon=(day(1), day(1)))
        with pytest.raises(ValueError, match="given twice"):
            covered(pool(1), pool(1), need(ADA))
