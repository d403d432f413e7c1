"""
Who may do what with a change request.

*May somebody* is asked here, *is it allowed now* in rules.py. Checks raise; their twins answer, and the raised message
is the tooltip of the disabled button.
"""

import uuid
from collections.abc import Callable, Iterable
from functools import partial

from approvals import governed, roles
from approvals.governed import Scope
from approvals.policies.eligibility import names_of
from approvals.requests.errors import NotAReviewer, SelfReview
from approvals.requests.models import ChangeRequest, Revision, Stage
from foundation.errors import DomainError, NotFound, NotPermitted
from foundation.identity.models import User


def check_may_propose(*, user: User, scopes: Iterable[Scope]) -> None:
    """
    Refuse a proposal by somebody without the right, or beyond what they may see.

    :raises NotPermitted: if the user may not propose
    :raises NotFound: if an account or product concerned is not visible to the user
    """
    if not user.is_active or not user.has_perm(roles.PROPOSE):
        raise NotPermitted("You may not propose changes. Ask an administrator for a role that proposes.")
    if not governed.access().may_see(scope=Scope.merged(scopes), user=user):
        raise NotFound("This touches an account or product that is not granted to you, or that does not exist.")


def visible_request(*, user: User, change_request_id: uuid.UUID) -> ChangeRequest:
    """
    The request, if the user may see it.

    :raises NotFound: if there is none, or the user may not see all that it touches
    """
    found = ChangeRequest.objects.filter(id=change_request_id)
    if user.is_active and user.has_perm(roles.VIEW_REQUESTS):
        change_request = found.visible_to(user).first()
        if change_request is not None:
            return change_request
    raise NotFound("There is no such change request, or it touches what is not granted to you.")


def sees(*, user: User, change_request: ChangeRequest) -> bool:
    """Whether the user may see the request."""
    return _answers(partial(visible_request, user=user, change_request_id=change_request.id))


def check_may_edit(*, user: User, change_request: ChangeRequest) -> None:
    """
    Refuse edits by somebody who may not propose, or may not see the request.

    :raises NotPermitted: if the user may not propose
    :raises NotFound: if the user may not see the request
    """
    visible_request(user=user, change_request_id=change_request.id)
    if not user.has_perm(roles.PROPOSE):
        raise NotPermitted("You may not edit changes. Ask an administrator for a role that proposes.")


def check_may_withdraw(*, user: User, change_request: ChangeRequest) -> None:
    """
    Refuse withdrawal by anybody but the author or somebody who may apply changes.

    :raises NotPermitted: if the user is neither
    """
    check_may_edit(user=user, change_request=change_request)
    author = change_request.created_by
    if (author is None or author.human_id != user.human_id) and not user.has_perm(roles.APPLY):
        raise NotPermitted("Only the author, or somebody who may apply changes, withdraws a request.")


def check_may_review(*, user: User, change_request: ChangeRequest, stage: Stage) -> None:
    """
    Refuse a decision by an author, by somebody whom the stage does not ask, or by somebody who may not see the request.

    :raises SelfReview: if the user's human wrote any revision of the request, under any login
    :raises NotAReviewer: if the stage asks others, or the user may not decide at all
    :raises NotFound: if the user may not see the request

    Source: docs/invariants.md INV-3
    """
    visible_request(user=user, change_request_id=change_request.id)
    if is_author(human_id=user.human_id, change_request=change_request):
        raise SelfReview(
            "You wrote a revision of this change, so somebody else decides on it. This holds for every login of yours."
        )
    if not user.has_perm(roles.DECIDE) or not stage.deciders().filter(id=user.id).exists():
        raise NotAReviewer(_why_not_asked(stage), role=stage.role)


def _why_not_asked(stage: Stage) -> str:
    backup = f", and now its backup, the role {stage.backup_role}" if stage.escalated_at and stage.backup_role else ""
    if not stage.people:
        return f"The open stage asks for the role {stage.role}{backup}, which you do not have."
    names = ", ".join(sorted(names_of(stage.people).values()))
    of_role = f", who must hold the role {stage.role}" if stage.role else ""
    return f"The open stage asks {names}{of_role}{backup}, not you."


def check_may_apply(*, user: User, change_request: ChangeRequest) -> None:
    """
    Refuse application by somebody without the right.

    :raises NotPermitted: if the user may not apply changes
    :raises NotFound: if the user may not see the request
    """
    visible_request(user=user, change_request_id=change_request.id)
    if not user.has_perm(roles.APPLY):
        raise NotPermitted("You may not apply changes. Ask somebody of licensing or IT operations.")


def is_author(*, human_id: uuid.UUID, change_request: ChangeRequest) -> bool:
    """Whether a human wrote any revision of the request."""
    return Revision.objects.filter(change_request=change_request, author_human_id=human_id).exists()


def _answers(check: Callable[[], object]) -> bool:
    try:
        check()
    except DomainError:
        return False
    return True


def may_review(*, user: User, change_request: ChangeRequest, stage: Stage) -> bool:
    """Whether the user may decide on the open stage."""
    return _answers(partial(check_may_review, user=user, change_request=change_request, stage=stage))


def may_stand_in(*, user: User, change_request: ChangeRequest) -> bool:
    """Whether the user may decide for somebody else: active, deciding at all, seeing the request, and no author."""
    return (
        user.is_active
        and user.has_perm(roles.DECIDE)
        and not is_author(human_id=user.human_id, change_request=change_request)
        and sees(user=user, change_request=change_request)
    )


def may_apply(*, user: User, change_request: ChangeRequest) -> bool:
    """Whether the user may apply the request."""
    return _answers(partial(check_may_apply, user=user, change_request=change_request))


def may_edit(*, user: User, change_request: ChangeRequest) -> bool:
    """Whether the user may edit the request."""
    return _answers(partial(check_may_edit, user=user, change_request=change_request))


def may_withdraw(*, user: User, change_request: ChangeRequest) -> bool:
    """Whether the user may withdraw the request."""
    return _answers(partial(check_may_withdraw, user=user, change_request=change_request))
