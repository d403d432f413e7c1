"""Compare two coverages of the same horizon: what a change would break, whom it would hurt, and whom it would help."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from entitlements.coverage.instants import utc
from entitlements.coverage.results import Coverage, Dimension, Gap, GapKind, Place

#: How bad a gap is; a gap is new where there was none as bad before.
_GRACE, _SUPPORT_LOST, _LOST, _SHORT, _DARK = range(1, 6)

Severity = Callable[[Gap], int]
Person = tuple[UUID, Place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """
    A stretch of time in which a person's access to a product for an account differs between two coverages.

    `kind` is the gap that the person has on the worse side. Instants are in UTC; an `ends_at` of None reaches the
    horizon's end.
    """

    person: UUID
    account_id: UUID
    product_id: UUID
    starts_at: datetime
    ends_at: datetime | None
    kind: GapKind


def severity(gap: Gap) -> int:
    """Return how bad a gap is: grace, then lost support, then anything else lost, then short, then dark."""
    if gap.kind is GapKind.LOST:
        return _SUPPORT_LOST if gap.dimensions == (Dimension.SUPPORT,) else _LOST
    return {GapKind.GRACE: _GRACE, GapKind.SHORT: _SHORT, GapKind.DARK: _DARK}[gap.kind]


def access(gap: Gap) -> int:
    """Return what a gap does to access: 1 if use goes on (grace, or without support), 2 if it does not."""
    return 1 if severity(gap) <= _SUPPORT_LOST else 2


def new_gaps(before: Coverage, after: Coverage) -> tuple[Gap, ...]:
    """
    Return the parts of the gaps of `after` that `before` does not have: by place, person and instant, not by key.

    A gap that shrinks is not new; one that lasts longer, concerns more people or becomes worse (`severity`) is, in
    that part. Of anonymous needs it compares numbers at each place. Each part has the people and the count that are
    new.

    :raises ValueError: if the horizons differ
    """
    return _worse(before, after, severity)


def people_losing(before: Coverage, after: Coverage) -> tuple[Shift, ...]:
    """
    Return who could use a product before and cannot after, at instants at which they need it in both.

    Falling back on grace, or losing only support, counts as losing to those who were covered.

    :raises ValueError: if the horizons differ
    """
    return _shifts(_worse(before, after, access), before)


def people_gaining(before: Coverage, after: Coverage) -> tuple[Shift, ...]:
    """
    Return who could not use a product before and can after, at instants at which they need it in both; the reverse of
    `people_losing`.

    :raises ValueError: if the horizons differ
    """
    return _shifts(_worse(after, before, access), after)


# New parts of gaps


def _worse(before: Coverage, after: Coverage, how_bad: Severity) -> tuple[Gap, ...]:
    if before.horizon != after.horizon:
        raise ValueError("The two coverages have different horizons: compute both for the same one.")
    earlier, later = _by_place(before.gaps), _by_place(after.gaps)
    end = after.horizon[1]
    return tuple(
        part for place, gaps in later.items() for part in _worse_at(earlier.get(place, []), gaps, how_bad, end)
    )


def _by_place(gaps: Iterable[Gap]) -> dict[Place, list[Gap]]:
    found: dict[Place, list[Gap]] = {}
    for gap in gaps:
        found.setdefault(gap.place, []).append(gap)
    return found


def _worse_at(before: list[Gap], after: list[Gap], how_bad: Severity, end: datetime) -> list[Gap]:
    """Return the new parts at one place, joined where they continue."""
    open_parts: dict[tuple[object, ...], Gap] = {}
    done: list[Gap] = []
    for starts_at, ends_at, was, now in _stretches(before, after, end):
        still_open: dict[tuple[object, ...], Gap] = {}
        for gap, people, count in _new_at(was, now, how_bad):
            key = (gap.kind, gap.dimensions, people, count, gap.pools)
            part = open_parts.pop(key, None)
            begun = starts_at if part is None else part.starts_at
            still_open[key] = _part(gap, begun, None if ends_at == end else ends_at, people, count)
        done += open_parts.values()
        open_parts = still_open
    done += open_parts.values()
    return sorted(done, key=lambda part: (part.starts_at, part.kind, part.dimensions))


def _part(gap: Gap, starts_at: datetime, ends_at: datetime | None, people: tuple[UUID, ...], count: int) -> Gap:
    return Gap(
        kind=gap.kind,
        place=gap.place,
        dimensions=gap.dimensions,
        starts_at=starts_at,
        ends_at=ends_at,
        people=people,
        count=count,
        pools=gap.pools,
    )


def _stretches(
    before: list[Gap], after: list[Gap], end: datetime
) -> Iterator[tuple[datetime, datetime, list[Gap], list[Gap]]]:
    """Yield each stretch in which the gaps of both sides stay the same, with those of either side."""
    edges: dict[datetime, list[tuple[int, bool, Gap]]] = {}
    for side, gaps in enumerate((before, after)):
        for gap in gaps:
            edges.setdefault(gap.starts_at, []).append((side, True, gap))
            edges.setdefault(gap.ends_at or end, []).append((side, False, gap))
    # A dict keeps what is open in order and lets go of it at once.
    open_gaps: tuple[dict[int, Gap], dict[int, Gap]] = ({}, {})
    instants = sorted(edges)
    for instant, following in pairwise(instants):
        for side, opens, gap in edges[instant]:
            if opens:
                open_gaps[side][id(gap)] = gap
            else:
                del open_gaps[side][id(gap)]
        yield instant, following, list(open_gaps[0].values()), list(open_gaps[1].values())


def _new_at(was: list[Gap], now: list[Gap], how_bad: Severity) -> Iterator[tuple[Gap, tuple[UUID, ...], int]]:
    """Yield each gap of now with the people and the count of it that had nothing as bad."""
    suffered: dict[UUID, int] = {}
    for gap in was:
        for person in gap.people:
            suffered[person] = max(suffered.get(person, 0), how_bad(gap))
    excused, left = 0, sorted(was, key=how_bad)
    for gap in sorted(now, key=lambda gap: (-how_bad(gap), gap.kind, gap.dimensions)):
        while left and how_bad(left[-1]) >= how_bad(gap):
            excused += left.pop().anonymous
        known = min(excused, gap.anonymous)
        excused -= known
        people = tuple(person for person in gap.people if suffered.get(person, 0) < how_bad(gap))
        count = len(people) + gap.anonymous - known
        if count:
            yield gap, people, count


# Shifts of people


def _shifts(parts: tuple[Gap, ...], other: Coverage) -> tuple[Shift, ...]:
    """Turn worse parts into shifts of people, where they have the same need in the other coverage."""
    concerned = {person for part in parts for person in part.people}
    needed = _needed(other, concerned)
    end = other.horizon[1]
    stretches: dict[tuple[UUID, UUID, UUID], list[tuple[datetime, datetime, Gap]]] = {}
    for part in parts:
        for person in part.people:
            whose = (person, part.place.account_id, part.place.product_id)
            for starts_at, ends_at in needed.get((person, part.place), ()):
                begins, ends = max(starts_at, part.starts_at), min(ends_at, part.ends_at or end)
                if begins < ends:
                    stretches.setdefault(whose, []).append((begins, ends, part))
    found = [
        Shift(
            person=person,
            account_id=account_id,
            product_id=product_id,
            starts_at=starts_at,
            ends_at=None if ends_at == end else ends_at,
            kind=kind,
        )
        for (person, account_id, product_id), some in stretches.items()
        for starts_at, ends_at, kind in _worst(some)
    ]
    return tuple(sorted(found, key=_shift_order))


def _needed(coverage: Coverage, people: set[UUID]) -> dict[Person, list[tuple[datetime, datetime]]]:
    start, end = coverage.horizon
    found: dict[Person, list[tuple[datetime, datetime]]] = {}
    for need in coverage.needs:
        if need.person is None or need.person not in people:
            continue
        period = max(start, utc(need.starts_at)), end if need.ends_at is None else min(end, utc(need.ends_at))
        for feature in need.features or ("",):
            place = Place(need.account_id, need.product_id, need.country, feature, need.unit)
            found.setdefault((need.person, place), []).append(period)
    return found


def _worst(stretches: list[tuple[datetime, datetime, Gap]]) -> list[tuple[datetime, datetime, GapKind]]:
    """Return, for overlapping stretches of one person, the worst kind at each time, joined where it continues."""
    instants = sorted({instant for starts_at, ends_at, _ in stretches for instant in (starts_at, ends_at)})
    found: list[tuple[datetime, datetime, GapKind]] = []
    for instant, following in pairwise(instants):
        gaps = [gap for starts_at, ends_at, gap in stretches if starts_at <= instant < ends_at]
        if not gaps:
            continue
        kind = max(gaps, key=severity).kind
        if found and found[-1][1:] == (instant, kind):
            found[-1] = (found[-1][0], following, kind)
        else:
            found.append((instant, following, kind))
    return found


def _shift_order(shift: Shift) -> tuple[int, int, int, datetime]:
    return shift.person.int, shift.account_id.int, shift.product_id.int, shift.starts_at
