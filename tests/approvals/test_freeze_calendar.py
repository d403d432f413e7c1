"""Holidays as instants: the local calendar day, whatever the clocks of its zone do; an oracle asks for local dates."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given as each
from hypothesis import strategies as st

from approvals.freezes.calendar import Span, check_places, first_instant, holiday_spans, merged
from approvals.freezes.rules import FreezeRule, free_within
from foundation.errors import InvalidInput

HOUR = timedelta(hours=1)
BEGIN = datetime(2012, 1, 2, tzinfo=UTC)
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Pacific/Kiritimati",
    "Pacific/Niue", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Beirut", "America/Havana", "Atlantic/Azores",
    "America/Asuncion",
]  # fmt: skip
PLACES = ["DE", "DE-BY", "US", "FR", "JP", "EG", "BR"]


def rule(**values: Any) -> FreezeRule:
    defaults: dict[str, Any] = {
        "name": "Holidays",
        "reason": "",
        "starts_at": None,
        "ends_at": None,
        "zone": "Europe/Berlin",
        "holidays_of": ("DE-BY",),
        "everything": True,
        "account_ids": frozenset(),
        "product_ids": frozenset(),
        "countries": frozenset(),
        "stops_review": False,
        "allows_emergency": False,
    }
    return FreezeRule(**(defaults | values))


class TestFirstInstant:
    @pytest.mark.parametrize(
        ("zone", "day", "expected"),
        [
            ("Europe/Berlin", date(2026, 12, 25), "2026-12-24T23:00"),
            # The clocks change within these days, which last 23 and 25 hours.
            ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00"),
            ("Europe/Berlin", date(2026, 3, 30), "2026-03-29T22:00"),
            ("Europe/Berlin", date(2026, 10, 26), "2026-10-25T23:00"),
            # Midnight is skipped: the day begins at one.
            ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00"),
            ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00"),
            # Midnight is shown twice: the day begins with the first one.
            ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00"),
            # A day that was left out begins and ends with the next one.
            ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00"),
            ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00"),
        ],
    )
    def test_is_that_of_the_zones_clocks(self, zone: str, day: date, expected: str) -> None:
        assert first_instant(day, ZoneInfo(zone)) == datetime.fromisoformat(expected).replace(tzinfo=UTC)

    @each(zone=st.sampled_from(ZONES), day=st.dates(date(2012, 1, 1), date(2036, 12, 31)))
    def test_has_the_day_before_right_before_it(self, zone: str, day: date) -> None:
        local = ZoneInfo(zone)
        begin = first_instant(day, local)

        assert begin.astimezone(local).date() == day
        assert (begin - timedelta(seconds=1)).astimezone(local).date() == day - timedelta(days=1)


class TestHolidays:
    @each(
        zone=st.sampled_from(ZONES),
        place=st.sampled_from(PLACES),
        moment=st.integers(0, 24 * 365 * 86_400).map(lambda seconds: BEGIN + timedelta(seconds=seconds)),
    )
    def test_last_exactly_the_local_day(self, zone: str, place: str, moment: datetime) -> None:
        country, _, part = place.partition("-")
        local = moment.astimezone(ZoneInfo(zone))

        frozen = rule(zone=zone, holidays_of=(place,)).lasting_at(moment)

        assert (frozen is not None) == (
            local.date() in holidays.country_holidays(country, subdiv=part or None, years=local.year)
        )
        assert frozen is None or frozen.holds_at(moment)

    @pytest.mark.parametrize(
        ("moment", "until"),
        [
            ("2026-12-24T22:59:59.999999", None),
            ("2026-12-24T23:00", "2026-12-26T23:00"),
            ("2026-12-26T22:59:59.999999", "2026-12-26T23:00"),
            ("2026-12-26T23:00", None),
            # Easter Sunday, on which the clocks change in 2024, is no holiday; Good Friday and Easter Monday are.
            ("2024-03-31T10:00", None),
            ("2024-03-31T22:00", "2024-04-01T22:00"),
        ],
    )
    def test_end_with_the_last_of_those_that_follow_each_other(self, moment: str, until: str | None) -> None:
        frozen = rule().lasting_at(datetime.fromisoformat(moment).replace(tzinfo=UTC))

        assert (frozen and frozen.ends_at) == (until and datetime.fromisoformat(until).replace(tzinfo=UTC))

    def test_of_a_part_of_a_country_are_its_own_too(self) -> None:
        epiphany = datetime(2026, 1, 6, 12, tzinfo=UTC)

        assert rule(holidays_of=("DE-BY",)).lasting_at(epiphany)
        assert not rule(holidays_of=("DE",)).lasting_at(epiphany)

    def test_of_several_places_are_named_together(self) -> None:
        moment = datetime(2026, 12, 25, 12, tzinfo=UTC)

        frozen = rule(holidays_of=("DE", "US")).lasting_at(moment)

        assert frozen is not None
        assert frozen.name == "Christmas Day, DE; Christmas Day, US"

    def test_of_a_day_that_the_zone_left_out_are_none(self) -> None:
        since = datetime(2011, 12, 29, tzinfo=UTC)

        spans = holiday_spans(places=("WS",), zone="Pacific/Apia", since=since, until=since + timedelta(days=5))

        assert all(span.starts_at < span.ends_at for span in spans)

    @pytest.mark.parametrize("place", ["XX", "DE-ZZ", "ZZ-DE"])
    def test_of_unknown_places_are_refused(self, place: str) -> None:
        with pytest.raises(InvalidInput, match=place):
            check_places([place])
        check_places(["DE", "DE-BY", "US-NY", "GB-SCT"])


class TestOnce:
    def test_lasts_from_its_start_to_right_before_its_end(self) -> None:
        starts_at = datetime(2026, 3, 2, 10, tzinfo=UTC)
        once = rule(starts_at=starts_at, ends_at=starts_at + HOUR, holidays_of=())

        moments = [starts_at - timedelta(microseconds=1), starts_at, starts_at + HOUR - timedelta(microseconds=1)]
        assert [once.lasting_at(moment) is not None for moment in [*moments, starts_at + HOUR]] == [
            False, True, True, False,
        ]  # fmt: skip


MOMENTS = st.integers(0, 24).map(lambda hour: datetime(2026, 3, 2, tzinfo=UTC) + hour * HOUR)
SPANS = st.lists(
    st.tuples(MOMENTS, MOMENTS).filter(lambda two: two[0] != two[1]).map(lambda two: Span(min(two), max(two))),
    max_size=6,
)


class TestSpans:
    @each(spans=SPANS)
    def test_merged_cover_the_same_and_do_not_touch(self, spans: list[Span]) -> None:
        joined = list(merged(spans))

        for hour in range(25):
            moment = datetime(2026, 3, 2, tzinfo=UTC) + hour * HOUR
            assert any(span.holds_at(moment) for span in spans) == any(span.holds_at(moment) for span in joined)
        assert all(one.ends_at < two.starts_at for one, two in pairwise(joined))

    @each(spans=SPANS, since=MOMENTS, until=MOMENTS)
    def test_leave_free_what_none_covers(self, spans: list[Span], since: datetime, until: datetime) -> None:
        free = list(free_within(frozen=spans, since=since, until=until))

        for hour in range(25):
            moment = datetime(2026, 3, 2, tzinfo=UTC) + hour * HOUR
            expected = since <= moment < until and not any(span.holds_at(moment) for span in spans)
            assert any(span.holds_at(moment) for span in free) == expected
