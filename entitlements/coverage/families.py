"""
Successors: which pools replace which, within one component.

A pool belongs to the family of its predecessor when both count the same unit. A family never gives more than the
larger of what its eldest gives alone and what the families of its successors give together: a successor replaces, it
does not add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from entitlements.coverage.bits import bits
from entitlements.coverage.values import UNIT_OF_METRIC, Pool


class Families:
    """The forest of predecessors and successors; pools are numbered as in `Terms`."""

    def __init__(self, pools: Sequence[Pool]) -> None:
        number = {pool.id: index for index, pool in enumerate(pools)}
        #: For each pool with a known predecessor: its number, whatever either counts.
        self.predecessor: dict[int, int] = {
            index: number[pool.replaces]
            for index, pool in enumerate(pools)
            if pool.replaces is not None and pool.replaces in number
        }
        #: For each pool that shares capacity with its predecessor: its number.
        self.parent: dict[int, int] = {
            index: before for index, before in self.predecessor.items() if _count_alike(pools[index], pools[before])
        }
        #: Pools in a family of two or more, successors before predecessors.
        self.members: list[int] = self._successors_first()
        #: For each of those: all of its family, as a set of pools.
        self.kin: dict[int, int] = self._kin()
        self.linked: int = sum(1 << index for index in self.members)

    def _successors_first(self) -> list[int]:
        successors: dict[int, list[int]] = {}
        for index, before in self.parent.items():
            successors.setdefault(before, []).append(index)
        ordered = sorted(before for before in successors if before not in self.parent)
        for index in ordered:  # grows while it is walked: breadth first
            ordered.extend(successors.get(index, ()))
        return ordered[::-1]

    def _kin(self) -> dict[int, int]:
        eldest: dict[int, int] = {}
        family: dict[int, int] = {}
        for index in reversed(self.members):
            eldest[index] = eldest[self.parent[index]] if index in self.parent else index
            family[eldest[index]] = family.get(eldest[index], 0) | 1 << index
        return {index: family[eldest[index]] for index in self.members}

    def ancestors(self, index: int) -> list[int]:
        """Return a pool's predecessors, nearest first."""
        found = []
        while index in self.predecessor:
            index = self.predecessor[index]
            found.append(index)
        return found

    def levels(self, index: int) -> list[int]:
        """Return a pool and those above it that it shares capacity with, nearest first; empty if in no family."""
        if index not in self.kin:
            return []
        found = [index]
        while found[-1] in self.parent:
            found.append(self.parent[found[-1]])
        return found

    def widened(self, pools: int) -> int:
        """Return a set of pools with all their families."""
        for index in bits(pools & self.linked):
            pools |= self.kin[index]
        return pools


def _count_alike(pool: Pool, predecessor: Pool) -> bool:
    unit = UNIT_OF_METRIC[pool.metric]
    return unit is not None and unit is UNIT_OF_METRIC[predecessor.metric]


def check_successions(pools: Mapping[UUID, Pool]) -> None:
    """
    Refuse successions that lead back to where they began.

    :raises ValueError: if a pool is, over any number of steps, its own predecessor
    """
    sound: set[UUID] = set()
    for pool in pools.values():
        path: set[UUID] = set()
        current: Pool | None = pool
        while current is not None and current.replaces is not None and current.id not in sound:
            if current.id in path:
                raise ValueError(f"Pool {current.id} replaces itself over {len(path)} step(s): mend one `replaces`.")
            path.add(current.id)
            current = pools.get(current.replaces)
        sound |= path
