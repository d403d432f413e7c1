"""The coverage part of a plan: before and after, gaps, people who lose or gain, the seat map."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from approvals.governed import Operation, PreparedItem
from approvals.records.rows import instant, parse_instant
from entitlements.coverage.comparison import Shift, new_gaps, people_gaining, people_losing
from entitlements.coverage.engine import cover
from entitlements.coverage.results import Coverage, Gap, Place, Segment
from entitlements.grants.models import Entitlement
from entitlements.planning import capacity
from entitlements.planning.registry import Registry

HORIZON = timedelta(days=180)
MARGIN = timedelta(days=30)
LONGEST = timedelta(days=10 * 366)
MOST_PEOPLE_LISTED = 1_000


@dataclass(frozen=True)
class Comparison:
    """
    Coverage before and after a change, and what differs.

    `seams` are gaps of a predecessor's holders after its end, while a successor that the change grants or moves has not
    ended: a hole before it starts, or a country or feature that it drops. They are not new, if the trial would have
    ended anyway, but a succession that leaves somebody out is none, so they need a waiver like new ones.
    """

    before: Coverage
    after: Coverage
    added: tuple[Gap, ...]
    seams: tuple[Gap, ...]
    losing: tuple[Shift, ...]
    gaining: tuple[Shift, ...]

    @property
    def refused(self) -> tuple[Gap, ...]:
        """The gaps that need a waiver."""
        known = {gap.key for gap in self.added}
        return (*self.added, *(gap for gap in self.seams if gap.key not in known))


def compare(*, before: Registry, after: Registry, items: Sequence[PreparedItem], now: datetime) -> Comparison:
    """Cover the registry before and after the items, over the same horizon."""
    horizon = (now, _horizon_end(items, now))
    needed_before = capacity.needs(before, starts_at=now)
    needed_after = capacity.needs(after, starts_at=now, also=before)
    covered_before = cover(pools=capacity.pools(before), needs=needed_before, horizon=horizon)
    covered_after = cover(pools=capacity.pools(after), needs=needed_after, horizon=horizon)
    return Comparison(
        before=covered_before,
        after=covered_after,
        added=new_gaps(covered_before, covered_after),
        seams=_seams(covered_after, items, before, after),
        losing=people_losing(covered_before, covered_after),
        gaining=people_gaining(covered_before, covered_after),
    )


def section(comparison: Comparison) -> dict[str, Any]:
    """The plan document's `coverage`."""
    starts_at, ends_at = comparison.after.horizon
    gaps = (*comparison.before.gaps, *comparison.after.gaps)
    interesting = {gap.place for gap in gaps}
    places = {
        place for coverage in (comparison.before, comparison.after) for place in coverage.timelines if not place.feature
    } | interesting
    return {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "places": [
            place_row(place)
            | {
                "before": _segments(comparison.before.timelines.get(place, ())),
                "after": _segments(comparison.after.timelines.get(place, ())),
            }
            for place in sorted(places, key=_order)
        ],
        "gaps_before": [gap_row(gap) for gap in _joined(comparison.before.gaps)],
        "gaps_after": [gap_row(gap) for gap in _joined(comparison.after.gaps)],
        "new_gaps": [gap_row(gap) for gap in _joined(comparison.refused)],
    }


def shift_row(shift: Shift) -> dict[str, Any]:
    """A person who loses or gains access."""
    return {
        "person": shift.person,
        "account": shift.account_id,
        "product": shift.product_id,
        "at": shift.starts_at,
        "until": shift.ends_at,
        "kind": shift.kind,
    }


def gap_row(gap: Gap) -> dict[str, Any]:
    """A gap as the plan document holds it."""
    return place_row(gap.place) | {
        "key": gap.key,
        "kind": gap.kind,
        "dimensions": list(gap.dimensions),
        "starts_at": gap.starts_at,
        "ends_at": gap.ends_at,
        "count": gap.count,
        "people": list(gap.people[:MOST_PEOPLE_LISTED]),
        "pools": list(gap.pools),
    }


def place_row(place: Place) -> dict[str, Any]:
    """Where: account, product, country, feature, unit."""
    return {
        "account": place.account_id,
        "product": place.product_id,
        "country": place.country,
        "feature": place.feature,
        "unit": place.unit,
    }


def seat_map(
    *, before: Registry, after: Registry, items: Sequence[PreparedItem], now: datetime
) -> list[dict[str, Any]]:
    """
    For each holder whose entitlement the change ends, replaces or takes seats of: the seat that takes over, or none.

    `at` is when the seat goes: the entitlement's end, or at once where the change takes it back (`released`).
    """
    changed = {str(item.record_id): item for item in items if item.table == Entitlement._meta.db_table}
    rows = []
    for entitlement_id, people in before.holders.items():
        row = after.entitlements.get(entitlement_id)
        if row is None:
            continue
        successors = _successors(after, entitlement_id)
        ends = _ends_by_change(changed.get(entitlement_id))
        replaced_now = any(successor["id"] in changed for successor in successors)
        remaining = set(after.holders.get(entitlement_id, ()))
        for person in people:
            keeps = person in remaining
            if keeps and not ends and not replaced_now:
                continue
            others = successors if keeps else [*successors, *_others(after, row, now)]
            to = next((other["id"] for other in others if person in after.holders.get(other["id"], ())), None)
            if to is None and keeps and not ends and row["ends_at"] is None:
                to = entitlement_id
            rows.append(
                {
                    "person": person,
                    "from": entitlement_id,
                    "to": to,
                    "at": instant(row["ends_at"]) if keeps else now,
                    "released": not keeps,
                }
            )
    return rows


def without_seat(*, rows: Iterable[Mapping[str, Any]], after: Registry) -> list[Mapping[str, Any]]:
    """
    Rows of the seat map of people who are left without a seat that they need.

    Those are holders whose seat the change takes back, and holders to whom no seat is given of a successor that counts
    named holders. Where nothing counts holders, nobody needs a seat.
    """

    def names_holders(entitlement: Mapping[str, Any]) -> bool:
        return after.revisions[entitlement["sku_revision_id"]]["metric"] in ("named_user", "device")

    return [
        row
        for row in rows
        if row["to"] is None
        and (
            names_holders(after.entitlements[row["from"]])
            if row["released"]
            else any(names_holders(successor) for successor in _successors(after, row["from"]))
        )
    ]


def _successors(registry: Registry, entitlement_id: str) -> list[Mapping[str, Any]]:
    return [
        row
        for row in registry.entitlements.values()
        if row["replaces_id"] == entitlement_id and row["withdrawn_at"] is None
    ]


def _others(registry: Registry, entitlement: Mapping[str, Any], now: datetime) -> list[Mapping[str, Any]]:
    """Other entitlements of the same product that are in force."""
    product = registry.product_of(entitlement)
    return [
        row
        for row in registry.entitlements.values()
        if row["id"] != entitlement["id"]
        and row["withdrawn_at"] is None
        and registry.product_of(row) == product
        and parse_instant(row["starts_at"]) <= now < (instant(row["ends_at"]) or now + LONGEST)
    ]


def _ends_by_change(item: PreparedItem | None) -> bool:
    if item is None or item.operation is Operation.INSERT or item.before is None or item.after is None:
        return False
    was, is_now = instant(item.before["ends_at"]), instant(item.after["ends_at"])
    return is_now is not None and (was is None or is_now < was)


def _horizon_end(items: Sequence[PreparedItem], now: datetime) -> datetime:
    boundaries = [now + HORIZON]
    for item in items:
        if item.table != Entitlement._meta.db_table or item.after is None:
            continue
        boundaries.append(parse_instant(item.after["starts_at"]) + MARGIN)
        if item.before is not None and item.before["ends_at"] != item.after["ends_at"]:
            ends = (instant(item.before["ends_at"]), instant(item.after["ends_at"]))
            boundaries += [at + MARGIN for at in ends if at is not None]
    return min(max(boundaries), now + LONGEST)


def _seams(coverage: Coverage, items: Sequence[PreparedItem], before: Registry, after: Registry) -> tuple[Gap, ...]:
    found: dict[str, Gap] = {}
    for item in items:
        if item.table != Entitlement._meta.db_table or item.after is None or not item.after["replaces_id"]:
            continue
        predecessor = after.entitlements.get(item.after["replaces_id"])
        if predecessor is None or item.after["withdrawn_at"] is not None:
            continue
        ends_at, successor_ends_at = instant(predecessor["ends_at"]), instant(item.after["ends_at"])
        if ends_at is None:
            continue
        people = {UUID(person) for person in before.holders.get(predecessor["id"], ())}
        for gap in coverage.gaps:
            begun = successor_ends_at is None or gap.starts_at < successor_ends_at
            within = begun and (gap.ends_at is None or gap.ends_at > ends_at)
            if within and (people & set(gap.people) or gap.anonymous):
                found[gap.key] = gap
    return tuple(found.values())


def _joined(gaps: Iterable[Gap]) -> list[Gap]:
    """Gaps of the product as a whole stand for those of its features at the same time and with the same people."""
    gaps = list(gaps)
    whole = {
        (
            gap.place.account_id,
            gap.place.product_id,
            gap.place.country,
            gap.kind,
            gap.starts_at,
            gap.ends_at,
            gap.people,
        )
        for gap in gaps
        if not gap.place.feature
    }
    return [
        gap
        for gap in gaps
        if not gap.place.feature
        or (
            gap.place.account_id,
            gap.place.product_id,
            gap.place.country,
            gap.kind,
            gap.starts_at,
            gap.ends_at,
            gap.people,
        )
        not in whole
    ]


def _segments(segments: Iterable[Segment]) -> list[dict[str, Any]]:
    return [
        {
            "starts_at": segment.starts_at,
            "ends_at": segment.ends_at,
            "capacity": segment.capacity,
            "need": segment.need,
        }
        for segment in segments
    ]


def _order(place: Place) -> tuple[str, ...]:
    return (str(place.account_id), str(place.product_id), place.country, place.feature, str(place.unit))
