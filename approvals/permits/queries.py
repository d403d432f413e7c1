"""Which permits somebody sees, and which wait for them."""

from datetime import datetime

from approvals.permits.models import Permit, PermitQuerySet
from approvals.permits.review import why_not_review
from approvals.requests.models import ChangeRequest
from approvals.roles import VIEW_REQUESTS
from foundation.errors import NotPermitted
from foundation.identity.models import User


def visible_permits(*, user: User) -> PermitQuerySet:
    """
    The permits whose request the user may see, in one query.

    :raises NotPermitted: if the user may see none
    """
    if not user.has_perm(VIEW_REQUESTS):
        raise NotPermitted("You may not read change requests. Ask an administrator for a role.")
    seen = ChangeRequest.objects.visible_to(user)
    return Permit.objects.filter(change_request__in=seen).select_related("change_request", "user", "revision")


def awaiting_review_of(*, user: User, now: datetime, most: int = 25) -> list[Permit]:
    """The used permits on whose review the user is asked, the most urgent first."""
    if not user.is_active or not user.has_perm(VIEW_REQUESTS):
        return []
    waiting = visible_permits(user=user).to_review().exclude(human_id=user.human_id)
    waiting = waiting.exclude(reviews__reviewer_human_id=user.human_id).order_by("review_due_at", "id")
    return [permit for permit in waiting[: 4 * most] if not why_not_review(permit=permit, user=user, now=now)][:most]


def held(*, change_request: ChangeRequest, user: User, now: datetime) -> Permit | None:
    """The permit with which a user could apply the current revision now."""
    return Permit.objects.filter(
        change_request=change_request,
        revision=change_request.current_revision,
        human_id=user.human_id,
        used_at__isnull=True,
        expires_at__gt=now,
    ).first()
