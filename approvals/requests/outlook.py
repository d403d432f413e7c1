"""
Who could approve: the people of each stage, those of its role who could not and why, and whether the chain can be
passed at all. Nothing is written, and nobody is told.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from approvals import governed
from approvals.governed import Scope
from approvals.policies.eligibility import deciders, missing_people, names_of
from approvals.policies.rules import StageRequirement
from approvals.requests import revisions
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
class StageOutlook:
    """A stage, who could decide on it, who of those asked could not, and what its named people are called, by id."""

    stage: StageRequirement
    could: tuple[User, ...]
    could_not: tuple[Excluded, ...]
    names: Mapping[str, str]

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
    escalated: frozenset[int] = frozenset(),
) -> Outlook:
    """
    Who could pass these stages of a request that touches `scope` and whose revisions `authors` (humans) wrote.

    `escalated` are the positions of stages whose backup may decide as well.

    Source: docs/invariants.md INV-3; docs/change-control.md
    """
    found = tuple(_stage(stage, scope, authors, stage.position in escalated) for stage in stages)
    chain = [(frozenset(user.human_id for user in one.could), one.stage.quorum) for one in found]
    return Outlook(found, missing_people(chain))


def of_request(*, change_request: ChangeRequest) -> Outlook:
    """Who could pass the stages of a request's current revision, as if nobody had decided yet."""
    revision = current(change_request)
    written = change_request.revisions.filter(author_human_id__isnull=False)
    return outlook(
        stages=revisions.stages_of(revision),
        scope=_scope_of(revision),
        authors=frozenset(key for key in written.values_list("author_human_id", flat=True) if key),
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


def _stage(stage: StageRequirement, scope: Scope, authors: frozenset[uuid.UUID], escalated: bool) -> StageOutlook:
    could: list[User] = []
    could_not: list[Excluded] = []
    asked = deciders(role=stage.role, people=stage.people, backup_role=stage.backup_role if escalated else "")
    for user in asked.order_by("last_name", "first_name", "username", "id"):
        why = _why_not(user, scope, authors)
        if why:
            could_not.append(Excluded(user, why))
        else:
            could.append(user)
    return StageOutlook(stage, tuple(could), tuple(could_not), names_of(stage.people))


def _why_not(user: User, scope: Scope, authors: frozenset[uuid.UUID]) -> str:
    if user.human_id in authors:
        return "wrote this change, under this or another login"
    if not user.has_perms([DECIDE, VIEW_REQUESTS]):
        return "has the role without the permission to decide"
    if not governed.access().may_see(scope=scope, user=user):
        return "may not see every account and product that it touches"
    return ""
