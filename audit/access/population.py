"""Everybody with what they hold and what follows from it, as it stands at one instant."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from audit.access.port import REGISTRY, Reach, Right, Roster
from foundation.identity.models import User

SUPERUSER = "is a superuser"


@dataclass(frozen=True)
class Holder:
    """One login: its rights (those of its roles among them), and by which roles or other means it may do what."""

    user: User
    roles: Sequence[str]
    rights: Sequence[Right]
    may: Mapping[str, frozenset[str]]

    @property
    def capabilities(self) -> list[str]:
        """What it may do, in words."""
        return [one.words for name, one in REGISTRY.capabilities.items() if name in self.may]

    def where(self, reach: Reach) -> tuple[bool, list[Right]]:
        """Whether it reaches all accounts or products, and else which."""
        found = [right for right in self.rights if right.reach == reach]
        return self.user.is_superuser or any(one.everything for one in found), [one for one in found if one.target_id]


@dataclass(frozen=True)
class Population:
    """All logins and all rights; `at` is the instant."""

    roster: Roster
    rights: Sequence[Right]
    at: datetime

    @classmethod
    def read(cls, now: datetime) -> "Population":
        """As it stands now."""
        roster = Roster.read()
        found = [right for source in REGISTRY.sources.values() for right in source.rights(roster, now)]
        return cls(roster, found, now)

    @cached_property
    def holders(self) -> Mapping[uuid.UUID, Holder]:
        """Every login with what it holds, by id, in the order of login names."""
        of_role: dict[str, list[Right]] = {}
        of_login: dict[uuid.UUID, list[Right]] = {}
        for right in self.rights:
            if right.login_id is None:
                of_role.setdefault(right.role, []).append(right)
            else:
                of_login.setdefault(right.login_id, []).append(right)
        return {
            key: self._holder(
                user, [*of_login.get(key, ()), *(r for role in roles for r in of_role.get(role, ()))], roles
            )
            for key, user in self.roster.logins.items()
            for roles in (sorted(self.roster.roles_of(key)),)
        }

    @cached_property
    def humans(self) -> Mapping[uuid.UUID, list[Holder]]:
        """The active logins of each human."""
        found: dict[uuid.UUID, list[Holder]] = {}
        for holder in self.holders.values():
            if holder.user.is_active:
                found.setdefault(holder.user.human_id, []).append(holder)
        return found

    @cached_property
    def by_name(self) -> Mapping[tuple[str, str], Right]:
        """Every right by what identifies it."""
        return {right.name: right for right in self.rights}

    def _holder(self, user: User, rights: Sequence[Right], roles: Sequence[str]) -> Holder:
        means: dict[str, set[str]] = {}
        for role in roles:
            for permission in self.roster.of_role.get(role, ()):
                means.setdefault(permission, set()).add(f"role {role}")
        for permission in self.roster.own.get(user.pk, ()):
            means.setdefault(permission, set()).add("permission of the login")
        may = {}
        for name, one in REGISTRY.capabilities.items():
            by = set(means.get(one.permission, ())) | ({SUPERUSER} if user.is_superuser else set())
            if by and user.is_active:
                may[name] = frozenset(by)
        return Holder(user, roles, rights, may)
