"""The sweep over one component: from change to change, doing only what the change asks for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from entitlements.coverage.components import Component
from entitlements.coverage.instants import utc
from entitlements.coverage.recording import Extent, GapName, Gaps, Timeline
from entitlements.coverage.results import Gap, Place, Segment
from entitlements.coverage.state import State, Uncovered
from entitlements.coverage.subjects import Profile, Subjects
from entitlements.coverage.values import Pool, Unit

_POOL, _START, _END = range(3)


class Sweep:
    """One component from the start to the end of a horizon (both in UTC)."""

    def __init__(self, component: Component, horizon: tuple[datetime, datetime]) -> None:
        self._needs = component.needs
        self._starts_at, self._ends_at = horizon
        self._subjects = Subjects(pools=component.pools, needs=component.needs)
        self._terms = self._subjects.terms
        self._state = State(self._subjects)
        self._places: list[Place] = []
        self._gaps = Gaps(subjects=self._subjects, places=self._places)
        self._timelines: list[Timeline] = []
        self._pools_at: list[int] = []
        self._place_of: dict[tuple[int, Unit], int] = {}
        self._touched: set[int] = set()
        self._in_force = self._in_grace = self._supported = 0
        self._add_places()

    def run(self) -> tuple[dict[Place, tuple[Segment, ...]], list[Gap]]:
        """Return the timeline of each place of the component, and its gaps."""
        for instant, events in groupby(self._events(), key=itemgetter(0)):
            pools, moved = [], set()
            for _, what, index in events:
                if what == _POOL:
                    pools.append(index)
                else:
                    moved.add(self._switch(what, index))
            if pools:
                self._look_at(pools, instant)
            for subject in moved:
                self._move(subject)
            for place in self._touched:
                self._timelines[place].mark(instant)
            self._touched.clear()
            self._gaps.mark(instant, self._extents(self._state.uncovered()))
        timelines = (timeline.closed() for timeline in self._timelines)
        return dict(zip(self._places, timelines, strict=True)), self._gaps.closed()

    def _events(self) -> list[tuple[datetime, int, int]]:
        """Return each instant at which something may change, with what and which; the start looks at everything."""
        starts_at, ends_at = self._starts_at, self._ends_at
        events = []
        for index, pool in enumerate(self._terms.pools):
            events.append((starts_at, _POOL, index))
            for edge in (pool.starts_at, pool.ends_at, pool.grace_ends_at, pool.support_ends_at):
                if edge is not None and starts_at < utc(edge) < ends_at:
                    events.append((utc(edge), _POOL, index))
        for index, need in enumerate(self._needs):
            events.append((max(utc(need.starts_at), starts_at), _START, index))
            if need.ends_at is not None and utc(need.ends_at) < ends_at:
                events.append((utc(need.ends_at), _END, index))
        # Places exist for the whole horizon, so something happens at its start even if no pool and no need does.
        events.append((starts_at, _POOL, -1))
        events.sort(key=itemgetter(0))
        return events

    def _add_places(self) -> None:
        number: dict[Place, int] = {}
        for need, required in zip(self._needs, self._subjects.required, strict=True):
            for requirement in required:
                if (requirement, need.unit) in self._place_of:
                    continue
                wanted = self._terms.requirements[requirement]
                place = Place(wanted.account_id, need.product_id, wanted.country, wanted.feature, need.unit)
                if place not in number:
                    number[place] = len(self._places)
                    self._places.append(place)
                    self._timelines.append(Timeline())
                    self._pools_at.append(self._terms.at_place(place))
                self._place_of[requirement, need.unit] = number[place]
        self._touched.update(range(len(self._places)))

    # Pools

    def _look_at(self, pools: Iterable[int], instant: datetime) -> None:
        changed = 0
        for index in pools:
            if index < 0:
                continue
            bit = 1 << index
            changed |= bit
            pool = self._terms.pools[index]
            in_force, in_grace, supported = _standing(pool, instant)
            self._in_force = self._in_force | bit if in_force else self._in_force & ~bit
            self._in_grace = self._in_grace | bit if in_grace else self._in_grace & ~bit
            self._supported = self._supported | bit if supported else self._supported & ~bit
        self._state.count_pools(in_force=self._in_force, in_grace=self._in_grace, supported=self._supported)
        # A family's limit depends on all its members, so a place is touched by the kin of its pools too.
        changed = self._subjects.families.widened(changed)
        for place, reached in enumerate(self._pools_at):
            if reached & changed:
                self._timelines[place].capacity = self._state.force.seats.capacity(reached, self._places[place].unit)
                self._touched.add(place)

    # Subjects

    def _switch(self, what: int, index: int) -> int:
        subject = self._subjects.of_need[index]
        active = self._subjects.all[subject].active
        if what == _START:
            active.add(index)
        else:
            active.discard(index)
        return subject

    def _move(self, number: int) -> None:
        subject = self._subjects.all[number]
        before, after = subject.profile, self._profile(number)
        if before == after:
            return
        subject.profile = after
        self._state.move(number, before=before, after=after)
        for profile, count in ((before, -subject.count), (after, subject.count)):
            if profile is not None:
                for place in {self._place_of[requirement, profile.unit] for requirement in profile.requirements}:
                    self._timelines[place].need += count
                    self._touched.add(place)

    def _profile(self, number: int) -> Profile | None:
        subject = self._subjects.all[number]
        if not subject.active:
            return None
        if len(subject.active) == 1:
            (index,) = subject.active
            return Profile(subject.unit, subject.cohorts, self._subjects.required[index])
        required = {requirement for index in subject.active for requirement in self._subjects.required[index]}
        return Profile(subject.unit, subject.cohorts, tuple(sorted(required)))

    # Gaps

    def _extents(self, uncovered: Iterable[Uncovered]) -> dict[GapName, Extent]:
        people: dict[GapName, set[int]] = {}
        anonymous: dict[GapName, int] = {}
        pools: dict[GapName, int] = {}
        for each in uncovered:
            claim = each.claim
            subject = self._subjects.all[claim.subject]
            place = self._place_of[claim.requirements[0], subject.unit]
            name = GapName(each.reason.kind, place, each.reason.dimensions)
            pools[name] = pools.get(name, 0) | each.pools
            if subject.person is None:
                anonymous[name] = anonymous.get(name, 0) + claim.last - claim.first
            else:
                people.setdefault(name, set()).add(claim.subject)
        extents = {}
        for name, concerned in pools.items():
            extents[name] = Extent(frozenset(people.get(name, ())), anonymous.get(name, 0), concerned)
        return extents


def _standing(pool: Pool, instant: datetime) -> tuple[bool, bool, bool]:
    """Tell whether a pool is in force, in grace, and supported at an instant; of 0 seats, neither of the first."""
    begun = utc(pool.starts_at) <= instant and pool.seats != 0
    ended = pool.ends_at is not None and utc(pool.ends_at) <= instant
    allowed = pool.grace_ends_at is not None and instant < utc(pool.grace_ends_at)
    supported = pool.support_ends_at is None or instant < utc(pool.support_ends_at)
    return begun and not ended, begun and ended and allowed, supported
