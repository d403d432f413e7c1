"""Components: parts of pools and needs that share no seat and no succession, and are decided apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from entitlements.coverage.values import Need, Pool


@dataclass(slots=True)
class Component:
    """Pools and needs of one product that may compete with each other."""

    pools: list[Pool] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)


class _Groups:
    """Disjoint sets of numbers, joined with path halving."""

    def __init__(self) -> None:
        self._above: list[int] = []

    def new(self) -> int:
        self._above.append(len(self._above))
        return len(self._above) - 1

    def find(self, number: int) -> int:
        above = self._above
        while above[number] != number:
            above[number] = above[above[number]]
            number = above[number]
        return number

    def join(self, one: int, other: int) -> None:
        one, other = self.find(one), self.find(other)
        if one != other:
            self._above[max(one, other)] = min(one, other)


class _Numbers(dict[tuple[UUID, UUID], int]):
    """A number for each pair of product and account."""

    def __init__(self, groups: _Groups) -> None:
        self._groups = groups

    def __missing__(self, key: tuple[UUID, UUID]) -> int:
        self[key] = number = self._groups.new()
        return number


def components(*, pools: Mapping[UUID, Pool], needs: Iterable[Need]) -> list[Component]:
    """
    Partition pools and needs; a component without needs has nothing to cover and is left out.

    Joined are the accounts that one pool serves, and a pool with its predecessor. A person who needs a product for
    accounts that no pool joins takes a seat for each anyway.
    """
    groups = _Groups()
    numbers = _Numbers(groups)
    of_pool = _number_pools(pools, numbers, groups)
    of_need = [(numbers[need.product_id, need.account_id], need) for need in needs]
    found: dict[int, Component] = {}
    for number, need in of_need:
        found.setdefault(groups.find(number), Component()).needs.append(need)
    for number, pool in of_pool:
        component = found.get(groups.find(number))
        if component is not None:
            component.pools.append(pool)
    return list(found.values())


def _number_pools(pools: Mapping[UUID, Pool], numbers: _Numbers, groups: _Groups) -> list[tuple[int, Pool]]:
    number_of: dict[UUID, int] = {}
    for pool in pools.values():
        first, *others = (numbers[pool.product_id, account_id] for account_id in pool.account_ids)
        for other in others:
            groups.join(first, other)
        number_of[pool.id] = first
    for pool in pools.values():
        before = None if pool.replaces is None else pools.get(pool.replaces)
        if before is not None and before.product_id == pool.product_id:
            groups.join(number_of[before.id], number_of[pool.id])
    return [(number_of[pool.id], pool) for pool in pools.values()]
