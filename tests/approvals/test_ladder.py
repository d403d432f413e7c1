"""When somebody is reminded: elapsed time, the latest rung alone, mornings of their own zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from foundation.ladder import DAY, ESCALATION, escalates_at, ladder, latest_digest_time, reached

SINCE = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
INSTANTS = st.integers(0, 10 * 365 * 24 * 3600).map(lambda seconds: SINCE + timedelta(seconds=seconds))
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "UTC"]).map(ZoneInfo)


class TestLadder:
    def test_of_five_days_has_all_rungs(self) -> None:
        due_at = SINCE + 5 * DAY

        assert [(rung.step, rung.at - SINCE) for rung in ladder(since=SINCE, due_at=due_at)] == [
            ("half", 2.5 * DAY),
            ("day_before", 4 * DAY),
            ("due", 5 * DAY),
            ("overdue_1", 6 * DAY),
            ("overdue_2", 7 * DAY),
            ("overdue_3", 8 * DAY),
            ("escalation", 9 * DAY),
        ]

    def test_of_four_hours_takes_them_for_a_day(self) -> None:
        due_at = SINCE + 4 * HOUR

        assert [(rung.step, rung.at - SINCE) for rung in ladder(since=SINCE, due_at=due_at)] == [
            ("half", 2 * HOUR),
            ("due", 4 * HOUR),
            ("overdue_1", 8 * HOUR),
            ("overdue_2", 12 * HOUR),
            ("overdue_3", 16 * HOUR),
            ("escalation", 20 * HOUR),
        ]

    def test_of_what_is_never_due_has_no_escalation(self) -> None:
        rungs = ladder(since=SINCE, due_at=None)

        assert [rung.at - SINCE for rung in rungs] == [DAY, 3 * DAY, 7 * DAY, 14 * DAY]
        assert ESCALATION not in {rung.step for rung in rungs}

    @example(since=INSTANTS, hours=st.integers(1, 5_000))
    def test_rises_and_escalates_only_what_is_overdue(self, since: datetime, hours: int) -> None:
        due_at = since + hours * HOUR
        rungs = ladder(since=since, due_at=due_at)

        assert [rung.at for rung in rungs] == sorted(rung.at for rung in rungs)
        assert len({rung.step for rung in rungs}) == len(rungs)
        assert escalates_at(since=since, due_at=due_at) > due_at

    def test_counts_the_latest_rung_alone(self) -> None:
        rungs = ladder(since=SINCE, due_at=SINCE + 5 * DAY)

        assert reached(rungs, now=SINCE) is None
        assert reached(rungs, now=SINCE + 2.5 * DAY) == rungs[0]
        assert reached(rungs, now=SINCE + 7 * DAY + HOUR) == rungs[4]


class TestDigestTime:
    @pytest.mark.parametrize(
        ("now", "zone", "morning"),
        [
            ("2026-03-02T10:00+00:00", "Europe/Berlin", "2026-03-02T07:00+00:00"),
            ("2026-03-02T06:59+00:00", "Europe/Berlin", "2026-03-01T07:00+00:00"),
            ("2026-03-02T07:00+00:00", "Europe/Berlin", "2026-03-02T07:00+00:00"),
            # The clocks go forward and back on these days.
            ("2026-03-29T07:00+00:00", "Europe/Berlin", "2026-03-29T06:00+00:00"),
            ("2026-03-29T05:59+00:00", "Europe/Berlin", "2026-03-28T07:00+00:00"),
            ("2026-10-25T07:00+00:00", "Europe/Berlin", "2026-10-25T07:00+00:00"),
            ("2026-10-25T06:59+00:00", "Europe/Berlin", "2026-10-24T06:00+00:00"),
            ("2026-03-02T10:00+00:00", "Asia/Kathmandu", "2026-03-02T02:15+00:00"),
        ],
    )
    def test_is_eight_in_the_morning_of_the_zone(self, now: str, zone: str, morning: str) -> None:
        found = latest_digest_time(now=datetime.fromisoformat(now), zone=ZoneInfo(zone))

        assert found == datetime.fromisoformat(morning)

    @example(now=INSTANTS, zone=ZONES)
    def test_lies_within_the_day_before(self, now: datetime, zone: ZoneInfo) -> None:
        found = latest_digest_time(now=now, zone=zone)

        assert now - 25 * HOUR < found <= now
        assert found.astimezone(zone).hour == 8
