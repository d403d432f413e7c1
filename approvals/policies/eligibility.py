"""
Who could decide: people of a role, and whether there are enough of them for a chain.

Nobody is counted twice: two logins of one human are one, and one human decides once on a revision, so the stages of a
chain need different people (INV-3).
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from approvals.policies.errors import TooFewEligible
from approvals.roles import DECIDE, ROLES
from foundation.errors import InvalidInput
from foundation.identity.models import User

JSON = Any
DECIDING_ROLES = frozenset(role.name for role in ROLES if DECIDE in role.permissions)


def holders_of(role: str) -> QuerySet[User]:
    """Active users who hold the role."""
    return User.objects.filter(is_active=True, groups__name=role).distinct()


def humans_of(role: str) -> frozenset[uuid.UUID]:
    """The humans behind the active logins that hold the role."""
    return frozenset(holders_of(role).values_list("human_id", flat=True))


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
    chain = [(str(stage["role"]), int(stage["quorum"])) for stage in stages]
    if waiver_role:
        chain.append((waiver_role, 1))
    people = {role: humans_of(role) for role, _quorum in chain}
    short = [
        f"{quorum} of {role}, of whom there are {len(people[role])}"
        for role, quorum in chain
        if len(people[role]) < quorum
    ]
    if short:
        raise TooFewEligible(
            f"This policy asks for {'; '.join(short)}. Give more people the role first, or ask for fewer.", stages=short
        )
    missing = missing_people([(people[role], quorum) for role, quorum in chain])
    if missing:
        raise TooFewEligible(
            f"One human decides once on a change, and the stages of this policy share their people: {missing} more are "
            "needed. Give more people the roles first, or ask for fewer.",
            missing=missing,
        )


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
