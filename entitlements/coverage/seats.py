"""
The seats that count at one instant, and whether a load of demands can be placed on them.

A load says, for each set of pools ("class"), how many demands may be placed on any pool of that set and on no other.
Everything easy is decided here; what is left goes to maximum flow (`flow.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from entitlements.coverage.bits import bits
from entitlements.coverage.families import Families
from entitlements.coverage.flow import bottleneck
from entitlements.coverage.terms import Terms
from entitlements.coverage.values import Unit

#: Stands for "no limit" where a number is needed; no sum of seats comes near it.
UNBOUNDED = 1 << 60


class Seats:
    """Seats of those pools of a component that count at one instant (all in force, or all in grace)."""

    def __init__(self, *, terms: Terms, families: Families, counting: int) -> None:
        self.terms = terms
        self.families = families
        self.counting = counting
        #: For each pool in a family: the most that it and its successors give together.
        self.limit: dict[int, int] = self._limits() if counting & families.linked else {}
        self._known: dict[frozenset[tuple[int, int]], int] = {}

    def own(self, index: int) -> int:
        """Return a pool's seats; 0 if it does not count now, `UNBOUNDED` if it is unlimited."""
        if not self.counting >> index & 1:
            return 0
        seats = self.terms.pools[index].seats
        return UNBOUNDED if seats is None else seats

    def _limits(self) -> dict[int, int]:
        limit: dict[int, int] = {}
        successors = dict.fromkeys(self.families.members, 0)
        for index in self.families.members:
            limit[index] = max(self.own(index), successors[index])
            if index in self.families.parent:
                successors[self.families.parent[index]] += limit[index]
        return limit

    def total(self, pools: int) -> int:
        """Return the most demands that pools can take if nobody else wants them; from `UNBOUNDED` on, no limit."""
        pools &= self.counting
        linked = pools & self.families.linked
        total = sum(self.own(index) for index in bits(pools & ~linked))
        if not linked:
            return total
        given = dict.fromkeys(self.families.members, 0)
        for index in self.families.members:
            given[index] += self.own(index) if pools >> index & 1 else 0
            given[index] = min(given[index], self.limit[index])
            parent = self.families.parent.get(index)
            if parent is None:
                total += given[index]
            else:
                given[parent] += given[index]
        return total

    def capacity(self, pools: int, unit: Unit) -> int | None:
        """Return the capacity of a set of pools for a unit, None if one of them that counts does not limit it."""
        pools &= self.counting
        return None if pools & ~self.terms.limited[unit] else self.total(pools)

    def assignable(self, load: Mapping[int, int]) -> bool:
        """Tell whether every demand of a load can be placed at once."""
        return not any(self._stuck(piece) for piece in self._pieces(load))

    def overloaded(self, load: Mapping[int, int]) -> list[dict[int, int]]:
        """Return the parts of a load whose demands compete, apart from all others, for seats that do not suffice."""
        return [piece for piece in self._pieces(load) if self._stuck(piece)]

    def full(self, load: Mapping[int, int]) -> int:
        """Return the pools of which nobody more can have a seat, if a load has one demand too many to be placed."""
        full = 0
        for piece in self._pieces(load):
            full |= self._stuck(piece)
        return full

    def _pieces(self, load: Mapping[int, int]) -> list[dict[int, int]]:
        contested = self._contested(load)
        return pieces(contested, self.families) if contested else []

    def _stuck(self, piece: Mapping[int, int]) -> int:
        """Return the pools that keep a piece from being placed; none if it can be."""
        wanted, union = 0, 0
        for pools, count in piece.items():
            wanted += count
            union |= pools
        if wanted > self.total(union):
            return union
        if len(piece) == 1:
            return 0  # one class has nobody to compete with, so the bound is exact
        # The pools stay the same over many instants, and so do most pieces.
        key = frozenset(piece.items())
        if key not in self._known:
            self._known[key] = self._bottleneck(piece, union)
        return self._known[key]

    def _bottleneck(self, piece: Mapping[int, int], union: int) -> int:
        return bottleneck(
            piece,
            own={index: self.own(index) for index in bits(union)},
            levels={index: self.families.levels(index) for index in bits(union)},
            limit=self.limit,
        )

    def _contested(self, load: Mapping[int, int]) -> dict[int, int]:
        """
        Return the part of a load that is not settled at sight.

        Note "roomy pools": a pool with seats for everyone who may want it, in a family with seats for everyone who
        may want any of it, can take all of them whatever happens elsewhere. They are placed there, the pool leaves
        the contest, and other pools may become roomy.
        """
        contested = {pools: count for pools, count in load.items() if count}
        while contested:
            roomy = self._roomy(contested)
            left = {pools: count for pools, count in contested.items() if not pools & roomy}
            if len(left) == len(contested):
                break
            contested = left
        return contested

    def _roomy(self, load: Mapping[int, int]) -> int:
        wanted: dict[int, int] = {}
        for pools, count in load.items():
            for index in bits(pools):
                wanted[index] = wanted.get(index, 0) + count
        roomy = 0
        for index, count in wanted.items():
            if count <= self.own(index) and (index not in self.limit or self._family_has_room(index, load)):
                roomy |= 1 << index
        return roomy

    def _family_has_room(self, index: int, load: Mapping[int, int]) -> bool:
        # Counting everyone who wants anything of the family, at each level, asks more than needed, so it is safe.
        wanted = sum(count for pools, count in load.items() if pools & self.families.kin[index])
        return all(wanted <= self.limit[level] for level in self.families.levels(index))


def pieces(load: Mapping[int, int], families: Families) -> list[dict[int, int]]:
    """Split a load into parts that share no pool and no family, so that each can be decided for itself."""
    wanting: dict[int, list[int]] = {}
    for pools in load:
        for index in bits(families.widened(pools)):
            wanting.setdefault(index, []).append(pools)
    found = []
    while wanting:
        piece: dict[int, int] = {}
        reached = [next(iter(wanting))]
        while reached:
            for pools in wanting.pop(reached.pop(), ()):
                if pools not in piece:
                    piece[pools] = load[pools]
                    reached.extend(bits(families.widened(pools)))
        found.append(piece)
    return found
