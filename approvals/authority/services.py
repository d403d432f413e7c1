"""Giving a delegation and revoking it. What it allows is asked where somebody decides: docs/authority.md."""

import uuid
from datetime import datetime

from django.db import transaction

from approvals import events, roles
from approvals.authority.errors import DelegationOver
from approvals.authority.models import LONGEST, Delegation
from approvals.policies.eligibility import DECIDING_ROLES
from audit.services import NewEvent, Subject, record
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from foundation.identity.naming import mention

LONGEST_REASON = 500


def check_may_delegate(*, user: User) -> None:
    """
    Refuse a delegation by somebody who decides on nothing.

    :raises NotPermitted: if the user holds no role that decides
    """
    if not user.is_active or not user.has_perm(roles.DECIDE) or not deciding_roles(user):
        raise NotPermitted("You decide on nothing yourself, so there is nothing to delegate.")


def deciding_roles(user: User) -> list[str]:
    """The roles that the user holds and that decide, sorted; what they hold by delegation is none."""
    return sorted(DECIDING_ROLES & set(user.groups.values_list("name", flat=True)))


@transaction.atomic
def delegate(
    *, delegator: User, delegate: User, role: str, starts_at: datetime, ends_at: datetime, reason: str, now: datetime
) -> Delegation:
    """
    Let somebody else decide for the delegator, in a role or in every deciding role of theirs (`""`).

    Instants are timezone-aware; a start that has passed is now.

    :raises NotPermitted: if the delegator holds no role that decides
    :raises InvalidInput: if the delegate decides on nothing or is the same human, if the delegator does not hold the
        role, if the period is empty, over, or longer than 92 days, or if there is no reason

    Source: docs/authority.md
    """
    check_may_delegate(user=delegator)
    _check_delegate(delegator, delegate)
    if role and role not in deciding_roles(delegator):
        raise _refused("role", f"You do not decide as {role}, so you can’t delegate it.")
    starts_at = max(starts_at, now)
    if ends_at <= starts_at:
        raise _refused("ends_at", "The delegation would end before it starts. Say a later end.")
    if ends_at - starts_at > LONGEST:
        raise _refused("ends_at", f"A delegation lasts {LONGEST.days} days at most. Say an earlier end.")
    why = " ".join(reason.split())
    if not why or len(why) > LONGEST_REASON or not why.isprintable():
        raise _refused("reason", f"Say in at most {LONGEST_REASON} characters why.")
    given = Delegation.objects.create(
        delegator=delegator,
        delegator_human_id=delegator.human_id,
        delegate=delegate,
        delegate_human_id=delegate.human_id,
        role=role,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=why,
        created_at=now,
    )
    _record(events.DELEGATION_GIVEN, given, delegator, now)
    return given


@transaction.atomic
def revoke(*, delegation_id: uuid.UUID, user: User, now: datetime) -> Delegation:
    """
    End a delegation at once; decisions that were made by it count no longer where they are not applied yet.

    :raises NotFound: if there is none, or the user's human neither gave nor received it
    :raises DelegationOver: if it is over, or revoked already
    """
    found = Delegation.objects.select_for_update(of=("self",)).select_related("delegator", "delegate")
    delegation = found.of_either(user).filter(id=delegation_id).first() if user.is_active else None
    if delegation is None:
        raise NotFound("There is no such delegation of yours.")
    if not delegation.is_open_at(now):
        raise DelegationOver("This delegation is over already. Nothing is left to revoke.")
    delegation.revoked_at = now
    delegation.revoked_by = user
    delegation.save(update_fields=["revoked_at", "revoked_by"])
    _record(events.DELEGATION_REVOKED, delegation, user, now)
    return delegation


@transaction.atomic
def revoke_after_review(*, delegation_id: uuid.UUID, reviewer: User, now: datetime) -> bool:
    """
    End a delegation because an access review took it back; False if it is over already.

    Whether the reviewer may say so is the review's part: they neither gave nor received it.
    """
    found = Delegation.objects.select_for_update(of=("self",)).select_related("delegator", "delegate")
    delegation = found.get(id=delegation_id)
    if not delegation.is_open_at(now):
        return False
    delegation.revoked_at = now
    delegation.revoked_by = reviewer
    delegation.save(update_fields=["revoked_at", "revoked_by"])
    _record(events.DELEGATION_REVOKED, delegation, reviewer, now)
    return True


def _check_delegate(delegator: User, delegate: User) -> None:
    if delegate.human_id == delegator.human_id:
        raise _refused("delegate", "This is you, under this or another login. Name somebody else.")
    if not delegate.is_active or not delegate.has_perm(roles.DECIDE) or not deciding_roles(delegate):
        raise _refused("delegate", f"{delegate} decides on nothing. Name somebody with a role that does.")


def _refused(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors=[{"field": field, "message": sentence}])


def _record(event_type: str, delegation: Delegation, actor: User, now: datetime) -> None:
    record(
        event=NewEvent(
            type=event_type,
            actor=actor,
            subject=Subject(type="approvals.delegation", id=delegation.id, label="a delegation"),
            data={
                "delegator_id": str(delegation.delegator_id),
                "delegate_id": str(delegation.delegate_id),
                "delegate": mention(delegation.delegate),
                "delegator": mention(delegation.delegator),
                "role": delegation.role or "holder of every deciding role",
                "starts_at": delegation.starts_at,
                "ends_at": delegation.ends_at,
                "reason": delegation.reason,
            },
        ),
        now=now,
    )
