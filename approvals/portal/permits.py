"""Emergency permits as people read them: on the page of a change, in a list, and in "My work"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from approvals import roles
from approvals.permits import queries, rules
from approvals.permits.models import Permit
from approvals.permits.review import ReviewedStage, stages_of, why_not_review
from approvals.portal.actions import refusal
from approvals.requests.models import ChangeRequest
from approvals.requests.services import current
from approvals.requests.states import Status
from foundation.identity.models import User

ROWS = 50
POSSIBLE = frozenset({Status.DRAFT, Status.IN_REVIEW, Status.APPROVED})


@dataclass(frozen=True)
class ShownPermit:
    """A used permit, what is missing of its review, and why the reader does not review it (empty: they may)."""

    permit: Permit
    stages: Sequence[ReviewedStage]
    why_not_review: str
    overdue: bool


@dataclass(frozen=True)
class Panel:
    """What a holder of the emergency role can do with a request, and the permit by which it was applied."""

    offered: bool
    why_not_take: str
    held: Permit | None
    used: ShownPermit | None


@dataclass(frozen=True)
class Listing:
    """All permits that a reader may see: those to review first, then the newest."""

    lead: str
    to_review: Sequence[ShownPermit]
    others: Sequence[Permit]


def shown(permit: Permit, *, user: User, now: datetime) -> ShownPermit:
    """A permit for one reader."""
    return ShownPermit(
        permit=permit,
        stages=stages_of(permit),
        why_not_review=why_not_review(permit=permit, user=user, now=now),
        overdue=permit.is_overdue(now),
    )


def of_request(*, change_request: ChangeRequest, user: User, now: datetime) -> Panel:
    """What a request has to do with permits, for one reader."""
    used = Permit.objects.filter(change_request=change_request, used_at__isnull=False)
    permit = used.select_related("change_request", "user", "revision").first()
    offered = user.has_perm(roles.USE_PERMIT) and change_request.status in POSSIBLE
    held = queries.held(change_request=change_request, user=user, now=now) if offered else None
    revision = current(change_request)
    why = refusal(
        lambda: rules.check_may_use(user=user, change_request=change_request),
        lambda: rules.check_applicable(change_request=change_request, revision=revision, now=now),
        lambda: rules.check_not_blocked(human_id=user.human_id, now=now),
    )
    return Panel(offered, why if offered else "", held, shown(permit, user=user, now=now) if permit else None)


def listing(*, user: User, now: datetime) -> Listing:
    """
    All permits that a reader may see.

    :raises NotPermitted: if the user may not read change requests
    """
    seen = queries.visible_permits(user=user)
    waiting = [shown(row, user=user, now=now) for row in seen.to_review().order_by("review_due_at", "id")[:ROWS]]
    overdue = sum(one.overdue for one in waiting)
    others = seen.filter(Q(used_at__isnull=True) | Q(reviewed_at__isnull=False)).order_by("-issued_at", "id")[:ROWS]
    lead = "No emergency waits for its review."
    if waiting:
        lead = (
            f"{len(waiting)} {'emergency waits for its' if len(waiting) == 1 else 'emergencies wait for their'} review"
        )
        lead += f"; {overdue} overdue." if overdue else "."
    return Listing(lead, waiting, list(others))
