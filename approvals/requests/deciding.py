"""
By whose authority somebody decides: their own, or that of somebody who delegated it. Asked when they decide, and again
when the change is applied. Source: docs/authority.md
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals import roles
from approvals.authority.errors import NotADelegate, OverLimit
from approvals.authority.limits import Holding, check_within, holding
from approvals.authority.models import Delegation
from approvals.governed import Size
from approvals.policies.eligibility import missing_people
from approvals.requests import permissions
from approvals.requests.errors import SelfReview
from approvals.requests.models import ChangeRequest, Decision, Revision, Stage
from foundation.errors import DomainError
from foundation.identity.models import User


@dataclass(frozen=True)
class Capacity:
    """One way in which somebody may decide on the open stage: by their own authority, or by a delegation."""

    person: User
    delegation: Delegation | None
    holding: Holding


def size_of(revision: Revision) -> Size:
    """How large a revision's change is, as its digest covers it."""
    return Size.read(revision.document["plan"].get("size"))


def check_may_decide(
    *,
    user: User,
    change_request: ChangeRequest,
    revision: Revision,
    stage: Stage,
    now: datetime,
    on_behalf_of: uuid.UUID | None = None,
) -> Capacity:
    """
    Refuse a decision that neither the user nor whom they decide for, a login by id, may give.

    :raises SelfReview: if the human of either wrote any revision of the request, under any login
    :raises NotAReviewer: if the stage asks others
    :raises NotADelegate: if no delegation in force lets the user decide for the other, or the other could not decide
    :raises OverLimit: if the change is above the authority of whoever is decided for, or the stage demands one
    :raises NotFound: if the user may not see the request

    Source: docs/invariants.md INV-3
    """
    if on_behalf_of is None:
        permissions.check_may_review(user=user, change_request=change_request, stage=stage)
        person, delegation = user, None
    else:
        delegation = _delegation(user, change_request, stage, now, on_behalf_of)
        person = delegation.delegator
    held = holding(human_id=person.human_id, role=stage.role_of(person) or "", instant=now)
    whose = "Your" if delegation is None else f"{person}’s"
    check_within(holding=held, size=size_of(revision), demanded=stage.within_limit, whose=whose)
    return Capacity(person, delegation, held)


def capacities(
    *, user: User, change_request: ChangeRequest, revision: Revision, stage: Stage, now: datetime
) -> tuple[Capacity, ...]:
    """Every way in which a user may decide on the open stage now, their own first; none once they decided."""
    if revision.decisions.filter(decider_human_id=user.human_id).exists():
        return ()
    given = Delegation.objects.in_force_at(now).given_to(user)
    others = sorted(set(given.values_list("delegator_id", flat=True)))
    found = []
    for person in (None, *others):
        try:
            capacity = check_may_decide(
                user=user, change_request=change_request, revision=revision, stage=stage, now=now, on_behalf_of=person
            )
        except DomainError:
            continue
        if not revision.decisions.by_authority_of(capacity.person.human_id).exists():
            found.append(capacity)
    return tuple(found)


def counting(*, change_request: ChangeRequest, revision: Revision, stage: Stage) -> tuple[list[Decision], int]:
    """
    The approvals of a stage that still count, and for how many: different humans by different authorities, as logins
    belong to humans today.
    """
    approvals = stage.decisions.filter(verdict=Decision.Verdict.APPROVE, digest=revision.digest)
    rows = approvals.select_related("decider", "on_behalf_of", "on_behalf_of__delegator").order_by("decided_at", "id")
    counted = [row for row in rows if _counts(row, change_request, revision, stage)]
    deciders: dict[uuid.UUID, set[uuid.UUID]] = {}
    for row in counted:
        authority = row.on_behalf_of.delegator if row.on_behalf_of else row.decider
        deciders.setdefault(authority.human_id, set()).add(row.decider.human_id)
    unmatched = missing_people([(frozenset(humans), 1) for humans in deciders.values()])
    return counted, len(deciders) - unmatched


def lock_delegations(revision: Revision) -> None:
    """Have nobody revoke a delegation by which somebody decided on a revision until the transaction ends."""
    used = revision.decisions.filter(on_behalf_of__isnull=False).values_list("on_behalf_of_id", flat=True)
    list(Delegation.objects.select_for_update().filter(id__in=list(used)).order_by("id"))


def _counts(decision: Decision, change_request: ChangeRequest, revision: Revision, stage: Stage) -> bool:
    """Whether a decision would be accepted still, by what is known today and the limits of then."""
    person, delegation = decision.decider, decision.on_behalf_of
    if not permissions.may_stand_in(user=person, change_request=change_request):
        return False
    if delegation is not None:
        person = delegation.delegator
        may = permissions.may_stand_in(user=person, change_request=change_request)
        if not may or not delegation.was_in_force_at(decision.decided_at):
            return False
    role = stage.role_of(person)
    if role is None or (delegation is not None and not delegation.covers(role)):
        return False
    held = holding(human_id=person.human_id, role=role, instant=decision.decided_at)
    try:
        check_within(holding=held, size=size_of(revision), demanded=stage.within_limit)
    except OverLimit:
        return False
    return True


def _delegation(
    user: User, change_request: ChangeRequest, stage: Stage, now: datetime, delegator_id: uuid.UUID
) -> Delegation:
    permissions.visible_request(user=user, change_request_id=change_request.id)
    if permissions.is_author(human_id=user.human_id, change_request=change_request):
        raise SelfReview("You wrote a revision of this change, so you decide on it for nobody, under any login.")
    found = _given(user, now, delegator_id)
    if not found or not user.has_perm(roles.DECIDE):
        raise NotADelegate("No delegation in force lets you decide for them. It may be over, or revoked.")
    person = found[0].delegator
    if permissions.is_author(human_id=person.human_id, change_request=change_request):
        raise SelfReview(f"{person} wrote a revision of this change, so nobody decides on it for them.")
    role = stage.role_of(person)
    if role is None or not permissions.may_stand_in(user=person, change_request=change_request):
        raise NotADelegate(f"{person} could not decide on this stage now, so nobody can for them.")
    covering = [delegation for delegation in found if delegation.covers(role)]
    if not covering:
        raise NotADelegate(f"{person} lets you decide for them in another role than {stage.whom}.")
    return covering[0]


def _given(user: User, now: datetime, delegator_id: uuid.UUID) -> Sequence[Delegation]:
    given = Delegation.objects.in_force_at(now).given_to(user).filter(delegator_id=delegator_id)
    return list(given.select_related("delegator").order_by("created_at", "id"))
