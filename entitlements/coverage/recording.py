"""What a sweep writes down: segments and gaps, opened when something changes and closed when it changes again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from entitlements.coverage.bits import bits
from entitlements.coverage.results import Dimension, Gap, GapKind, Place, Segment
from entitlements.coverage.subjects import Subjects


class Timeline:
    """Capacity and need at one place, as they change."""

    __slots__ = ("_capacity", "_need", "_segments", "_starts_at", "capacity", "need")

    def __init__(self) -> None:
        self.capacity: int | None = 0
        self.need = 0
        self._segments: list[Segment] = []
        self._starts_at: datetime | None = None
        self._capacity: int | None = 0
        self._need = 0

    def mark(self, instant: datetime) -> None:
        """Note that from `instant` on capacity and need are what they are now; without a change nothing happens."""
        if self._starts_at is not None:
            if self.capacity == self._capacity and self.need == self._need:
                return
            self._segments.append(Segment(self._starts_at, instant, self._capacity, self._need))
        self._starts_at, self._capacity, self._need = instant, self.capacity, self.need

    def closed(self) -> tuple[Segment, ...]:
        """Return all segments, the last one reaching the end of the horizon."""
        if self._starts_at is None:
            return ()
        return (*self._segments, Segment(self._starts_at, None, self._capacity, self._need))


class GapName(NamedTuple):
    """What two instants have in common if they are in one gap, besides whom it concerns; places are numbered."""

    kind: GapKind
    place: int
    dimensions: tuple[Dimension, ...]


class Extent(NamedTuple):
    """Whom a gap concerns at an instant (numbers of subjects) and which pools (as bits)."""

    people: frozenset[int]
    anonymous: int
    pools: int


class Gaps:
    """Gaps of one component, as they open and close."""

    def __init__(self, *, subjects: Subjects, places: Sequence[Place]) -> None:
        self._subjects = subjects
        self._places = places
        self._open: dict[GapName, tuple[datetime, Extent]] = {}
        self._closed: list[Gap] = []

    def mark(self, instant: datetime, current: Mapping[GapName, Extent]) -> None:
        """Note what the gaps are from `instant` on."""
        ended = [name for name, (_, extent) in self._open.items() if current.get(name) != extent]
        for name in ended:
            self._close(name, instant)
        for name, extent in current.items():
            if name not in self._open:
                self._open[name] = (instant, extent)

    def closed(self) -> list[Gap]:
        """Return all gaps, those still open reaching the end of the horizon."""
        for name in list(self._open):
            self._close(name, None)
        return self._closed

    def _close(self, name: GapName, instant: datetime | None) -> None:
        starts_at, extent = self._open.pop(name)
        self._closed.append(
            Gap(
                kind=name.kind,
                place=self._places[name.place],
                dimensions=name.dimensions,
                starts_at=starts_at,
                ends_at=instant,
                # Subjects are numbered in the order of their UUIDs.
                people=tuple(self._person(number) for number in sorted(extent.people)),
                count=len(extent.people) + extent.anonymous,
                pools=tuple(self._subjects.terms.pools[index].id for index in bits(extent.pools)),
            )
        )

    def _person(self, number: int) -> UUID:
        person = self._subjects.all[number].person
        if person is None:
            raise ValueError(f"Subject {number} is an anonymous need: only people are named in a gap.")
        return person
