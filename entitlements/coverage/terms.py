"""
What the pools of one component offer, and what its needs require: the part that does not change with time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from entitlements.coverage.instants import BEGINNING, utc
from entitlements.coverage.results import Dimension, Place
from entitlements.coverage.values import UNIT_OF_METRIC, Cohort, Need, Pool, Unit


class Requirement(NamedTuple):
    """One thing that one pool must give: a feature ("" for the product itself), somewhere, for an account."""

    account_id: UUID
    country: str
    feature: str
    release: str | None
    released_at: datetime | None
    support: int


def requirements_of(need: Need) -> list[Requirement]:
    """Return what a need requires: each feature for itself, so that a base and an add-on may share the work."""
    released_at = None if need.released_at is None else utc(need.released_at)
    return [
        Requirement(need.account_id, need.country, feature, need.release, released_at, need.support)
        for feature in (need.features or ("",))
    ]


def stable_order(requirement: Requirement) -> tuple[int, str, str, str, datetime, int]:
    """Return the key by which requirements are ordered: account, country, feature, release, its date, support."""
    return (
        requirement.account_id.int,
        requirement.country,
        requirement.feature,
        requirement.release or "",
        requirement.released_at or BEGINNING,
        requirement.support,
    )


class Terms:
    """The pools of one component, numbered by id, and its requirements, numbered in stable order."""

    def __init__(self, *, pools: Iterable[Pool], requirements: Iterable[Requirement]) -> None:
        self.pools: Sequence[Pool] = sorted(pools, key=lambda pool: pool.id.int)
        self.requirements: Sequence[Requirement] = sorted(requirements, key=stable_order)
        self.number: dict[Requirement, int] = {each: number for number, each in enumerate(self.requirements)}
        self._of_account: dict[UUID, list[int]] = {}
        for index, pool in enumerate(self.pools):
            for account_id in pool.account_ids:
                self._of_account.setdefault(account_id, []).append(index)
        self._serving: dict[tuple[int, frozenset[int]], int] = {}
        self._satisfying: dict[int, int] = {}
        self.limited: dict[Unit, int] = {unit: self._limited(unit) for unit in Unit}

    def _limited(self, unit: Unit) -> int:
        """Return the pools that count this unit and are limited; every other pool serves it without taking a seat."""
        chosen = 0
        for index, pool in enumerate(self.pools):
            if pool.seats is not None and UNIT_OF_METRIC[pool.metric] is unit:
                chosen |= 1 << index
        return chosen

    @cached_property
    def cohorts_of(self) -> dict[UUID, frozenset[int]]:
        """For each person whom a cohort names: the numbers of those cohorts. People not in it are named nowhere."""
        named: dict[UUID, set[int]] = {}
        for number, cohort in self._cohorts():
            for person in cohort.people or ():
                named.setdefault(person, set()).add(number)
        return {person: frozenset(numbers) for person, numbers in named.items()}

    def _cohorts(self) -> Iterator[tuple[int, Cohort]]:
        number = 0
        for pool in self.pools:
            for cohort in pool.activation or ():
                yield number, cohort
                number += 1

    @cached_property
    def _first_cohort(self) -> list[int]:
        first, total = [], 0
        for pool in self.pools:
            first.append(total)
            total += len(pool.activation or ())
        return first

    def serving(self, requirement: int, cohorts: frozenset[int]) -> int:
        """Return the pools that serve a requirement of someone whom `cohorts` name, whatever they give."""
        key = (requirement, cohorts)
        if key not in self._serving:
            chosen = 0
            for index in self._of_account.get(self.requirements[requirement].account_id, ()):
                if self._activated(index, self.requirements[requirement], cohorts):
                    chosen |= 1 << index
            self._serving[key] = chosen
        return self._serving[key]

    def _activated(self, index: int, requirement: Requirement, cohorts: frozenset[int] | None) -> bool:
        """Tell whether a pool is activated; `cohorts` of None asks whether it is for anyone at all at this place."""
        activation = self.pools[index].activation
        if activation is None:
            return True
        return any(
            (cohort.accounts is None or requirement.account_id in cohort.accounts)
            and (cohort.countries is None or requirement.country in cohort.countries)
            and (cohort.people is None or cohorts is None or number in cohorts)
            for number, cohort in enumerate(activation, self._first_cohort[index])
        )

    def satisfying(self, requirement: int) -> int:
        """Return the pools of the account that give all that is asked; whether support has ended is not looked at."""
        if requirement not in self._satisfying:
            chosen = 0
            for index in self._of_account.get(self.requirements[requirement].account_id, ()):
                if not self.failures(index, requirement, supported=True):
                    chosen |= 1 << index
            self._satisfying[requirement] = chosen
        return self._satisfying[requirement]

    def failures(self, index: int, requirement: int, *, supported: bool) -> tuple[Dimension, ...]:
        """Return what of a requirement a pool does not give, in the order of `Dimension`."""
        pool, wanted = self.pools[index], self.requirements[requirement]
        failed = []
        if wanted.feature and wanted.feature not in pool.features:
            failed.append(Dimension.FEATURE)
        if pool.countries is not None and wanted.country not in pool.countries:
            failed.append(Dimension.REGION)
        if not _covers_release(pool, wanted):
            failed.append(Dimension.RELEASE)
        if wanted.support > (pool.support if supported else 0):
            failed.append(Dimension.SUPPORT)
        return tuple(failed)

    def at_place(self, place: Place) -> int:
        """Return the pools that give the place's feature to anyone there, whatever release or support they give."""
        anyone = Requirement(place.account_id, place.country, place.feature, None, None, 0)
        chosen = 0
        for index in self._of_account.get(place.account_id, ()):
            pool = self.pools[index]
            there = pool.countries is None or place.country in pool.countries
            gives = not place.feature or place.feature in pool.features
            if there and gives and self._activated(index, anyone, None):
                chosen |= 1 << index
        return chosen


def _covers_release(pool: Pool, wanted: Requirement) -> bool:
    if wanted.release is None:
        return True
    if pool.releases is not None and wanted.release not in pool.releases:
        return False
    if pool.updates_ends_at is None:
        return True
    # A release without a date cannot be shown to have come out in time: unknown means refuse.
    return wanted.released_at is not None and wanted.released_at < utc(pool.updates_ends_at)
