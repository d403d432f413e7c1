"""
A second answer to the question that the coverage engine answers: one instant at a time, by trying every assignment.

It is written from the sentences of docs/coverage.md and shares nothing with the engine but the values that both read.
Each copy of an anonymous need is somebody of its own here; sets are sets; seats are given out by backtracking. It is
slow and meant to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple
from uuid import UUID

from entitlements.coverage.values import Metric, Need, Pool, Unit

PlaceTuple = tuple[UUID, UUID, str, str, str]
GapName = tuple[str, PlaceTuple, tuple[str, ...]]


class Picture(NamedTuple):
    """What is true at one instant."""

    timelines: dict[PlaceTuple, tuple[int | None, int]]
    gaps: dict[GapName, tuple[frozenset[UUID], int, frozenset[UUID]]]


class Requirement(NamedTuple):
    account: UUID
    country: str
    feature: str
    release: str
    released_at: datetime | None
    support: int


class Somebody(NamedTuple):
    """A person, or one copy of an anonymous need."""

    product: UUID
    person: UUID | None
    need: int
    copy: int
    unit: Unit


def z(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


class Oracle:
    def __init__(self, pools: Iterable[Pool], needs: Iterable[Need], horizon: tuple[datetime, datetime]) -> None:
        self.pools = {pool.id: pool for pool in pools}
        self.needs = list(needs)
        self.horizon = z(horizon[0]), z(horizon[1])
        self._pictures: dict[Any, Picture] = {}
        self.rounds = 0

    # What is true of one pool or need

    def in_force(self, pool: Pool, t: datetime) -> bool:
        return pool.seats != 0 and z(pool.starts_at) <= t and (pool.ends_at is None or t < z(pool.ends_at))

    def in_grace(self, pool: Pool, t: datetime) -> bool:
        if pool.seats == 0 or pool.ends_at is None or pool.grace_ends_at is None:
            return False
        return z(pool.starts_at) <= t and z(pool.ends_at) <= t < z(pool.grace_ends_at)

    def active(self, need: Need, t: datetime) -> bool:
        return z(need.starts_at) <= t and (need.ends_at is None or t < z(need.ends_at))

    def counts(self, pool: Pool) -> Unit | None:
        if pool.metric is Metric.METERED:
            return None
        return Unit.SESSIONS if pool.metric is Metric.CONCURRENT else Unit.HOLDERS

    def serves(self, pool: Pool, who: Somebody, what: Requirement) -> bool:
        if pool.product_id != who.product or what.account not in pool.account_ids:
            return False
        if pool.activation is None:
            return True
        for cohort in pool.activation:
            account_fits = cohort.accounts is None or what.account in cohort.accounts
            country_fits = cohort.countries is None or what.country in cohort.countries
            person_fits = cohort.people is None or (who.person is not None and who.person in cohort.people)
            if account_fits and country_fits and person_fits:
                return True
        return False

    def lacks(self, pool: Pool, what: Requirement, t: datetime) -> list[str]:
        lacking = []
        if what.feature != "" and what.feature not in pool.features:
            lacking.append("feature")
        if pool.countries is not None and what.country not in pool.countries:
            lacking.append("region")
        if what.release != "":
            listed = pool.releases is None or what.release in pool.releases
            in_time = pool.updates_ends_at is None or (
                what.released_at is not None and what.released_at < z(pool.updates_ends_at)
            )
            if not (listed and in_time):
                lacking.append("release")
        rank = pool.support if pool.support_ends_at is None or t < z(pool.support_ends_at) else 0
        if rank < what.support:
            lacking.append("support")
        return lacking

    # Who is there and what they require

    def requirements(self, need: Need) -> set[Requirement]:
        released_at = None if need.released_at is None else z(need.released_at)
        names = need.features if need.features else {""}
        return {
            Requirement(need.account_id, need.country, name, need.release or "", released_at, need.support)
            for name in names
        }

    def somebodies(self, t: datetime) -> dict[Somebody, set[Requirement]]:
        found: dict[Somebody, set[Requirement]] = {}
        for number, need in enumerate(self.needs):
            if not self.active(need, t):
                continue
            if need.person is not None:
                who = Somebody(need.product_id, need.person, -1, 0, Unit.HOLDERS)
                found.setdefault(who, set()).update(self.requirements(need))
            else:
                for copy in range(need.count):
                    found[Somebody(need.product_id, None, number, copy, need.unit)] = self.requirements(need)
        return found

    def rank_requirement(self, what: Requirement) -> tuple[Any, ...]:
        released = (0.0,) if what.released_at is None else (1.0, what.released_at.timestamp())
        return (what.account.int, what.country, what.feature, what.release, released, what.support)

    def rank_somebody(self, who: Somebody, pools: frozenset[UUID]) -> tuple[Any, ...]:
        if who.person is not None:
            if any(who.person in self.pools[pool].holders for pool in pools):
                return (0, who.person.int)
            if any(who.person in self.pools[old].holders for pool in pools for old in self.predecessors(pool)):
                return (1, who.person.int)
            return (2, who.person.int)
        need = self.needs[who.need]
        ends_at = (1, 0.0) if need.ends_at is None else (0, z(need.ends_at).timestamp())
        requirements = sorted(self.rank_requirement(each) for each in self.requirements(need))
        known = (str(need.unit), requirements, z(need.starts_at), ends_at, need.count, str(need.source))
        return (3, known, who.need)

    def predecessors(self, pool: UUID) -> Iterator[UUID]:
        old = self.pools[pool].replaces
        while old is not None and old in self.pools and self.pools[old].product_id == self.pools[pool].product_id:
            yield old
            old = self.pools[old].replaces

    # Seats

    def limit(self, pool: UUID, counting: frozenset[UUID]) -> float:
        """The most that a pool and its successors give together."""
        own = 0.0
        if pool in counting:
            seats = self.pools[pool].seats
            own = float("inf") if seats is None else float(seats)
        return max(own, sum(self.limit(each, counting) for each in self.successors(pool)))

    def successors(self, pool: UUID) -> list[UUID]:
        old = self.pools[pool]
        return [
            each.id
            for each in self.pools.values()
            if each.replaces == pool
            and each.product_id == old.product_id
            and self.counts(each) is not None
            and self.counts(each) is self.counts(old)
        ]

    def family_line(self, pool: UUID) -> list[UUID]:
        line = [pool]
        while True:
            above = [each for each in self.pools if line[-1] in self.successors(each)]
            if not above:
                return line
            line.append(above[0])

    def most(self, demands: list[frozenset[UUID]], counting: frozenset[UUID]) -> int:
        """Try every way to give each demand one of its pools or nothing; return the most that got one."""
        pools = sorted({pool for demand in demands for pool in demand}, key=lambda pool: pool.int)
        lines = {pool: self.family_line(pool) for pool in pools}
        nodes = sorted({node for line in lines.values() for node in line}, key=lambda node: node.int)
        seats = {pool: self.pools[pool].seats for pool in pools}
        limits = {node: self.limit(node, counting) for node in nodes}

        @cache
        def best(position: int, given: tuple[int, ...], used: tuple[int, ...]) -> int:
            if position == len(demands):
                return 0
            result = best(position + 1, given, used)
            for pool in demands[position]:
                here = pools.index(pool)
                after = tuple(count + (index == here) for index, count in enumerate(given))
                within = tuple(count + (node in lines[pool]) for node, count in zip(nodes, used, strict=True))
                own = seats[pool]
                if own is not None and after[here] > own:
                    continue
                if any(count > limits[node] for node, count in zip(nodes, within, strict=True)):
                    continue
                result = max(result, 1 + best(position + 1, after, within))
            return result

        return best(0, (0,) * len(pools), (0,) * len(nodes))

    # Who gets one

    def without_seat(
        self, wanted: dict[Somebody, set[Requirement]], counting: frozenset[UUID], t: datetime
    ) -> set[tuple[Somebody, Requirement]]:
        """Play the rounds; `wanted` holds only requirements that some counting pool meets."""
        without: set[tuple[Somebody, Requirement]] = set()
        history: dict[Somebody, list[tuple[frozenset[UUID], bool]]] = {who: [] for who in wanted}
        seated: list[frozenset[UUID]] = []
        turn = 0
        while wanted:
            turn += 1
            demands = []
            for who, requirements in wanted.items():
                choices, left = self.choices(who, requirements, history[who], counting, t)
                without |= {(who, what) for what in left}
                demands += [(who, *group) for group in self.gather(choices)]
            demands.sort(key=self.order)
            wanted, placed_now = {}, 0
            for who, members, pools in demands:
                placed = self.most([*seated, pools], counting) == len(seated) + 1
                history[who].append((pools, placed))
                if placed:
                    seated.append(pools)
                    placed_now += 1
                else:
                    wanted.setdefault(who, set()).update(members)
            if turn == 1:
                assert placed_now == self.most([pools for _, _, pools in demands], counting), "precedence costs no seat"
            self.rounds = max(self.rounds, turn)
        return without

    def choices(
        self,
        who: Somebody,
        requirements: set[Requirement],
        history: list[tuple[frozenset[UUID], bool]],
        counting: frozenset[UUID],
        t: datetime,
    ) -> tuple[list[tuple[Requirement, frozenset[UUID]]], list[Requirement]]:
        """The pools still to be tried for each requirement that is not met yet, and the requirements that have none."""
        choices, left = [], []
        for what in requirements:
            fitting = self.suitable(who, what, counting, t)
            pools = [self.pools[each] for each in fitting]
            if any(pool.seats is None or self.counts(pool) is not who.unit for pool in pools):
                continue
            if any(placed and tried <= fitting for tried, placed in history):
                continue
            untried = fitting - {pool for tried, _ in history for pool in tried}
            if untried:
                choices.append((what, untried))
            else:
                left.append(what)
        return choices, left

    def order(self, demand: tuple[Somebody, set[Requirement], frozenset[UUID]]) -> tuple[Any, ...]:
        who, members, pools = demand
        rank = self.rank_somebody(who, pools)
        return (rank[0], rank[1:], min(self.rank_requirement(each) for each in members), who.copy)

    def suitable(self, who: Somebody, what: Requirement, counting: frozenset[UUID], t: datetime) -> frozenset[UUID]:
        return frozenset(
            each
            for each in counting
            if self.serves(self.pools[each], who, what) and not self.lacks(self.pools[each], what, t)
        )

    def gather(
        self, choices: list[tuple[Requirement, frozenset[UUID]]]
    ) -> list[tuple[set[Requirement], frozenset[UUID]]]:
        groups: list[tuple[set[Requirement], frozenset[UUID]]] = []
        for what, pools in sorted(choices, key=lambda each: (len(each[1]), self.rank_requirement(each[0]))):
            joined = next((group for group in groups if group[1] & pools), None)
            if joined is None:
                groups.append(({what}, pools))
            else:
                groups[groups.index(joined)] = (joined[0] | {what}, joined[1] & pools)
        for one, other in combinations(groups, 2):
            assert not one[1] & other[1], "nobody is given two seats of one pool"
        return groups

    # The picture

    def at(self, t: datetime) -> Picture:
        """What is true at an instant. Instants at which the same things are in force share the answer."""
        force = frozenset(pool.id for pool in self.pools.values() if self.in_force(pool, t))
        grace = frozenset(pool.id for pool in self.pools.values() if self.in_grace(pool, t))
        alive = frozenset(p.id for p in self.pools.values() if p.support_ends_at is None or t < z(p.support_ends_at))
        active = frozenset(number for number, need in enumerate(self.needs) if self.active(need, t))
        known = (force, grace, alive, active)
        if known not in self._pictures:
            self._pictures[known] = self._picture(force, grace, t)
        return self._pictures[known]

    def _picture(self, force: frozenset[UUID], grace: frozenset[UUID], t: datetime) -> Picture:
        present = self.somebodies(t)
        return Picture(self._timelines(present, force), self._gaps(present, force, grace, t))

    def _timelines(
        self, present: dict[Somebody, set[Requirement]], force: frozenset[UUID]
    ) -> dict[PlaceTuple, tuple[int | None, int]]:
        found: dict[PlaceTuple, tuple[int | None, int]] = {}
        for need in self.needs:
            start, end = self.horizon
            begins = max(start, z(need.starts_at))
            if begins >= (end if need.ends_at is None else min(end, z(need.ends_at))):
                continue
            for what in self.requirements(need):
                place = (need.account_id, need.product_id, need.country, what.feature, need.unit)
                found[place] = (self._capacity(place, force), self._need(place, present))
        return found

    def _need(self, place: PlaceTuple, present: dict[Somebody, set[Requirement]]) -> int:
        return sum(
            1
            for who, requirements in present.items()
            if any((what.account, who.product, what.country, what.feature, who.unit) == place for what in requirements)
        )

    def _capacity(self, place: PlaceTuple, force: frozenset[UUID]) -> int | None:
        account, product, country, feature, unit = place
        pools = set()
        for each in force:
            pool = self.pools[each]
            if pool.product_id != product or account not in pool.account_ids:
                continue
            if (pool.countries is not None and country not in pool.countries) or (
                feature and feature not in pool.features
            ):
                continue
            if pool.activation is not None and not any(
                (cohort.accounts is None or account in cohort.accounts)
                and (cohort.countries is None or country in cohort.countries)
                for cohort in pool.activation
            ):
                continue
            pools.add(each)
        if any(self.pools[each].seats is None or self.counts(self.pools[each]) != unit for each in pools):
            return None
        most = sum(self.pools[each].seats or 0 for each in pools)
        return self.most([frozenset(pools)] * most, force)

    def _gaps(
        self, present: dict[Somebody, set[Requirement]], force: frozenset[UUID], grace: frozenset[UUID], t: datetime
    ) -> dict[GapName, tuple[frozenset[UUID], int, frozenset[UUID]]]:
        why = self._uncovered(present, force, t)
        graced: dict[Somebody, set[Requirement]] = {}
        for who, what in why:
            if self.suitable(who, what, grace, t):
                graced.setdefault(who, set()).add(what)
        refused = self.without_seat({who: set(some) for who, some in graced.items()}, grace, t)
        for who, some in graced.items():
            for what in some:
                if (who, what) not in refused:
                    why[who, what] = ("grace", (), self.suitable(who, what, grace, t))
        people: dict[GapName, set[Somebody]] = {}
        pools: dict[GapName, set[UUID]] = {}
        for (who, what), (kind, dimensions, concerned) in why.items():
            name = (kind, (what.account, who.product, what.country, what.feature, str(who.unit)), dimensions)
            people.setdefault(name, set()).add(who)
            pools.setdefault(name, set()).update(concerned)
        return {
            name: (frozenset(w.person for w in some if w.person is not None), len(some), frozenset(pools[name]))
            for name, some in people.items()
        }

    def _uncovered(
        self, present: dict[Somebody, set[Requirement]], force: frozenset[UUID], t: datetime
    ) -> dict[tuple[Somebody, Requirement], tuple[str, tuple[str, ...], frozenset[UUID]]]:
        why: dict[tuple[Somebody, Requirement], tuple[str, tuple[str, ...], frozenset[UUID]]] = {}
        wanted: dict[Somebody, set[Requirement]] = {}
        for who, requirements in present.items():
            for what in requirements:
                serving = [self.pools[each] for each in force if self.serves(self.pools[each], who, what)]
                if not serving:
                    why[who, what] = ("dark", (), frozenset())
                elif all(self.lacks(pool, what, t) for pool in serving):
                    lists = [self.lacks(pool, what, t) for pool in serving]
                    # The order of dimensions is also that of the alphabet.
                    why[who, what] = ("lost", tuple(min(lists, key=lambda some: (len(some), some))), frozenset())
                else:
                    wanted.setdefault(who, set()).add(what)
        for who, what in self.without_seat(wanted, force, t):
            why[who, what] = ("short", (), self.suitable(who, what, force, t))
        return why
