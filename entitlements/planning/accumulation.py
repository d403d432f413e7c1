"""
What changes add up to over twelve months, under one agreement and across authors: pure, over rows as JSON values.

A step is what one request did, or would do: for each record its row before and after. Within a step, what a succession
passes on is no growth: a family of entitlements that replace each other grows by what it adds as a whole. Between
steps nothing is offset: growth adds up by itself and so does reduction, so that a way down and up again hides neither,
and a change in parts is never smaller than the whole.

None stands for what has no limit.

Source: docs/facts.md
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from approvals.records.rows import instant
from entitlements.agreements.growth import peak, percent_up

Row = Mapping[str, Any]
Count = int | None


@dataclass(frozen=True)
class Moved:
    """One record's row before (None: it is new) and after; `table` is the record's."""

    key: str
    before: Row | None
    after: Row
    table: str = ""


Step = Sequence[Moved]


@dataclass(frozen=True)
class Growth:
    """How much was added and taken away, and what there was at the start."""

    added: Count
    removed: Count
    start: Count

    @property
    def added_percent(self) -> int | None:
        """The addition relative to the start, rounded up; None without limit, or if there was nothing."""
        return None if self.added is None or self.start is None else percent_up(self.added, self.start)

    @property
    def removed_percent(self) -> int | None:
        """The reduction relative to the start, rounded up; None without limit, or if there was nothing."""
        return None if self.removed is None or self.start is None else percent_up(self.removed, self.start)


def of_entitlements(*, rows: Iterable[Row], steps: Sequence[Step]) -> Growth:
    """
    Growth of seats along the steps, in their order; `rows` are the entitlements and what they replace, as they stand.

    The last step may be one that is only planned: its records are then in `rows` as they stand before it, or not at
    all.
    """
    state = at_start(rows, steps)
    start = sum(_seats(state, families_of(state.values())).values())
    state = _concerned(state, steps)
    added, removed = [0.0], [0.0]
    for step in steps:
        later = state | {moved.key: moved.after for moved in step}
        families = families_of([*state.values(), *later.values()])
        before, after = _seats(state, families), _seats(later, families)
        changes = [_less(after.get(family, 0.0), before.get(family, 0.0)) for family in before | after]
        ended = sum(_ended_early(moved, later) for moved in step)
        added.append(sum(max(change, 0.0) for change in changes))
        removed.append(sum(max(-change, 0.0) for change in changes) + ended)
        state = later
    return Growth(_count(sum(added)), _count(sum(removed)), _count(start))


def of_order_lines(*, rows: Iterable[Row], steps: Sequence[Step]) -> Growth:
    """Growth of ordered quantities along the steps, each line by its largest period; `rows` as they stand."""
    state = at_start(rows, steps)
    added, removed, start = [0.0], [0.0], sum((_size(peak(line)) for line in state.values()), 0.0)
    for step in steps:
        for moved in step:
            former = state.get(moved.key)
            change = _less(_size(peak(moved.after)), _size(peak(former)) if former else 0.0)
            added.append(max(change, 0.0))
            removed.append(max(-change, 0.0))
            state[moved.key] = moved.after
    return Growth(_count(sum(added)), _count(sum(removed)), _count(start))


def of_costs(*, start: Decimal, changes: Iterable[Decimal]) -> tuple[Decimal, Decimal, int | None]:
    """Added, saved, and added as whole percents of the start (None if there was no cost); changes are of lines."""
    known = list(changes)
    added = sum((change for change in known if change > 0), Decimal(0))
    saved = -sum((change for change in known if change < 0), Decimal(0))
    return added, saved, percent_up(added, start)


def at_start(rows: Iterable[Row], steps: Sequence[Step]) -> dict[str, Row]:
    """The rows as they stood before the first step, by id."""
    state = {str(row["id"]): row for row in rows}
    seen: set[str] = set()
    for moved in (moved for step in steps for moved in step):
        if moved.key in seen:
            continue
        seen.add(moved.key)
        if moved.before is None:
            state.pop(moved.key, None)
        else:
            state[moved.key] = moved.before
    return state


def _concerned(state: Mapping[str, Row], steps: Sequence[Step]) -> dict[str, Row]:
    """The rows of the families that any step touches: the others stay as they are."""
    moved = [moved for step in steps for moved in step]
    versions = [row for one in moved for row in (one.before, one.after) if row is not None]
    families = families_of([*state.values(), *versions])
    touched = {families[one.key] for one in moved}
    return {key: row for key, row in state.items() if families[key] in touched}


def families_of(rows: Iterable[Row]) -> dict[str, str]:
    """For each entitlement, one that stands for all that replace each other in these rows."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = key = parent[parent[key]]
        return key

    for row in rows:
        own = root(str(row["id"]))
        if row["replaces_id"] is not None:
            parent[own] = root(str(row["replaces_id"]))
    return {key: root(key) for key in list(parent)}


def _seats(state: Mapping[str, Row], families: Mapping[str, str]) -> dict[str, float]:
    """The seats of each family: of what is replaced only those that its successors do not take over."""
    taken: dict[str, float] = {}
    for row in state.values():
        if row["replaces_id"] is not None:
            key = str(row["replaces_id"])
            taken[key] = taken.get(key, 0.0) + _given(row)
    found: dict[str, float] = {}
    for key, row in state.items():
        left = max(_less(_given(row), taken.get(key, 0.0)), 0.0)
        found[families[key]] = found.get(families[key], 0.0) + left
    return found


def _given(row: Row) -> float:
    return 0.0 if row["withdrawn_at"] is not None else _size(row["seats"])


def _ended_early(moved: Moved, state: Mapping[str, Row]) -> float:
    """The seats that end before they would have, unless successors take them over."""
    if moved.before is None or moved.after["ends_at"] is None:
        return 0.0
    former, ends_at = instant(moved.before["ends_at"]), instant(moved.after["ends_at"])
    if ends_at is None or (former is not None and ends_at >= former):
        return 0.0
    taken = sum(_given(row) for row in state.values() if str(row["replaces_id"]) == moved.key)
    return max(_less(_given(moved.after), taken), 0.0)


def _size(count: Count) -> float:
    return float("inf") if count is None else float(count)


def _less(more: float, less: float) -> float:
    return 0.0 if more == less else more - less


def _count(size: float) -> Count:
    return None if size == float("inf") else int(size)
