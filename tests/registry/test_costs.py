"""What order lines cost: billing periods, ramps, proration, leap years."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from entitlements.agreements.costs import PricedLine, PricePeriod, add_months, charges, cost_by_year

HORIZON = datetime(2030, 1, 1, tzinfo=UTC)


def on(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def line(*periods: PricePeriod, billing: str = "year", proration: str = "daily") -> PricedLine:
    return PricedLine("1", "OL-1", billing, "EUR", proration, periods)


def period(starts_at: datetime, ends_at: datetime | None, quantity: int | None = 10, price: str = "100") -> PricePeriod:
    return PricePeriod(starts_at, ends_at, quantity, Decimal(price))


def years(*lines: PricedLine) -> dict[int, str]:
    return {year: str(amount) for (year, _), amount in cost_by_year(lines=lines, horizon=HORIZON).items()}


class TestCharges:
    def test_of_a_year_are_made_on_each_anniversary(self) -> None:
        assert years(line(period(on(2026, 3), on(2029, 3)))) == {2026: "1000.00", 2027: "1000.00", 2028: "1000.00"}

    def test_of_an_open_line_reach_to_the_horizon(self) -> None:
        assert years(line(period(on(2028), None))) == {2028: "1000.00", 2029: "1000.00"}

    def test_of_a_month_are_made_each_month(self) -> None:
        assert years(line(period(on(2026, 11), on(2027, 3)), billing="month")) == {2026: "2000.00", 2027: "2000.00"}

    def test_of_a_single_payment_are_made_once(self) -> None:
        assert years(line(period(on(2026), on(2029)), billing="once")) == {2026: "1000.00"}
        assert years(line(period(on(2026), None), billing="once")) == {2026: "1000.00"}

    def test_follow_ramps(self) -> None:
        ramps = line(
            period(on(2026), on(2027), 10), period(on(2027), on(2028), 20), period(on(2028), on(2029), 20, "90")
        )

        assert years(ramps) == {2026: "1000.00", 2027: "2000.00", 2028: "1800.00"}

    @pytest.mark.parametrize(("year", "amount"), [(2026, "495.89"), (2028, "497.27")])
    def test_prorate_an_incomplete_year_by_the_day(self, year: int, amount: str) -> None:
        assert years(line(period(on(year), on(year, 7)))) == {year: amount}

    def test_charge_a_day_begun(self) -> None:
        ends_at = on(2026, 1, 2) + timedelta(seconds=1)

        assert years(line(period(on(2026), ends_at, 1, "365"))) == {2026: "2.00"}

    def test_charge_whole_periods_where_the_line_says_so(self) -> None:
        assert years(line(period(on(2026), on(2026, 7)), proration="none")) == {2026: "1000.00"}

    def test_charge_unlimited_seats_once_a_period(self) -> None:
        assert years(line(period(on(2026), on(2028), None))) == {2026: "100.00", 2027: "100.00"}

    def test_keep_to_the_day_of_the_start_through_short_months(self) -> None:
        found = list(charges(line=line(period(on(2028, 1, 31), on(2028, 5)), billing="month"), horizon=HORIZON))

        assert [charge.starts_at.date().isoformat() for charge in found] == [
            "2028-01-31",
            "2028-02-29",
            "2028-03-31",
            "2028-04-30",
        ]

    def test_round_half_to_even(self) -> None:
        assert years(line(period(on(2026), on(2027), 1, "0.125"))) == {2026: "0.12"}
        assert years(line(period(on(2026), on(2027), 1, "0.135"))) == {2026: "0.14"}

    def test_are_none_where_nothing_is_paid(self) -> None:
        assert years(line(period(on(2026), None, 10, "0"))) == {}

    @example(
        after=st.timedeltas(timedelta(), timedelta(days=1095)),
        days=st.integers(1, 1200),
        quantity=st.integers(1, 1000),
        billing=st.sampled_from(["once", "month", "year"]),
        proration=st.sampled_from(["daily", "none"]),
    )
    def test_cover_the_period_without_hole_or_overlap_and_never_cost_more_than_whole_ones(
        self, after: timedelta, days: int, quantity: int, billing: str, proration: str
    ) -> None:
        starts_at = on(2026) + after
        ends_at = starts_at + timedelta(days=days)
        horizon = ends_at + timedelta(days=1)
        of = line(period(starts_at, ends_at, quantity), billing=billing, proration=proration)

        found = list(charges(line=of, horizon=horizon))

        assert found[0].starts_at == starts_at
        assert found[-1].ends_at == ends_at
        assert all(one.ends_at == other.starts_at for one, other in itertools.pairwise(found))
        assert all(0 < charge.amount <= quantity * 100 for charge in found)
        assert all(charge.amount == quantity * 100 for charge in found[:-1])


class TestAddMonths:
    @pytest.mark.parametrize(
        ("start", "months", "expected"),
        [
            (on(2028, 2, 29), 12, on(2029, 2, 28)),
            (on(2028, 2, 29), 48, on(2032, 2, 29)),
            (on(2026, 12, 31), 2, on(2027, 2, 28)),
            (on(2026, 1, 30), 1, on(2026, 2, 28)),
            (on(2026, 10, 31), 1, on(2026, 11, 30)),
        ],
    )
    def test_keeps_the_day_or_takes_the_months_last(self, start: datetime, months: int, expected: datetime) -> None:
        assert add_months(start, months) == expected
