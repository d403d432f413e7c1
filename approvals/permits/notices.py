"""Mail about emergency permits, by way of the outbox."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings

from approvals.permits.models import Permit, PermitReview
from approvals.policies.eligibility import holders_of
from approvals.requests import permissions
from approvals.requests.models import Stage
from approvals.requests.schedules import utc_text
from foundation.identity.models import User
from foundation.mail import services as mail

ADMINISTRATOR = "administrator"


def tell_used(*, permit: Permit, now: datetime) -> None:
    """Ask everybody who may review, and tell the author."""
    number, title = permit.change_request.number, permit.change_request.title
    due = utc_text(permit.review_due_at or now)
    mail.send(
        recipients=_ids(reviewers_of(permit, Stage.objects.filter(revision_id=permit.revision_id))),
        subject=f"Review an emergency: change {number} was applied without its approvals",
        text=(
            f"{permit.user} applied “{title}” under an emergency permit:\n\n{permit.reason}\n\n"
            f"Say until {due} whether that was justified.\n\n{address_of(permit)}\n"
        ),
        now=now,
        key=f"permit-review:{permit.id}",
    )
    mail.send(
        recipients=_ids(_others(permit, _author(permit))),
        subject=f"Change {number} is applied under an emergency permit: {title}",
        text=f"{permit.user} applied it without its approvals:\n\n{permit.reason}\n\n{address_of(permit)}\n",
        now=now,
        key=f"permit-used:{permit.id}",
    )


def tell_not_justified(*, permit: Permit, review: PermitReview, now: datetime) -> None:
    """Tell administrators and the author at once: they may act back."""
    number = permit.change_request.number
    mail.send(
        recipients=_ids([*_seeing(permit, holders_of(ADMINISTRATOR)), *_author(permit), permit.user]),
        subject=f"Change {number}: an emergency was not justified",
        text=(
            f"{review.reviewer} reviewed the permit of {permit.user} for {review.stage.whom}:\n\n{review.comment}\n\n"
            "The change stays in force. If it should not, act back on its page.\n\n"
            f"{address_of(permit)}\n"
        ),
        now=now,
        key=f"permit-not-justified:{review.id}",
    )


def tell_reviewed(*, permit: Permit, outcome: str, now: datetime) -> None:
    """Tell who used the permit, and the author, what the review found."""
    mail.send(
        recipients=_ids([permit.user, *_author(permit)]),
        subject=f"Change {permit.change_request.number}: the emergency was {outcome}",
        text=f"The review of the emergency permit is complete: {outcome}.\n\n{address_of(permit)}\n",
        now=now,
        key=f"permit-reviewed:{permit.id}",
    )


def tell_overdue(*, permit: Permit, stages: Iterable[Stage], others: Iterable[User], step: int, now: datetime) -> None:
    """Remind those who could still review, tell `others` who review in their place, and the administrators."""
    missing = list(stages)
    roles = ", ".join(sorted({stage.whom for stage in missing}))
    blocked = (
        "Nobody takes another permit until then." if step > 2 else f"Until then {permit.user} takes no other permit."
    )
    mail.send(
        recipients=_ids(
            [*reviewers_of(permit, missing), *_seeing(permit, others), *_seeing(permit, holders_of(ADMINISTRATOR))]
        ),
        subject=f"Overdue: the review of the emergency of change {permit.change_request.number}",
        text=(
            f"The review of the permit of {permit.user} was due {utc_text(permit.review_due_at or now)}. It misses "
            f"{roles}. {blocked}\n\n{address_of(permit)}\n"
        ),
        now=now,
        key=f"permit-overdue:{permit.id}:{step}",
    )


def reviewers_of(permit: Permit, stages: Iterable[Stage]) -> list[User]:
    """Everybody who may review the permit for one of the stages and has not."""
    spoken = set(permit.reviews.values_list("reviewer_human_id", flat=True)) | {permit.human_id}
    return [
        user
        for stage in stages
        for user in stage.deciders().order_by("id")
        if user.human_id not in spoken
        and permissions.may_review(user=user, change_request=permit.change_request, stage=stage)
    ]


def address_of(permit: Permit) -> str:
    """Where the permit is read and reviewed."""
    return f"{settings.PUBLIC_URL}/changes/{permit.change_request.number}/#permit"


def _author(permit: Permit) -> list[User]:
    author = permit.change_request.created_by
    return _seeing(permit, [author]) if author is not None else []


def _others(permit: Permit, users: Iterable[User]) -> list[User]:
    return [user for user in users if user.human_id != permit.human_id]


def _seeing(permit: Permit, users: Iterable[User]) -> list[User]:
    return [user for user in users if permissions.sees(user=user, change_request=permit.change_request)]


def _ids(users: Iterable[User]) -> list[UUID]:
    """One login of each human."""
    return list({user.human_id: user.id for user in users}.values())
