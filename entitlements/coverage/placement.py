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
        """Start with a load of demands that have seats already and keep them."""
        self._view = view
        self._seats = seats
        self._load: Counter[int] = Counter(load)
        #: Pools of which nobody more can have a seat. Loads only grow, so what is full stays full.
        self._full = 0
        #: Those of them that the contest goes on without: see the note in `_contest_piece`.
        self._apart = 0
        self._tried: dict[int, list[Tried]] = {}

    def uncovered(self, demands: list[Demand], standing: Iterable[Demand] = ()) -> list[Claim]:
        """
        Place demands, round by round, and return what finds no seat, one requirement each.

        `standing` are other demands of the same subjects, part of the load given at first.
        """
        for demand in standing:
            self._remember(demand, demand.size)
        without: list[Claim] = []
        while demands:
            refused = self._refused(demands)
            # One requirement alone was refused by every pool that could meet it: nothing is left to try.
            without += [_claim(demand) for demand in refused if len(demand.requirements) == 1]
            demands = []
            for claim in gathered(demand for demand in refused if len(demand.requirements) > 1):
                for part in self._parts(claim):
                    formed, left = self._demands(part)
                    demands += formed
                    without += left
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
            pools = self._view.candidates(subject, requirement)
            if any(tried.placed and not tried.pools & ~pools for tried in history):
                continue  # the seat that the subject has meets this too, whichever of the pools it is of
            if pools & ~taken:
                choices.append((requirement, pools & ~taken))
            else:
                left.append(Claim(subject, first, last, (requirement,)))
        return [Demand(subject, first, last, members, pools) for members, pools in first_fit(choices)], left

    def _refused(self, demands: list[Demand]) -> list[Demand]:
        """Place one round of demands and return what was refused of them."""
        outcome = self._contest(sorted(demands, key=self._order))
        refused = [demand._replace(first=demand.first + placed) for demand, placed in outcome if placed < demand.size]
        again = {demand.subject for demand in refused if len(demand.requirements) > 1}
        for demand, placed in outcome:
            self._load[demand.pools] += placed
            if demand.subject in again:
                self._remember(demand, placed)
        return refused

    def _remember(self, demand: Demand, placed: int) -> None:
        tried = self._tried.setdefault(demand.subject, [])
        middle = demand.first + placed
        if placed:
            tried.append(Tried(demand.first, middle, demand.pools, placed=True))
        if middle < demand.last:
            tried.append(Tried(middle, demand.last, demand.pools, placed=False))

    def _order(self, demand: Demand) -> tuple[int, int, int, int]:
        return (*self._view.precedence(demand), demand.requirements[0], demand.first)

    def _contest(self, demands: list[Demand]) -> list[tuple[Demand, int]]:
        """Return each demand, given in order of precedence, with how many of its copies are placed."""
        outcome: list[tuple[Demand, int]] = []
        waiting = [(demands, self._load)]
        while waiting:
            queue, load = waiting.pop()
            outcome += [(demand, 0) for demand in queue if not demand.pools & ~self._full]
            queue = [demand for demand in queue if demand.pools & ~self._full]
            line = Line(queue, apart=self._apart)
            load = self._reduced(load)
            competing = self._seats.overloaded(line.on_top_of(load, line.total))
            piece_of = {pools: number for number, piece in enumerate(competing) for pools in piece}
            parts: list[list[Demand]] = [[] for _ in competing]
            for demand in queue:
                number = piece_of.get(demand.pools & ~self._apart)
                if number is None:
                    outcome.append((demand, demand.size))
                else:
                    parts[number].append(demand)
            for part, piece in zip(parts, competing, strict=True):
                placed, rest = self._contest_piece(part, Counter({pools: load[pools] for pools in piece}))
                outcome += placed
                waiting.append(rest)
        return outcome

    def _contest_piece(
        self, demands: list[Demand], load: Counter[int]
    ) -> tuple[list[tuple[Demand, int]], tuple[list[Demand], Counter[int]]]:
        """
        Place demands of an overloaded piece up to the first that is refused; also return those after it and the load.

        Note "apart": what is full lies before a minimum cut. Demands that have another pool have all their seats behind
        it, so the contest goes on without the full pools and without those who have nothing else. Families reach
        across the cut; where the full pools have one, they stay.
        """
        line = Line(demands, apart=self._apart)
        room = self._most(line, load)
        full = self._seats.full(line.on_top_of(load, room + 1))
        self._full |= full
        placed = list(line.head(room))
        self._apart |= 0 if full & self._seats.families.linked else full
        return placed, (demands[len(placed) :], line.on_top_of(load, room))

    def _most(self, line: Line, load: Counter[int]) -> int:
        """Return how many copies from the head of a line can be placed on top of a load; not all of them can."""
        return bisect_left(
            range(line.total - 1), True, key=lambda count: not self._seats.assignable(line.on_top_of(load, count + 1))
        )

    def _reduced(self, load: Mapping[int, int]) -> Counter[int]:
        """Return a load without what is apart."""
        reduced: Counter[int] = Counter()
        for pools, count in load.items():
            if pools & ~self._apart:
                reduced[pools & ~self._apart] += count
        return reduced


class Line:
    """Demands in order of precedence, of which any number of copies from the head can be counted by class at once."""

    def __init__(self, demands: list[Demand], *, apart: int) -> None:
        self.total = 0
        self._demands = demands
        #: For each class: where in the line its demands begin, and how many of its copies stand before each.
        self._begin: dict[int, list[int]] = {}
        self._before: dict[int, list[int]] = {}
        for demand in demands:
            pools, size = demand.pools & ~apart, demand.size
            self._begin.setdefault(pools, []).append(self.total)
            before = self._before.setdefault(pools, [0])
            before.append(before[-1] + size)
            self.total += size

    def head(self, count: int) -> Iterator[tuple[Demand, int]]:
        """Yield the demands of the first `count` copies and the one after, with how many of each are among them."""
        for demand in self._demands:
            yield demand, min(count, demand.size)
            if count < demand.size:
                return
            count -= demand.size

    def on_top_of(self, load: Counter[int], count: int) -> Counter[int]:
        """Return a load with the first `count` copies of the line on top."""
        result = Counter(load)
        for pools, begin in self._begin.items():
            position = bisect_left(begin, count) - 1
            if position >= 0:
                before = self._before[pools]
                result[pools] += min(before[position + 1], before[position] + count - begin[position])
        return result


def _claim(demand: Demand) -> Claim:
    return Claim(demand.subject, demand.first, demand.last, demand.requirements)


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
