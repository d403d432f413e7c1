"""A schedule as a value: what an author writes becomes two instants, or is refused with what it could mean."""

import zoneinfo
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from approvals.requests import schedules
from approvals.requests.errors import UnclearLocalTime
from approvals.requests.schedules import TOLERANCE, Schedule
from foundation.canonical import jsonable
from foundation.errors import InvalidInput

OPENS = datetime(2026, 4, 1, 7, 0, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=2)
# Local times, of no zone yet.
EARLIEST, LATEST = (datetime(year, 1, 1) for year in (1980, 2060))  # noqa: DTZ001
# Both halves of the world, half hours, half-hour shifts, none at all, and a day that was skipped.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
    "UTC",
)


def said(opens_at: str, closes_at: str | None = None, zone: str = "Europe/Berlin") -> Schedule:
    return schedules.said(opens_at=opens_at, closes_at=closes_at, zone=zone)


class TestSaid:
    def test_reads_local_times_of_the_zone(self) -> None:
        assert said("2026-04-01T09:00", "2026-04-01T11:00") == Schedule(OPENS, CLOSES, "Europe/Berlin")

    def test_at_an_instant_stays_open_for_the_tolerance(self) -> None:
        schedule = said("2026-04-01T09:00")

        assert timedelta(hours=1) == TOLERANCE
        assert (schedule.opens_at, schedule.closes_at) == (OPENS, OPENS + TOLERANCE)

    @pytest.mark.parametrize("text", ["2026-04-01T07:00Z", "2026-04-01T09:00+02:00", "2026-04-01 03:00-04:00"])
    def test_takes_an_offset_at_its_word(self, text: str) -> None:
        assert said(text).opens_at == OPENS

    def test_refuses_a_time_that_the_clocks_skip(self) -> None:
        with pytest.raises(UnclearLocalTime, match="Europe/Berlin skip 2026-03-29 02:30") as caught:
            said("2026-03-29T02:30")

        assert "2026-03-29 01:30 (+01:00) or 2026-03-29 03:30 (+02:00)" in caught.value.message
        assert list(caught.value.context["errors"]["schedule"]) == ["opens_at"]

    def test_refuses_a_time_that_the_clocks_show_twice(self) -> None:
        with pytest.raises(UnclearLocalTime, match="show twice 2026-10-25 02:30") as caught:
            said("2026-10-25T02:00+02:00", "2026-10-25T02:30")

        assert "2026-10-25 02:30 (+02:00) or 2026-10-25 02:30 (+01:00)" in caught.value.message
        assert caught.value.context["errors"] == {
            "schedule": {"closes_at": ["Write 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00."]}
        }

    @pytest.mark.parametrize(("offset", "hour"), [("+02:00", 0), ("+01:00", 1)])
    def test_takes_either_of_two_with_its_offset(self, offset: str, hour: int) -> None:
        assert said(f"2026-10-25T02:30{offset}").opens_at == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("text", "zone"),
        [("2026-03-08T02:00", "America/New_York"), ("2026-10-04T02:15", "Australia/Lord_Howe"),
         ("2011-12-30T12:00", "Pacific/Apia")],
    )  # fmt: skip
    def test_knows_the_clocks_of_other_zones(self, text: str, zone: str) -> None:
        with pytest.raises(UnclearLocalTime, match="skip"):
            said(text, zone=zone)

    @pytest.mark.parametrize("text", ["2026-03-29T01:59", "2026-03-29T03:00", "2026-10-25T01:59", "2026-10-25T03:00"])
    def test_takes_the_edges_of_a_change_of_clocks(self, text: str) -> None:
        local = said(text).opens_at.astimezone(ZoneInfo("Europe/Berlin"))

        assert f"{local:%Y-%m-%dT%H:%M}" == text

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "", "europe/berlin", "../etc/passwd", "localtime"])
    def test_refuses_an_unknown_zone(self, zone: str) -> None:
        with pytest.raises(InvalidInput, match="is not a time zone"):
            said("2026-04-01T09:00", zone=zone)

    @pytest.mark.parametrize("text", ["soon", "", "2026-13-01T09:00"])
    def test_refuses_what_is_no_instant(self, text: str) -> None:
        with pytest.raises(InvalidInput, match="is not a date and time"):
            said(text)

    @pytest.mark.parametrize("text", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "9999-12-31T23:30"])
    def test_refuses_what_is_beyond_the_calendar(self, text: str) -> None:
        with pytest.raises(InvalidInput, match="beyond the calendar"):
            said(text)

    @pytest.mark.parametrize("closes_at", ["2026-04-01T09:00", "2026-04-01T08:59"])
    def test_refuses_a_window_that_never_opens(self, closes_at: str) -> None:
        with pytest.raises(InvalidInput, match="closes before it opens"):
            said("2026-04-01T09:00", closes_at)

    @drawn(
        local=st.datetimes(min_value=EARLIEST, max_value=LATEST),
        zone=st.sampled_from(ZONES),
    )
    def test_is_one_instant_or_names_two(self, local: datetime, zone: str) -> None:
        """A local time either comes back from the instant it is, or is refused with two that are each taken."""
        try:
            moment = said(local.isoformat(), zone=zone).opens_at
        except UnclearLocalTime as refusal:
            first, second = (said(text, zone=zone).opens_at for text in refusal.context["candidates"])
            assert first < second
        else:
            assert moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local

    @drawn(
        moment=st.datetimes(min_value=EARLIEST, max_value=LATEST, timezones=st.sampled_from([UTC])),
        zone=st.sampled_from(ZONES),
    )
    def test_takes_every_instant_as_its_zone_shows_it(self, moment: datetime, zone: str) -> None:
        shown = moment.astimezone(ZoneInfo(zone)).isoformat()

        assert said(shown, zone=zone).opens_at == moment


class TestSchedule:
    def test_is_half_open(self) -> None:
        schedule = Schedule(OPENS, CLOSES, "Europe/Berlin")
        moment = timedelta(microseconds=1)

        assert not schedule.has_opened(OPENS - moment)
        assert schedule.has_opened(OPENS)
        assert not schedule.is_over(CLOSES - moment)
        assert schedule.is_over(CLOSES)

    def test_refuses_instants_without_a_zone(self) -> None:
        with pytest.raises(InvalidInput, match="has a time zone"):
            Schedule(OPENS.replace(tzinfo=None), CLOSES, "UTC")

    @drawn(
        opens_at=st.datetimes(timezones=st.just(UTC), max_value=LATEST),
        length=st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=400)),
        zone=st.sampled_from(sorted(zoneinfo.available_timezones() - {"localtime"})),
    )
    def test_comes_back_from_a_document(self, opens_at: datetime, length: timedelta, zone: str) -> None:
        schedule = Schedule(opens_at, opens_at + length, zone)
        stored = jsonable({"opens_at": schedule.opens_at, "closes_at": schedule.closes_at, "zone": zone})

        assert schedules.of({"schedule": stored}) == schedule

    def test_is_none_where_somebody_applies_by_hand(self) -> None:
        assert schedules.of({"schedule": None}) is None

    def test_is_told_in_the_zone_of_its_author(self) -> None:
        told = Schedule(OPENS, CLOSES, "Europe/Berlin").local

        assert told == "between 1 Apr 2026, 09:00 and 1 Apr 2026, 11:00 (Europe/Berlin)"

    def test_tells_twins_apart(self) -> None:
        told = said("2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00").local

        assert told == "between 25 Oct 2026, 02:30 CEST and 25 Oct 2026, 02:30 CET (Europe/Berlin)"
