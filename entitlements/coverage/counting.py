"""The pools that count at an instant, and what they can do for whom."""

from __future__ import annotations

from entitlements.coverage.bits import bits
from entitlements.coverage.placement import Demand
from entitlements.coverage.results import Dimension
from entitlements.coverage.seats import Seats
from entitlements.coverage.subjects import Subjects

_RANK = {dimension: rank for rank, dimension in enumerate(Dimension)}


class Counting:
    """Pools that count together: all in force, or all in grace. Support of those in `supported` has not ended."""

    def __init__(self, subjects: Subjects, *, pools: int, supported: int) -> None:
        self.pools = pools
        self.supported = supported
        self.seats = Seats(terms=subjects.terms, families=subjects.families, counting=pools)
        self._subjects = subjects
        self._terms = subjects.terms

    def serving(self, requirement: int, cohorts: frozenset[int]) -> int:
        """Return the pools that serve the account of a requirement, whether or not they give what it asks."""
        return self._terms.serving(requirement, cohorts) & self.pools

    def suitable(self, requirement: int, cohorts: frozenset[int]) -> int:
        """Return the pools that give what a requirement asks."""
        pools = self.serving(requirement, cohorts) & self._terms.satisfying(requirement)
        return pools & self.supported if self._terms.requirements[requirement].support else pools

    def candidates(self, subject: int, requirement: int) -> int:
        """Return the pools that give a subject what a requirement asks."""
        return self.suitable(requirement, self._subjects.all[subject].cohorts)

    def precedence(self, demand: Demand) -> tuple[int, int]:
        """Return the sort key of a demand: who has the lower one is placed first."""
        return self._subjects.precedence(demand.subject, demand.pools)

    def missing(self, requirement: int, serving: int) -> tuple[Dimension, ...]:
        """Return what the nearest serving pool does not give: fewest things, then first in the order of `Dimension`."""
        failures = (
            self._terms.failures(index, requirement, supported=bool(self.supported >> index & 1))
            for index in bits(serving)
        )
        return min(failures, key=lambda failed: (len(failed), [_RANK[each] for each in failed]))
