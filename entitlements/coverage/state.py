"""Who needs what, and what is in force: the state of one component at an instant, kept up to date by small steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from entitlements.coverage.counting import Counting
from entitlements.coverage.placement import Claim, Demand, Placement, first_fit, gathered
from entitlements.coverage.results import Dimension, GapKind
from entitlements.coverage.subjects import Profile, Subjects


class Reason(NamedTuple):
    """Why a requirement is not covered by pools in force."""

    kind: GapKind
    dimensions: tuple[Dimension, ...] = ()


class Plan(NamedTuple):
    """What pools in force can do for a profile: nothing, for a reason, or a seat for each group of requirements."""

    beyond: tuple[tuple[int, Reason], ...]
    groups: tuple[tuple[tuple[int, ...], int], ...]


class Uncovered(NamedTuple):
    """One requirement that copies `first` to `last` of a subject go without, why, and the pools concerned (bits)."""

    claim: Claim
    reason: Reason
    pools: int


_SHORT = Reason(GapKind.SHORT)
_GRACE = Reason(GapKind.GRACE)


class State:
    """
    The state of one component at an instant.

    Subjects with the same profile are handled as a number; only where seats do not suffice are they looked at one by
    one.
    """

    def __init__(self, subjects: Subjects) -> None:
        self._subjects = subjects
        self._force = Counting(subjects, pools=0, supported=0)
        self._grace = Counting(subjects, pools=0, supported=0)
        self._members: dict[Profile, set[int]] = {}
        self._counts: Counter[Profile] = Counter()
        self._plans: dict[Profile, Plan] = {}
        #: For each plan the pools that could change it.
        self._reach: dict[Profile, int] = {}
        #: Profiles whose plan leaves something uncovered.
        self._wanting: set[Profile] = set()
        #: For each class of pools how many seats are asked of it.
        self._load: Counter[int] = Counter()

    @property
    def force(self) -> Counting:
        """The pools in force."""
        return self._force

    # Steps

    def count_pools(self, *, in_force: int, in_grace: int, supported: int) -> None:
        """Let other pools count from now on; plans that this may change are made again."""
        changed = (in_force ^ self._force.pools) | (supported ^ self._force.supported)
        self._force = Counting(self._subjects, pools=in_force, supported=supported)
        self._grace = Counting(self._subjects, pools=in_grace, supported=supported)
        for profile in self._members:
            if self._reach[profile] & changed:
                self._withdraw(profile, self._counts[profile])
                del self._plans[profile]
                self._ask(profile, self._counts[profile])

    def move(self, subject: int, *, before: Profile | None, after: Profile | None) -> None:
        """Let a subject require something else from now on; None is nothing."""
        count = self._subjects.all[subject].count
        if before is not None:
            self._members[before].remove(subject)
            self._counts[before] -= count
            self._withdraw(before, count)
            if not self._members[before]:
                del self._members[before], self._counts[before], self._plans[before], self._reach[before]
                self._wanting.discard(before)
        if after is not None:
            self._members.setdefault(after, set()).add(subject)
            self._counts[after] += count
            self._ask(after, count)

    def _ask(self, profile: Profile, count: int) -> None:
        plan = self._plans.get(profile)
        if plan is None:
            plan = self._plans[profile] = self._plan(profile)
            if plan.beyond:
                self._wanting.add(profile)
            else:
                self._wanting.discard(profile)
        for _, pools in plan.groups:
            self._load[pools] += count

    def _withdraw(self, profile: Profile, count: int) -> None:
        for _, pools in self._plans[profile].groups:
            self._load[pools] -= count
            if not self._load[pools]:
                del self._load[pools]

    def _plan(self, profile: Profile) -> Plan:
        beyond, choices, reach = [], [], 0
        limited = self._subjects.terms.limited[profile.unit]
        for requirement in profile.requirements:
            reach |= self._subjects.terms.serving(requirement, profile.cohorts)
            pools = self._force.suitable(requirement, profile.cohorts)
            if not pools:
                beyond.append((requirement, self._reason(requirement, profile.cohorts)))
            elif not pools & ~limited:
                choices.append((requirement, pools))
        self._reach[profile] = reach
        return Plan(tuple(beyond), tuple(first_fit(choices)))

    def _reason(self, requirement: int, cohorts: frozenset[int]) -> Reason:
        serving = self._force.serving(requirement, cohorts)
        if not serving:
            return Reason(GapKind.DARK)
        return Reason(GapKind.LOST, self._force.missing(requirement, serving))

    # What is not covered

    def uncovered(self) -> list[Uncovered]:
        """Return everything that is not covered by pools in force, once for each subject and requirement."""
        found = [*self._beyond(), *self._short()]
        return self._with_grace(found) if found and self._grace.pools else found

    def _beyond(self) -> Iterator[Uncovered]:
        """Yield what no pool in force gives, however many seats it had."""
        for profile in self._wanting:
            for requirement, reason in self._plans[profile].beyond:
                for subject in self._members[profile]:
                    yield Uncovered(Claim(subject, 0, self._subjects.all[subject].count, (requirement,)), reason, 0)

    def _short(self) -> Iterator[Uncovered]:
        """Yield what suitable pools have no seats for."""
        overloaded = {pools for piece in self._force.seats.overloaded(self._load) for pools in piece}
        if not overloaded:
            return
        settled = {pools: count for pools, count in self._load.items() if pools not in overloaded}
        contested: list[Demand] = []
        standing: list[Demand] = []
        for profile, members in self._members.items():
            groups = self._plans[profile].groups
            if all(pools not in overloaded for _, pools in groups):
                continue
            for requirements, pools in groups:
                some = contested if pools in overloaded else standing
                for subject in members:
                    some.append(Demand(subject, 0, self._subjects.all[subject].count, requirements, pools))
        placement = Placement(view=self._force, seats=self._force.seats, load=settled)
        for claim in placement.uncovered(contested, standing):
            yield Uncovered(claim, _SHORT, self._force.candidates(claim.subject, claim.requirements[0]))

    def _with_grace(self, found: list[Uncovered]) -> list[Uncovered]:
        """Tell apart what pools in grace still allow; nobody who has a seat in force is moved to make room."""
        claims: list[Uncovered] = []
        beyond: list[Uncovered] = []
        for each in found:
            reachable = self._grace.candidates(each.claim.subject, each.claim.requirements[0])
            (claims if reachable else beyond).append(each)
        without: dict[tuple[int, tuple[int, ...]], list[Claim]] = {}
        placement = Placement(view=self._grace, seats=self._grace.seats, load={})
        for claim in placement.uncovered(self._grace_demands(each.claim for each in claims)):
            without.setdefault((claim.subject, claim.requirements), []).append(claim)
        return beyond + [
            part
            for each in claims
            for part in self._graced(each, without.get((each.claim.subject, each.claim.requirements), ()))
        ]

    def _grace_demands(self, claims: Iterable[Claim]) -> list[Demand]:
        demands = []
        for claim in gathered(claims):
            limited = self._subjects.terms.limited[self._subjects.all[claim.subject].unit]
            candidates = ((each, self._grace.candidates(claim.subject, each)) for each in claim.requirements)
            for requirements, pools in first_fit((each, pools) for each, pools in candidates if not pools & ~limited):
                demands.append(Demand(claim.subject, claim.first, claim.last, requirements, pools))
        return demands

    def _graced(self, each: Uncovered, without: Iterable[Claim]) -> Iterator[Uncovered]:
        """Split one uncovered requirement into copies that grace allows and copies that it does not."""
        claim = each.claim
        pools = self._grace.candidates(claim.subject, claim.requirements[0])
        reached = claim.first
        for other in sorted(without):
            if other.first < claim.first or other.last > claim.last:
                continue  # of another part of the same subject
            if reached < other.first:
                yield Uncovered(claim._replace(first=reached, last=other.first), _GRACE, pools)
            yield each._replace(claim=other)
            reached = other.last
        if reached < claim.last:
            yield Uncovered(claim._replace(first=reached), _GRACE, pools)
