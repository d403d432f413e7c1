"""What is allowed now, and to whom."""

import uuid
from datetime import datetime

from approvals import roles
from approvals.permits.errors import (
    NoEmergencyRole,
    PermitBlocked,
    PermitExpired,
    PermitNeedsReason,
    PermitUsed,
)
from approvals.permits.models import Permit
from approvals.requests import permissions, rules, schedules
from approvals.requests.models import ChangeRequest, Revision
from approvals.requests.states import Action, Status
from foundation.identity.models import User

LONGEST_TEXT = 5_000


def check_may_use(*, user: User, change_request: ChangeRequest) -> None:
    """
    Refuse who does not hold the emergency role, or may not see all that the request touches.

    :raises NotFound: if the user may not see the request
    :raises NoEmergencyRole: if the user may not use emergency permits
    """
    permissions.visible_request(user=user, change_request_id=change_request.id)
    if not user.has_perm(roles.USE_PERMIT):
        raise NoEmergencyRole(
            "You do not hold the role emergency, so you take no permit. Call somebody who holds it, or wait for the "
            "approvals."
        )


def check_not_blocked(*, human_id: uuid.UUID, now: datetime) -> None:
    """
    Refuse another permit while the review of an earlier one is overdue.

    One's own blocks at once; anybody's blocks everybody once it took twice the time that it had.

    :raises PermitBlocked: if one is

    Source: docs/authorizations.md
    """
    own = Permit.objects.overdue(now).filter(human_id=human_id).select_related("change_request").first()
    if own is not None:
        raise PermitBlocked(
            f"The review of the permit that you used for change {own.change_request.number} is overdue since "
            f"{schedules.utc_text(own.review_due_at or now)}. Have it reviewed first, or let somebody else act."
        )
    if Permit.objects.long_overdue(now).exists():
        raise PermitBlocked(
            "The review of an emergency permit has taken more than twice the time that it had, so nobody takes another "
            "one. Have it reviewed first; administrators know which."
        )


def check_applicable(*, change_request: ChangeRequest, revision: Revision, now: datetime) -> None:
    """
    Refuse an emergency on a request that is closed, incomplete, outside its window, breaks a rule or opens a gap
    without a waiver: a permit stands in for approvals and for nothing else.

    :raises WrongState: if the request is neither a draft, in review nor approved
    :raises IncompleteRationale: if justification, impact, acceptance criteria or rollback is missing
    :raises RulesBroken: if the plan breaks the registry's rules
    :raises GapWithoutWaiver: if the plan opens a gap that no waiver declares
    :raises NotYet: if the window of its schedule has not opened; WindowClosed: if it is over
    """
    if change_request.status != Status.DRAFT:
        rules.next_status(change_request=change_request, action=Action.PERMIT)
    rules.check_complete(revision=revision)
    rules.check_rules_hold(document=revision.document)
    rules.check_waived(document=revision.document)
    rules.check_window(change_request=change_request, schedule=schedules.of(revision.document), now=now)


def check_reason(reason: str) -> str:
    """
    The reason, without spaces around it.

    :raises PermitNeedsReason: if it says nothing
    """
    said = reason.strip()
    if len(said) > LONGEST_TEXT:
        raise PermitNeedsReason(f"The reason has {len(said):,} characters; {LONGEST_TEXT:,} is the most. Shorten it.")
    if len(said) < len("It burns.") or not any(character.isalpha() for character in said):
        message = "Say why this can’t wait for its approvals, in a sentence: those who review it afterwards read that."
        raise PermitNeedsReason(message, errors=[{"field": "reason", "message": message}])
    return said


def check_valid(*, permit: Permit, now: datetime) -> None:
    """
    Refuse a permit that was used or is over.

    :raises PermitUsed: if it was used
    :raises PermitExpired: if it has expired
    """
    if permit.used_at is not None:
        raise PermitUsed("This permit was used. One permit is for one application; take another one if you must.")
    if now >= permit.expires_at or now < permit.issued_at:
        raise PermitExpired(
            f"This permit was valid until {schedules.utc_text(permit.expires_at)}. Take another one if it still burns.",
            expires_at=permit.expires_at.isoformat(),
        )
