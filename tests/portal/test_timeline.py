"""Drawings of coverage: positions, words, table."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from entitlements.planning.timeline import Drawing, GapSpan, Scale, Stretch, draw, ticks

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def drawn(*lanes: tuple[str, list[Stretch], list[GapSpan]], days: float = 100) -> Drawing:
    return draw(
        lanes=lanes, scale=Scale(START, at(days)), zone=UTC, say=lambda instant: f"{instant:%d %b}", patterns="h"
    )


class TestDraw:
    def test_places_stretches_by_time_and_number(self) -> None:
        drawing = drawn(("Before", [Stretch(at(0), at(25), 10, 5), Stretch(at(25), at(100), 20, 5)], []))

        first, second = drawing.lanes[0].capacity
        assert (first.x, first.width, second.x, second.width) == ("0.000%", "25.000%", "25.000%", "75.000%")
        assert float(first.height) == pytest.approx(float(second.height) / 2, abs=0.1)
        assert drawing.lanes[0].title == "Before: 5 needed"

    def test_shows_a_gap_however_short(self) -> None:
        gap = GapSpan(at(50), at(50) + timedelta(minutes=1), "dark", 3, open_ended=False)

        (box,) = drawn(("After", [Stretch(at(0), at(100), 0, 3)], [gap])).lanes[0].gaps

        assert (box.width, box.pattern, box.css) == ("0.350%", "h-gap", "tl-gap")

    def test_tells_gaps_in_words_and_in_the_table(self) -> None:
        gap = GapSpan(at(10), at(100), "lost", 1, open_ended=True, dimensions=("feature",))

        drawing = drawn(
            ("Before", [], []),
            ("After", [Stretch(at(0), at(10), 1, 1), Stretch(at(10), at(100), 0, 1)], [gap]),
        )

        assert drawing.description == "Before: nothing is needed. After: 1 person without feature from 11 Mar on."
        assert [row.gap for row in drawing.rows] == ["", "1 person without feature"]

    def test_keeps_grace_apart(self) -> None:
        gap = GapSpan(at(10), at(20), "grace", 2, open_ended=False)

        (box,) = drawn(("After", [Stretch(at(0), at(100), None, 2)], [gap])).lanes[0].gaps

        assert box.pattern == "h-grace"

    def test_stays_within_the_horizon(self) -> None:
        (box,) = drawn(("Before", [Stretch(at(-50), at(500), 10, 0)], [])).lanes[0].capacity

        assert (box.x, box.width) == ("0.000%", "100.000%")


class TestTicks:
    @pytest.mark.parametrize("days", [1, 30, 180, 400, 3660])
    def test_are_few_and_in_order(self, days: int) -> None:
        found = ticks(scale=Scale(START, at(days)), zone=ZoneInfo("America/New_York"))

        positions = [float(tick.x.removesuffix("%")) for tick in found]
        assert positions == sorted(positions)
        assert 1 <= len(found) <= 8
