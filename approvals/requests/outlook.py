"""
Who could approve: the people of each stage, those of its role who could not and why, and whether the chain can be
passed at all. Nothing is written, and nobody is told.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals import governed
from approvals.authority.errors import OverLimit
from approvals.authority.limits import check_within, holding
from approvals.authority.models import AuthorityLimit, Delegation
from approvals.governed import Scope, Size
from approvals.policies.eligibility import deciders, missing_people, names_of
from approvals.policies.rules import StageRequirement
from approvals.requests import revisions
from approvals.requests.deciding import size_of
from approvals.requests.models import ChangeRequest, ItemScope, Revision
from approvals.requests.services import current
from approvals.roles import DECIDE, VIEW_REQUESTS
from foundation.identity.models import User


@dataclass(frozen=True)
class Excluded:
    """Somebody whom the stage asks and who could not decide, and why."""

    user: User
    why: str


@dataclass(frozen=True)
class Deputy:
    """Somebody who could decide in another's place, by a delegation in force."""

    user: User
    delegator: User


@dataclass(frozen=True)
class StageOutlook:
    """
    A stage, who could decide on it, who of those asked could not, what its named people are called, by id, and who
    could decide for those who could.
    """

    stage: StageRequirement
    could: tuple[User, ...]
    could_not: tuple[Excluded, ...]
    names: Mapping[str, str]
    deputies: tuple[Deputy, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether this stage alone could be passed: by different humans, however many logins they have."""
        return len({user.human_id for user in self.could}) >= self.stage.quorum


@dataclass(frozen=True)
class Outlook:
    """The chain's stages, and how many more humans it needs; a human decides once on a revision."""

    stages: tuple[StageOutlook, ...]
    missing: int

    @property
    def passable(self) -> bool:
        """Whether different humans could pass every stage."""
        return self.missing == 0


def outlook(
    *,
    stages: Sequence[StageRequirement],
    scope: Scope,
    authors: frozenset[uuid.UUID],
    size: Size,
    now: datetime,
    escalated: frozenset[int] = frozenset(),
) -> Outlook:
    """
    Who could pass these stages of a request that touches `scope` and whose revisions `authors` (humans) wrote.

    `size` is how large it is, for authority limits in force at `now`, as are delegations. `escalated` are the positions
    of stages whose backup may decide as well.

    Source: docs/invariants.md INV-3; docs/change-control.md
    """
    bound = frozenset(AuthorityLimit.objects.in_force_at(now).values_list("human", flat=True))
    asked = _Asked(scope, authors, size, now, bound)
    found = tuple(_stage(stage, asked, stage.position in escalated) for stage in stages)
    chain = [(frozenset(user.human_id for user in one.could), one.stage.quorum) for one in found]
    return Outlook(found, missing_people(chain))


def of_request(*, change_request: ChangeRequest, now: datetime) -> Outlook:
    """Who could pass the stages of a request's current revision, as if nobody had decided yet."""
    revision = current(change_request)
    written = change_request.revisions.filter(author_human_id__isnull=False)
    return outlook(
        stages=revisions.stages_of(revision),
        scope=_scope_of(revision),
        authors=frozenset(key for key in written.values_list("author_human_id", flat=True) if key),
        size=size_of(revision),
        now=now,
        escalated=frozenset(revision.stages.filter(escalated_at__isnull=False).values_list("position", flat=True)),
    )


def _scope_of(revision: Revision) -> Scope:
    """All that a revision touches, without reading its items."""
    scopes = ItemScope.objects.filter(item__revision=revision)
    accounts = scopes.filter(account_id__isnull=False).values_list("account_id", flat=True)
    products = scopes.filter(product_id__isnull=False).values_list("product_id", flat=True)
    return Scope(
        frozenset(key for key in accounts.distinct() if key), frozenset(key for key in products.distinct() if key)
    )


@dataclass(frozen=True)
class _Asked:
    """What decides who could: what is touched, who wrote it, how large it is, when, and whom any limit binds then."""

    scope: Scope
    authors: frozenset[uuid.UUID]
    size: Size
    now: datetime
    bound: frozenset[uuid.UUID]


def _stage(stage: StageRequirement, asked: _Asked, escalated: bool) -> StageOutlook:
    could: list[User] = []
    could_not: list[Excluded] = []
    own = set(deciders(role=stage.role, people=stage.people).values_list("id", flat=True))
    backup_role = stage.backup_role if escalated else ""
    users = deciders(role=stage.role, people=stage.people, backup_role=backup_role)
    for user in users.order_by("last_name", "first_name", "username", "id"):
        role = stage.role if user.id in own else backup_role
        why = _why_not(user, asked) or _above(user, role, stage, asked)
        if why:
            could_not.append(Excluded(user, why))
        else:
            could.append(user)
    names = names_of(stage.people)
    return StageOutlook(stage, tuple(could), tuple(could_not), names, _deputies(stage, could, own, backup_role, asked))


def _deputies(
    stage: StageRequirement, could: Sequence[User], own: set[uuid.UUID], backup_role: str, asked: _Asked
) -> tuple[Deputy, ...]:
    given = Delegation.objects.in_force_at(asked.now).filter(delegator_id__in=[user.id for user in could])
    rows = given.select_related("delegator", "delegate").order_by("created_at", "id")
    return tuple(
        Deputy(row.delegate, row.delegator)
        for row in rows
        if row.covers(stage.role if row.delegator_id in own else backup_role)
        and row.delegate.is_active
        and not _why_not(row.delegate, asked)
    )


def _above(user: User, role: str, stage: StageRequirement, asked: _Asked) -> str:
    if user.human_id not in asked.bound and not stage.within_limit:
        return ""
    held = holding(human_id=user.human_id, role=role, instant=asked.now)
    try:
        check_within(holding=held, size=asked.size, demanded=stage.within_limit)
    except OverLimit:
        return "has no authority limit that reaches it"
    return ""


def _why_not(user: User, asked: _Asked) -> str:
    if user.human_id in asked.authors:
        return "wrote this change, under this or another login"
    if not user.has_perms([DECIDE, VIEW_REQUESTS]):
        return "has the role without the permission to decide"
    if not governed.access().may_see(scope=asked.scope, user=user):
        return "may not see every account and product that it touches"
    return ""
