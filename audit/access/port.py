"""
The port through which the apps above tell audit who holds which rights, what people call them, how one is taken back,
and what does not go together.

Audit imports none of them: it lists, compares and asks.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from django.contrib.auth.models import Group, Permission

from foundation.identity.models import User


class Reach(StrEnum):
    """Where a right lets somebody act."""

    ACCOUNTS = "accounts"
    PRODUCTS = "products"
    NOWHERE = ""


@dataclass(frozen=True)
class Roster:
    """Every login, the roles that each holds, and the permissions of roles and of logins themselves: read once."""

    logins: Mapping[uuid.UUID, User]
    roles: Mapping[uuid.UUID, frozenset[str]]
    of_role: Mapping[str, frozenset[str]]
    own: Mapping[uuid.UUID, frozenset[str]]

    @classmethod
    def read(cls) -> "Roster":
        """Everybody as they are now."""
        logins = {user.pk: user for user in User.objects.order_by("username")}
        names = dict(Group.objects.values_list("id", "name"))
        roles: dict[uuid.UUID, set[str]] = {}
        for user_id, group_id in User.groups.through.objects.values_list("user_id", "group_id"):
            roles.setdefault(user_id, set()).add(names[group_id])
        labels = {
            key: f"{app}.{codename}"
            for key, app, codename in Permission.objects.values_list("id", "content_type__app_label", "codename")
        }
        of_role: dict[str, set[str]] = {name: set() for name in names.values()}
        for group_id, permission_id in Group.permissions.through.objects.values_list("group_id", "permission_id"):
            of_role[names[group_id]].add(labels[permission_id])
        own: dict[uuid.UUID, set[str]] = {}
        given = User.user_permissions.through.objects.values_list("user_id", "permission_id")
        for user_id, permission_id in given:
            own.setdefault(user_id, set()).add(labels[permission_id])
        return cls(
            logins,
            {key: frozenset(found) for key, found in roles.items()},
            {key: frozenset(found) for key, found in of_role.items()},
            {key: frozenset(found) for key, found in own.items()},
        )

    def roles_of(self, login_id: uuid.UUID) -> frozenset[str]:
        """The roles of a login."""
        return self.roles.get(login_id, frozenset())

    def humans_of_role(self, role: str) -> frozenset[uuid.UUID]:
        """The humans who hold a role, under any login."""
        return frozenset(self.logins[key].human_id for key, held in self.roles.items() if role in held)


@dataclass(frozen=True)
class Right:
    """
    One thing that a login, or everybody of a role, holds and that can be looked at.

    `key` names it within its source, the same whenever it is given again. `login_id` is None for what a whole `role`
    holds. `humans` are those whom it serves: none of them reviews it. `words` say what it is, without the name of the
    account or product `target_id`, which `target_words` are. `everything`: all accounts or all products.
    """

    source: str
    key: str
    words: str
    humans: frozenset[uuid.UUID]
    login_id: uuid.UUID | None = None
    role: str = ""
    reach: Reach = Reach.NOWHERE
    everything: bool = False
    target_id: uuid.UUID | None = None
    target_words: str = ""
    permissions: frozenset[str] = frozenset()
    ends_at: datetime | None = None
    used_at: datetime | None = None

    @property
    def name(self) -> tuple[str, str]:
        """What identifies it among all."""
        return self.source, self.key


class Source(Protocol):
    """One sort of rights."""

    name: str
    words: str

    def rights(self, roster: Roster, now: datetime) -> Iterable[Right]:
        """All that stand now."""
        ...

    def revoke(self, *, key: str, actor: User, now: datetime) -> bool:
        """
        Take one back, in the caller's transaction, with its event; False if it is gone already.

        It only ever takes away. Whatever it raises undoes the decision that asked for it.
        """
        ...


@dataclass(frozen=True)
class Capability:
    """What people call a permission: `sees`; `acts` if it takes part in changes."""

    name: str
    words: str
    permission: str
    acts: bool = False


@dataclass(frozen=True)
class Pair:
    """Two capabilities that do not go together, and why."""

    name: str
    first: str
    second: str
    why: str


@dataclass(frozen=True)
class Conflict:
    """
    Something that does not go together, told to people; `login_ids` are those concerned.

    A note is in one role by itself, and held by other means.
    """

    rule: str
    sentence: str
    login_ids: Sequence[uuid.UUID] = ()
    is_note: bool = False


@dataclass(frozen=True)
class Limit:
    """What bounds a human in a role, shown beside their rights."""

    human_id: uuid.UUID
    words: str


@dataclass
class Registry:
    """What the apps registered."""

    sources: dict[str, Source] = field(default_factory=dict)
    capabilities: dict[str, Capability] = field(default_factory=dict)
    pairs: dict[str, Pair] = field(default_factory=dict)
    finders: dict[str, Callable[[datetime], Iterable[Conflict]]] = field(default_factory=dict)
    limits: list[Callable[[datetime], Iterable[Limit]]] = field(default_factory=list)


REGISTRY = Registry()


def register_source(source: Source) -> None:
    """
    Make a sort of rights known.

    :raises ValueError: if the name is another's
    """
    if REGISTRY.sources.setdefault(source.name, source) is not source:
        raise ValueError(f"Rights of the sort {source.name} are registered already.")


def register_capabilities(*capabilities: Capability) -> None:
    """Make known what people call permissions."""
    REGISTRY.capabilities.update({one.name: one for one in capabilities})


def register_pairs(*pairs: Pair) -> None:
    """Make known what does not go together."""
    REGISTRY.pairs.update({one.name: one for one in pairs})


def register_finder(name: str, finder: Callable[[datetime], Iterable[Conflict]]) -> None:
    """Have further conflicts looked for, of things that only an app knows."""
    REGISTRY.finders[name] = finder


def register_limits(limits: Callable[[datetime], Iterable[Limit]]) -> None:
    """Name who knows what bounds people; there is one."""
    REGISTRY.limits[:] = [limits]


def source_of(name: str) -> Source:
    """The registered source of this name; an unknown one is a mistake of the program."""
    return REGISTRY.sources[name]
