"""Who may verify."""

from approvals import roles
from approvals.requests import permissions
from approvals.requests.models import ChangeRequest
from approvals.verification.errors import SelfVerification
from foundation.errors import DomainError, NotPermitted
from foundation.identity.models import User


def check_may_verify(*, user: User, change_request: ChangeRequest) -> None:
    """
    Refuse verification by an author, by whoever applied it, and by somebody who neither decides nor applies.

    :raises NotFound: if the user may not see the request
    :raises NotPermitted: if the user has no role that decides or applies
    :raises SelfVerification: if the user's human wrote a revision of the request or applied it, under any login

    Source: docs/after-application.md
    """
    permissions.visible_request(user=user, change_request_id=change_request.id)
    if not user.has_perm(roles.DECIDE) and not user.has_perm(roles.APPLY):
        raise NotPermitted("Only people of a role that decides or applies verify a change. Ask one of them.")
    if permissions.is_author(human_id=user.human_id, change_request=change_request):
        raise SelfVerification(
            "You wrote a revision of this change, so somebody else verifies it. This holds for every login of yours."
        )
    applier = change_request.applied_by
    if applier is not None and applier.human_id == user.human_id:
        raise SelfVerification(
            "You applied this change, so somebody else verifies it. This holds for every login of yours."
        )


def may_verify(*, user: User, change_request: ChangeRequest) -> bool:
    """Whether the user may verify the request."""
    try:
        check_may_verify(user=user, change_request=change_request)
    except DomainError:
        return False
    return True
