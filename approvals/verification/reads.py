"""What waits for whom to be verified."""

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from approvals import roles
from approvals.requests.models import ChangeRequest, ChangeRequestQuerySet, Revision
from approvals.requests.states import Status
from approvals.verification import rules
from foundation.identity.models import User


def awaiting_verification(seen: ChangeRequestQuerySet, *, user: User) -> ChangeRequestQuerySet:
    """Those of the requests seen that the user may verify now: applied, and neither written nor applied by them."""
    if not user.has_perm(roles.DECIDE) and not user.has_perm(roles.APPLY):
        return seen.none()
    written = Revision.objects.filter(change_request=OuterRef("pk"), author_human_id=user.human_id)
    return seen.filter(
        ~Exists(written),
        Q(applied_by__isnull=True) | ~Q(applied_by__human_id=user.human_id),
        status=Status.APPLIED,
        system=False,
    )


def due_at(change_request: ChangeRequest) -> datetime | None:
    """Until when a change that awaits verification has to be verified; None if it does not."""
    return rules.due_at(change_request, days=settings.VERIFICATION_DAYS)


def is_overdue(change_request: ChangeRequest, *, now: datetime) -> bool:
    """Whether a change awaits verification and its time is over."""
    due = due_at(change_request)
    return due is not None and due <= now
