"""
Who gets a seat at one instant: demands are formed from claims, placed in a fixed order of precedence, and taken apart
where they fail.

The rules are those of docs/coverage.md, "Who gets a seat". Demands that can be placed together form a matroid (a
gammoid, since seats are a flow), so taking them in order of precedence, each as long as all taken so far can be
placed, places as many as can be placed at all, and says without ambiguity who goes without.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple, Protocol

from entitlements.coverage.seats import Seats


class Claim(NamedTuple):
    """What copies `first` to `last` (exclusive) of a subject require and do not have yet: numbers of requirements."""

    subject: int
    first: int
    last: int
    requirements: tuple[int, ...]


class Demand(NamedTuple):
    """Requirements of one subject that one seat, of any of `pools`, can meet, for each copy `first` to `last`."""

    subject: int
    first: int
    last: int
    requirements: tuple[int, ...]
    pools: int

    @property
    def size(self) -> int:
        """How many seats it takes."""
        return self.last - self.first


class Tried(NamedTuple):
    """A demand that was placed or refused, as far as later rounds need to know it."""

    first: int
    last: int
    pools: int
    placed: bool


class View(Protocol):
    """What placement must know of subjects; `Sweep` gives it for pools in force and for pools in grace."""

    def candidates(self, subject: int, requirement: int) -> int:
        """Return the counting pools that meet a requirement of a subject."""

    def needs_seat(self, subject: int, pools: int) -> bool:
        """Tell whether each of these pools takes a seat for the subject: it is limited and counts its unit."""

    def precedence(self, demand: Demand) -> tuple[int, int]:
        """Return the sort key of a demand: who has the lower one is placed first."""


def first_fit(choices: Iterable[tuple[int, int]]) -> list[tuple[tuple[int, ...], int]]:
    """
    Gather requirements that one seat can meet: those with fewest candidates first, each into the first group that
    shares one.

    Takes pairs of requirement and candidate pools (none empty); returns pairs of requirements and the pools that meet
    all of them. No pool is in two groups, so that nobody is ever given two seats of one pool.
    """
    groups: list[tuple[list[int], int]] = []
    for requirement, pools in sorted(choices, key=lambda choice: (choice[1].bit_count(), choice[0])):
        for position, (members, shared) in enumerate(groups):
            if shared & pools:
                members.append(requirement)
                groups[position] = (members, shared & pools)
                break
        else:
            groups.append(([requirement], pools))
    return [(tuple(sorted(members)), shared) for members, shared in groups]


class Placement:
    """One instant's contest for seats."""

    def __init__(self, *, view: View, seats: Seats, load: Mapping[int, int]) -> None:
        """Start with a load of demands that keep their seats, whatever else is placed: no more than `seats` hold."""
        self.view = view
        self.seats = seats
        self.load: Counter[int] = Counter(load)
        self._full: set[int] = set()
        self._tried: dict[int, list[Tried]] = {}

    def uncovered(self, claims: Iterable[Claim]) -> list[Claim]:
        """Place what claims require, round by round, and return what finds no seat, one requirement each."""
        without: list[Claim] = []
        open_claims = list(claims)
        while open_claims:
            demands: list[Demand] = []
            for claim in open_claims:
                for part in self._parts(claim):
                    formed, left = self._demands(part)
                    demands += formed
                    without += left
            open_claims = self._refused(demands)
        return without

    def _parts(self, claim: Claim) -> Iterator[Claim]:
        """Split a claim into runs of copies that fared alike so far."""
        edges = {claim.first, claim.last}
        for tried in self._tried.get(claim.subject, ()):
            edges.update(edge for edge in (tried.first, tried.last) if claim.first < edge < claim.last)
        for first, last in pairwise(sorted(edges)):
            yield Claim(claim.subject, first, last, claim.requirements)

    def _demands(self, claim: Claim) -> tuple[list[Demand], list[Claim]]:
        """Form demands of copies that fared alike; also return requirements for which no pool is left to try."""
        subject, first, last, _ = claim
        history = [tried for tried in self._tried.get(subject, ()) if tried.first <= first and last <= tried.last]
        taken = 0
        for tried in history:
            taken |= tried.pools
        choices, left = [], []
        for requirement in claim.requirements:
            pools = self.view.candidates(subject, requirement)
            if pools and not self.view.needs_seat(subject, pools):
                continue
            if any(tried.placed and not tried.pools & ~pools for tried in history):
                continue  # the seat that the subject has meets this too, whichever of the pools it is of
            if pools & ~taken:
                choices.append((requirement, pools & ~taken))
            else:
                left.append(Claim(subject, first, last, (requirement,)))
        return [Demand(subject, first, last, members, pools) for members, pools in first_fit(choices)], left

    def _refused(self, demands: list[Demand]) -> list[Claim]:
        """Place one round of demands and return, as claims, what was refused."""
        refused: list[Demand] = []
        for demand, placed in self._contest(sorted(demands, key=self._order)):
            tried = self._tried.setdefault(demand.subject, [])
            middle = demand.first + placed
            if placed:
                self.load[demand.pools] += placed
                tried.append(Tried(demand.first, middle, demand.pools, placed=True))
            if middle < demand.last:
                tried.append(Tried(middle, demand.last, demand.pools, placed=False))
                refused.append(demand._replace(first=middle))
        return list(gathered(refused))

    def _order(self, demand: Demand) -> tuple[int, int, int, int]:
        return (*self.view.precedence(demand), demand.requirements[0], demand.first)

    def _contest(self, queue: list[Demand]) -> list[tuple[Demand, int]]:
        """Return each demand, given in order of precedence, with how many of its copies are placed."""
        outcome: list[tuple[Demand, int]] = []
        load = Counter(self.load)
        while queue:
            # Once one of a class is refused, so is everyone of it later: what stands in the way is only added to.
            outcome += [(demand, 0) for demand in queue if demand.pools in self._full]
            queue = [demand for demand in queue if demand.pools not in self._full]
            room = self._most(queue, load)
            rest: list[Demand] = []
            for position, demand in enumerate(queue):
                placed = min(room, demand.size)
                room -= placed
                load[demand.pools] += placed
                outcome.append((demand, placed))
                if placed < demand.size:
                    self._full.add(demand.pools)
                    rest = queue[position + 1 :]
                    break
            queue = rest
        return outcome

    def _most(self, queue: list[Demand], load: Mapping[int, int]) -> int:
        """Return how many copies from the head of the queue can be placed on top of a load."""
        total = sum(demand.size for demand in queue)
        if self.seats.assignable(_added(load, queue, total)):
            return total
        return bisect_left(
            range(total), True, key=lambda count: not self.seats.assignable(_added(load, queue, count + 1))
        )


def _added(load: Mapping[int, int], queue: Iterable[Demand], count: int) -> Counter[int]:
    """Return a load with the first `count` copies of a queue on top."""
    result = Counter(load)
    for demand in queue:
        if count <= 0:
            break
        result[demand.pools] += min(count, demand.size)
        count -= demand.size
    return result


def gathered(parts: Iterable[Claim | Demand]) -> Iterator[Claim]:
    """Turn parts into claims that do not overlap: for each run of copies of a subject, all that it is without."""
    of_subject: dict[int, list[Claim | Demand]] = {}
    for part in parts:
        of_subject.setdefault(part.subject, []).append(part)
    for subject, some in of_subject.items():
        for first, last in pairwise(sorted({edge for part in some for edge in (part.first, part.last)})):
            requirements = [
                requirement
                for part in some
                if part.first <= first and last <= part.last
                for requirement in part.requirements
            ]
            if requirements:
                yield Claim(subject, first, last, tuple(sorted(requirements)))
