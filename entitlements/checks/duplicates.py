"""Duplicate seats: several units held by one subject where one would do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from entitlements.checks.rules import Asker, in_time
from entitlements.checks.values import Terms


def duplicate_ids(related: Collection[Terms], asker: Asker, at: datetime) -> tuple[UUID, ...]:
    """
    Answer the entitlements of one product in which the same person, or the same device, holds a seat too many.

    Counted are seats of entitlements that allow something at `at`. Those that replace one another, directly or
    through others among `related`, count once and are represented by the newest; two that have no feature in common,
    such as an edition and an add-on, are no duplicates. Empty if there is none; sorted by id.
    """
    if len(asker.by_person) < 2 and len(asker.by_device) < 2:
        return ()
    found: set[UUID] = set()
    replaces = {each.entitlement_id: each.replaces_id for each in related if each.replaces_id is not None}
    for held_ids in (asker.by_person, asker.by_device):
        held = [each for each in related if each.entitlement_id in held_ids and in_time(each, at)]
        newest: dict[UUID, Terms] = {}
        for each in held:
            root = _root(each.entitlement_id, replaces)
            if root not in newest or _newness(each) > _newness(newest[root]):
                newest[root] = each
        chains = tuple(newest.values())
        found.update(
            one.entitlement_id for one in chains if any(other is not one and _overlap(one, other) for other in chains)
        )
    return tuple(sorted(found))


def _root(entitlement_id: UUID, replaces: Mapping[UUID, UUID]) -> UUID:
    """Follow the replaced entitlements to the first; a circle, which the registry refuses, ends at its smallest id."""
    seen = [entitlement_id]
    while (earlier := replaces.get(seen[-1])) is not None:
        if earlier in seen:
            return min(seen[seen.index(earlier) :])
        seen.append(earlier)
    return seen[-1]


def _newness(terms: Terms) -> tuple[datetime, int]:
    return terms.starts_at, terms.entitlement_id.int


def _overlap(one: Terms, other: Terms) -> bool:
    """Answer whether two entitlements give a feature in common; one without features gives the product as such."""
    if not one.features or not other.features:
        return True
    return any(
        code in other.features and not limit.gives_nothing and not other.features[code].gives_nothing
        for code, limit in one.features.items()
    )
