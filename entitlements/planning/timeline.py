"""
Coverage over time as a drawing: pure, from segments and gaps to positions, words and a table.

Horizontal positions are percentages of the width, so that text keeps its size at any width; vertical ones are pixels.
A gap is hatched, framed and named, never told by color alone; the table says everything that the drawing shows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

LANE_HEIGHT = 56
LABEL_HEIGHT = 22
LANE_GAP = 14
AXIS_HEIGHT = 24
MOST_TICKS = 7
LABEL_FITS = 14.0  # percent of the width below which a number is left to the table
KINDS: Mapping[str, str] = {
    "dark": "without access",
    "short": "without a free seat",
    "lost": "losing part of it",
    "grace": "only by grace",
}

Row = Mapping[str, Any]
Say = Callable[[datetime], str]


@dataclass(frozen=True)
class Stretch:
    """Part of a place's timeline: a half-open period, its capacity (None: unlimited) and need."""

    starts_at: datetime
    ends_at: datetime
    capacity: int | None
    need: int


@dataclass(frozen=True)
class GapSpan:
    """A gap of a place: its period (clipped to the horizon), kind and how many it concerns."""

    starts_at: datetime
    ends_at: datetime
    kind: str
    count: int
    open_ended: bool
    dimensions: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """How many people, and what they go without."""
        who = "1 person" if self.count == 1 else f"{self.count:,} people"
        if self.kind == "lost" and self.dimensions:
            return f"{who} without {', '.join(self.dimensions)}"
        return f"{who} {KINDS.get(self.kind, self.kind)}"


@dataclass(frozen=True)
class Box:
    """A rectangle: percentages across, pixels down."""

    x: str
    width: str
    y: str
    height: str
    css: str = ""
    label: str = ""
    label_x: str = ""
    label_y: str = ""
    pattern: str = ""


@dataclass(frozen=True)
class Line:
    """A horizontal line."""

    x1: str
    x2: str
    y: str


@dataclass(frozen=True)
class Tick:
    """A place on the axis; minor ones go on narrow screens."""

    x: str
    label: str
    css: str
    anchor: str


@dataclass(frozen=True)
class Lane:
    """Before or after: a title, the ground, capacity as boxes with their upper edge, need as lines, gaps."""

    title: str
    title_y: str
    ground_y: str
    ground_height: str
    capacity: Sequence[Box]
    edges: Sequence[Line]
    needs: Sequence[Line]
    gaps: Sequence[Box]
    middle_y: str


@dataclass(frozen=True)
class TableRow:
    """What the drawing shows from one instant to another."""

    lane: str
    starts_at: datetime
    ends_at: datetime
    capacity: int | None
    need: int
    gap: str


@dataclass(frozen=True)
class Drawing:
    """A whole timeline; `description` says it in a sentence."""

    lanes: Sequence[Lane]
    ticks: Sequence[Tick]
    height: str
    axis_y: str
    grid_y2: str
    description: str
    rows: Sequence[TableRow]


@dataclass(frozen=True)
class Scale:
    """Instants to percentages."""

    starts_at: datetime
    ends_at: datetime

    def at(self, instant: datetime) -> float:
        """The position of an instant, within 0 and 100."""
        share = (instant - self.starts_at) / (self.ends_at - self.starts_at)
        return min(max(share, 0.0), 1.0) * 100

    def percent(self, instant: datetime) -> str:
        """The position as it is written."""
        return _percent(self.at(instant))

    def width(self, starts_at: datetime, ends_at: datetime) -> str:
        """The distance as it is written."""
        return _percent(self.at(ends_at) - self.at(starts_at))


def draw(
    *,
    lanes: Sequence[tuple[str, Sequence[Stretch], Sequence[GapSpan]]],
    scale: Scale,
    zone: tzinfo,
    say: Say,
    patterns: str,
) -> Drawing:
    """
    Draw lanes of one place over one horizon.

    `say` writes an instant for the reader, `zone` is the reader's; `patterns` is the prefix of the hatches' ids.
    """
    numbers = [
        value
        for _, stretches, _ in lanes
        for stretch in stretches
        for value in (stretch.capacity, stretch.need)
        if value
    ]
    most = max(numbers, default=1)
    shown = [
        _lane(title, stretches, gaps, scale, most, number, patterns)
        for number, (title, stretches, gaps) in enumerate(lanes)
    ]
    bottom = len(lanes) * (LABEL_HEIGHT + LANE_HEIGHT + LANE_GAP) - LANE_GAP
    return Drawing(
        lanes=shown,
        ticks=ticks(scale=scale, zone=zone),
        height=str(bottom + AXIS_HEIGHT),
        axis_y=str(bottom + 17),
        grid_y2=str(bottom),
        description=" ".join(_told(title, stretches, gaps, say) for title, stretches, gaps in lanes),
        rows=[
            TableRow(title, stretch.starts_at, stretch.ends_at, stretch.capacity, stretch.need, _gap_in(stretch, gaps))
            for title, stretches, gaps in lanes
            for stretch in stretches
        ],
    )


def ticks(*, scale: Scale, zone: tzinfo) -> list[Tick]:
    """Beginnings of months, quarters or years in the reader's zone, at most seven."""
    for step in (1, 2, 3, 6, 12, 24, 60, 120):
        instants = _months(scale, zone, step)
        if len(instants) <= MOST_TICKS:
            break
    first = scale.starts_at.astimezone(zone)
    found = [Tick("0%", f"{first.day} {first:%b %Y}", "tl-strong", "start")]
    for index, instant in enumerate(instants):
        position = scale.at(instant)
        if 16 < position < 95:
            label = f"{instant:%b %Y}" if instant.month == 1 or step >= 12 else f"{instant:%b}"
            found.append(Tick(_percent(position), label, "tl-text tl-minor" if index % 2 else "tl-text", "middle"))
    return found


def _months(scale: Scale, zone: tzinfo, step: int) -> list[datetime]:
    first = scale.starts_at.astimezone(zone)
    month = first.year * 12 + first.month
    month += -month % step
    found: list[datetime] = []
    while True:
        instant = datetime(month // 12, month % 12 + 1, 1, tzinfo=zone)
        if instant >= scale.ends_at:
            return found
        if instant > scale.starts_at:
            found.append(instant)
        month += step


def _lane(
    title: str,
    stretches: Sequence[Stretch],
    gaps: Sequence[GapSpan],
    scale: Scale,
    most: int,
    number: int,
    patterns: str,
) -> Lane:
    top = number * (LABEL_HEIGHT + LANE_HEIGHT + LANE_GAP)
    ground = top + LABEL_HEIGHT

    def level(value: int | None) -> float:
        # A tenth is left free above the largest number.
        share = 1.0 if value is None else 0.9 * value / most
        return ground + LANE_HEIGHT * (1 - share)

    solid = [stretch for stretch in stretches if stretch.capacity is None or stretch.capacity > 0]
    needed = max((stretch.need for stretch in stretches), default=0)
    return Lane(
        title=f"{title}: {needed:,} needed" if needed else title,
        title_y=str(top + 14),
        ground_y=str(ground),
        ground_height=str(LANE_HEIGHT),
        capacity=[_capacity(stretch, scale, level(stretch.capacity), ground) for stretch in solid],
        edges=[
            Line(scale.percent(one.starts_at), scale.percent(one.ends_at), _pixels(level(one.capacity)))
            for one in solid
        ],
        needs=[
            Line(scale.percent(one.starts_at), scale.percent(one.ends_at), _pixels(level(one.need)))
            for one in stretches
            if one.need
        ],
        gaps=[_gap(gap, scale, ground, patterns) for gap in gaps],
        middle_y=str(ground + LANE_HEIGHT // 2 + 5),
    )


def _capacity(stretch: Stretch, scale: Scale, level: float, ground: int) -> Box:
    width = scale.at(stretch.ends_at) - scale.at(stretch.starts_at)
    label = "unlimited" if stretch.capacity is None else f"{stretch.capacity:,} seats"
    return Box(
        x=scale.percent(stretch.starts_at),
        width=_percent(width),
        y=_pixels(level),
        height=_pixels(ground + LANE_HEIGHT - level),
        css="tl-capacity",
        label=label if width >= LABEL_FITS else "",
        label_x=_percent(scale.at(stretch.starts_at) + 0.8),
        label_y=_pixels(level + 15),
    )


def _gap(gap: GapSpan, scale: Scale, ground: int, patterns: str) -> Box:
    left, right = scale.at(gap.starts_at), scale.at(gap.ends_at)
    return Box(
        x=_percent(left),
        # However short it is, a gap is seen.
        width=_percent(max(right - left, 0.35)),
        y=str(ground),
        height=str(LANE_HEIGHT),
        css="tl-gap",
        label=gap.words if right - left >= 26 else f"✕ {gap.count:,}" if right - left >= 6 else "",
        label_x=_percent((left + right) / 2),
        pattern=f"{patterns}-{'grace' if gap.kind == 'grace' else 'gap'}",
    )


def _told(title: str, stretches: Sequence[Stretch], gaps: Sequence[GapSpan], say: Say) -> str:
    if gaps:
        said = "; ".join(
            f"{gap.words} from {say(gap.starts_at)}{' on' if gap.open_ended else f' to {say(gap.ends_at)}'}"
            for gap in gaps[:4]
        )
        more = f"; and {len(gaps) - 4} further gaps" if len(gaps) > 4 else ""
        return f"{title}: {said}{more}."
    return f"{title}: nobody goes without." if stretches else f"{title}: nothing is needed."


def _gap_in(stretch: Stretch, gaps: Sequence[GapSpan]) -> str:
    return "; ".join(gap.words for gap in gaps if gap.starts_at < stretch.ends_at and gap.ends_at > stretch.starts_at)


def span_scale(periods: Sequence[tuple[datetime, datetime | None]], *, now: datetime) -> Scale:
    """A scale that shows all the periods and now, with a margin; open ends are shown to half a year from now."""
    half_year = timedelta(days=183)
    starts_at = min([now, *(start for start, _ in periods)])
    ends_at = max([now + half_year, *(end for _, end in periods if end is not None)])
    margin = (ends_at - starts_at) * 0.02
    return Scale(starts_at - margin, ends_at + margin)


def _percent(value: float) -> str:
    return f"{value:.3f}%"


def _pixels(value: float) -> str:
    return f"{value:.1f}"
