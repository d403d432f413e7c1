"""Who needs something: each person once, however many needs they have, and each anonymous need for itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from entitlements.coverage.families import Families
from entitlements.coverage.instants import END, utc
from entitlements.coverage.terms import Requirement, Terms, requirements_of, stable_order
from entitlements.coverage.values import Need, Pool, Unit

_NAMED_NOWHERE: frozenset[int] = frozenset()


class Profile(NamedTuple):
    """What makes two subjects alike at an instant: what they require, what is counted, and which cohorts name them."""

    unit: Unit
    cohorts: frozenset[int]
    requirements: tuple[int, ...]


class Subject:
    """One person or one anonymous need, and which of its needs are active."""

    __slots__ = ("active", "cohorts", "count", "person", "profile", "unit")

    def __init__(self, *, person: UUID | None, unit: Unit, count: int, cohorts: frozenset[int]) -> None:
        self.person = person
        self.unit = unit
        self.count = count
        self.cohorts = cohorts
        self.active: set[int] = set()
        self.profile: Profile | None = None


class Subjects:
    """
    The subjects of one component, numbered: people by UUID, then anonymous needs by what they need.

    The numbers are the order of precedence among those who hold nothing.
    """

    def __init__(self, *, pools: Iterable[Pool], needs: Sequence[Need]) -> None:
        required = [requirements_of(need) for need in needs]
        self.terms = Terms(pools=pools, requirements={each for some in required for each in some})
        self.families = Families(self.terms.pools)
        self.all: list[Subject] = []
        #: For each need, as given: its subject and the numbers of its requirements.
        self.of_need: list[int] = [0] * len(needs)
        self.required: list[tuple[int, ...]] = [
            tuple(sorted(self.terms.number[each] for each in some)) for some in required
        ]
        self._add_people(needs)
        self._add_anonymous(needs, required)

    def _add_people(self, needs: Sequence[Need]) -> None:
        people = sorted({need.person for need in needs if need.person is not None}, key=lambda person: person.int)
        number = {person: position for position, person in enumerate(people)}
        cohorts = self.terms.cohorts_of
        for person in people:
            named = cohorts.get(person, _NAMED_NOWHERE)
            self.all.append(Subject(person=person, unit=Unit.HOLDERS, count=1, cohorts=named))
        for index, need in enumerate(needs):
            if need.person is not None:
                self.of_need[index] = number[need.person]

    def _add_anonymous(self, needs: Sequence[Need], required: Sequence[list[Requirement]]) -> None:
        anonymous = [index for index, need in enumerate(needs) if need.person is None]
        for index in sorted(anonymous, key=lambda index: _anonymous_order(needs[index], required[index])):
            need = needs[index]
            self.of_need[index] = len(self.all)
            self.all.append(Subject(person=None, unit=need.unit, count=need.count, cohorts=_NAMED_NOWHERE))

    @cached_property
    def _holding(self) -> dict[UUID, int]:
        """For each person who holds any seat: the pools."""
        holding: dict[UUID, int] = {}
        for index, pool in enumerate(self.terms.pools):
            for person in pool.holders:
                holding[person] = holding.get(person, 0) | 1 << index
        return holding

    @cached_property
    def _before(self) -> dict[int, int]:
        """For each pool with a predecessor: all of its predecessors."""
        return {
            index: sum(1 << ancestor for ancestor in self.families.ancestors(index))
            for index in self.families.predecessor
        }

    def precedence(self, subject: int, pools: int) -> tuple[int, int]:
        """Return the sort key of a demand for `pools`: their holders, holders of predecessors, others, anonymous."""
        person = self.all[subject].person
        if person is None:
            return 3, subject
        held = self._holding.get(person, 0)
        if held & pools:
            return 0, subject
        if held and any(pools >> index & 1 and held & before for index, before in self._before.items()):
            return 1, subject
        return 2, subject


def _anonymous_order(need: Need, required: Sequence[Requirement]) -> tuple[object, ...]:
    keys = tuple(sorted(stable_order(each) for each in required))
    ends_at = END if need.ends_at is None else utc(need.ends_at)
    return need.unit, keys, utc(need.starts_at), ends_at, need.count, need.source
