"""
Who could decide: people of a role, and whether there are enough of them for a chain.

Nobody is counted twice: two logins of one human are one, and one human decides once on a revision, so the stages of a
chain need different people (INV-3).
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from approvals.policies.errors import TooFewEligible
from approvals.policies.rules import whom
from approvals.roles import DECIDE, ROLES
from foundation.errors import InvalidInput
from foundation.identity.models import User

JSON = Any
Limited = Callable[[str, tuple[str, ...]], frozenset[uuid.UUID]]
_LIMITED: list[Limited] = []
DECIDING_ROLES = frozenset(role.name for role in ROLES if DECIDE in role.permissions)


def holders_of(role: str) -> QuerySet[User]:
    """Active users who hold the role."""
    return User.objects.filter(is_active=True, groups__name=role).distinct()


def deciders(*, role: str, people: Sequence[str] = (), backup_role: str = "") -> QuerySet[User]:
    """
    Active users whom a stage asks: holders of the role; of named people only they, whatever deciding role they hold if
    the stage asks for none; and holders of `backup_role`, to be given once the stage is escalated.
    """
    asked = Q(groups__name=role) if role else Q(groups__name__in=DECIDING_ROLES)
    if people:
        asked &= Q(human_id__in=people)
    elif not role:
        return User.objects.none()
    if backup_role:
        asked |= Q(groups__name=backup_role)
    return User.objects.filter(asked, is_active=True).distinct()


def names_of(people: Iterable[str]) -> dict[str, str]:
    """What humans are called, by id, as their active logins say, or their former ones."""
    logins = User.objects.filter(human_id__in=list(people)).order_by("is_active", "-date_joined", "id")
    return {str(user.human_id): str(user) for user in logins}


def logins_of(people: Sequence[str]) -> list[str]:
    """The login by which each human can be named, active ones first, in the order given; an id stands for itself."""
    logins = User.objects.filter(human_id__in=list(people)).order_by("is_active", "-date_joined", "id")
    names = {str(user.human_id): user.username for user in logins}
    return [names.get(human, human) for human in people]


def humans_named(names: Iterable[str]) -> list[str]:
    """
    The humans of logins, named by login or by their human's id, sorted.

    :raises InvalidInput: naming those that do not exist
    """
    found, unknown = set(), []
    for name in names:
        human = _human_of(name.strip())
        if human is None:
            unknown.append(name)
        else:
            found.add(human)
    if unknown:
        raise InvalidInput(f"Nobody signs in as {', '.join(unknown)}. Name people by their login.", people=unknown)
    return sorted(found)


def _human_of(name: str) -> str | None:
    if not name.isprintable():
        return None
    login = User.objects.filter(username=name).first()
    if login is None:
        try:
            login = User.objects.filter(human_id=uuid.UUID(name)).first()
        except ValueError:
            return None
    return str(login.human_id) if login else None


def hold_people(user_ids: Iterable[uuid.UUID]) -> None:
    """
    Keep logins and their roles as they are until this transaction ends: who is deactivated or leaves a role at the
    same instant does so before, and is seen, or afterwards.
    """
    keys = sorted(user_ids)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM foundation_user WHERE id = ANY(%s) ORDER BY id FOR SHARE", [keys])
        cursor.execute("SELECT 1 FROM foundation_user_groups WHERE user_id = ANY(%s) ORDER BY id FOR SHARE", [keys])


def check_roles_decide(*, roles: Iterable[str]) -> None:
    """
    Refuse stages of roles whose people decide on nothing.

    :raises InvalidInput: naming them, and the roles that there are
    """
    wrong = sorted(set(roles) - DECIDING_ROLES)
    if wrong:
        raise InvalidInput(
            f"The role {', '.join(wrong)} does not decide. Use one of: {', '.join(sorted(DECIDING_ROLES))}.",
            roles=wrong,
        )


def check_enough(*, stages: Sequence[Mapping[str, JSON]], waiver_role: str) -> None:
    """
    Refuse a chain that nobody, or too few different people, could pass.

    :raises TooFewEligible: naming the stages that lack people
    """
    chain = [
        (
            whom(role=stage["role"], people=people) + (" with an authority limit" if stage.get("within_limit") else ""),
            _limited(stage["role"], people) if stage.get("within_limit") else _humans(stage["role"], people),
            int(stage["quorum"]),
        )
        for stage in stages
        for people in (stage.get("people") or [],)
    ]
    if waiver_role:
        chain.append((waiver_role, _humans(waiver_role, []), 1))
    short = [
        f"{quorum} of {asked}, of whom there are {len(people)}"
        for asked, people, quorum in chain
        if len(people) < quorum
    ]
    if short:
        raise TooFewEligible(
            f"This policy asks for {'; '.join(short)}. Give more people the role first, or ask for fewer.", stages=short
        )
    missing = missing_people([(people, quorum) for _asked, people, quorum in chain])
    if missing:
        raise TooFewEligible(
            f"One human decides once on a change, and the stages of this policy share their people: {missing} more are "
            "needed. Give more people the roles first, or ask for fewer.",
            missing=missing,
        )


def register_limited(limited: Limited) -> None:
    """Name who knows the humans with authority limits; there is one."""
    _LIMITED[:] = [limited]


def _limited(role: str, people: Sequence[str]) -> frozenset[uuid.UUID]:
    """Those whom a stage asks who have a limit; nobody, if nobody knows limits."""
    return _LIMITED[0](role, tuple(people)) if _LIMITED else frozenset()


def _humans(role: str, people: Sequence[str]) -> frozenset[uuid.UUID]:
    return frozenset(deciders(role=role, people=people).values_list("human_id", flat=True))


def missing_people(chain: Sequence[tuple[frozenset[uuid.UUID], int]]) -> int:
    """
    How many different humans a chain lacks, as (who could, how many are asked) by stage: a maximum matching.

    Zero means that all stages can be passed by different people.
    """
    seats = [stage for stage, (_humans, quorum) in enumerate(chain) for _ in range(quorum)]
    taken: dict[uuid.UUID, int] = {}

    def seated(seat: int, tried: set[uuid.UUID]) -> bool:
        for human in sorted(chain[seats[seat]][0] - tried):
            tried.add(human)
            if human not in taken or seated(taken[human], tried):
                taken[human] = seat
                return True
        return False

    return sum(not seated(seat, set()) for seat in range(len(seats)))
