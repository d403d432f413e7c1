"""
The review after an emergency: everybody whom the policies would have asked says whether it was justified.

Every stage of the revision is asked, with its quorum, in any order: the record is written, so nobody waits for anybody.
One human speaks once, and nobody of those who wrote the change or used the permit.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from approvals import events
from approvals.authority.errors import OverLimit
from approvals.permits import notices
from approvals.permits.errors import AlreadyReviewed, NoReviewer, NothingToReview
from approvals.permits.models import Permit, PermitReview
from approvals.permits.rules import LONGEST_TEXT
from approvals.permits.services import visible_permit
from approvals.policies.eligibility import holders_of
from approvals.policies.rules import DEFAULT_CHAIN
from approvals.requests import permissions
from approvals.requests import rules as request_rules
from approvals.requests.deciding import check_may_decide
from approvals.requests.errors import CommentRequired, NotAReviewer
from approvals.requests.models import Stage
from approvals.requests.recording import record_step
from foundation.errors import DomainError, InvalidInput
from foundation.identity.models import User
from foundation.integrity import refine_integrity_error


@dataclass(frozen=True)
class ReviewedStage:
    """A stage of the review, what was said for it, and how many are missing."""

    stage: Stage
    given: tuple[PermitReview, ...]

    @property
    def missing(self) -> int:
        """How many more people of the role are asked."""
        return max(self.stage.quorum - len(self.given), 0)


def stages_of(permit: Permit) -> tuple[ReviewedStage, ...]:
    """The stages that the policies would have asked, as far as they have reviewed the permit."""
    given: dict[uuid.UUID, list[PermitReview]] = {}
    for row in permit.reviews.select_related("reviewer").order_by("decided_at", "id"):
        given.setdefault(row.stage_id, []).append(row)
    stages = Stage.objects.filter(revision_id=permit.revision_id).order_by("position")
    return tuple(ReviewedStage(stage, tuple(given.get(stage.id, ()))) for stage in stages)


def check_may_review(*, permit: Permit, user: User, now: datetime) -> Stage:
    """
    The stage for which a user reviews: the first that misses somebody and for which the user is eligible.

    :raises NotFound: if the user may not see the request
    :raises NothingToReview: if the permit was not used, or its review is complete
    :raises NoReviewer: if the user used the permit, or no stage that misses somebody asks for the user
    :raises SelfReview: if the user's human wrote any revision of the request
    :raises AlreadyReviewed: if the user's human has reviewed it

    Source: docs/invariants.md INV-3
    """
    change_request = permit.change_request
    permissions.visible_request(user=user, change_request_id=change_request.id)
    if permit.used_at is None or permit.reviewed_at is not None:
        raise NothingToReview("This permit was not used, or its review is complete.")
    if user.human_id == permit.human_id:
        raise NoReviewer("You used this permit, so others review it. This holds for every login of yours.")
    stages = stages_of(permit)
    if any(row.reviewer_human_id == user.human_id for one in stages for row in one.given):
        raise AlreadyReviewed("You have reviewed this permit already, under this or another login.")
    for one in stages:
        if one.missing and _is_asked(permit, one.stage, user, now):
            return one.stage
    asked = sorted({one.stage.whom for one in stages if one.missing})
    raise NoReviewer(f"The review asks {', '.join(asked)}, and not you.", asked=asked)


def _is_asked(permit: Permit, stage: Stage, user: User, now: datetime) -> bool:
    """Whether a stage asks a user: as for a decision, or in place of those who are overdue."""
    change_request = permit.change_request
    try:
        check_may_decide(user=user, change_request=change_request, revision=permit.revision, stage=stage, now=now)
    except (NotAReviewer, OverLimit):
        if not permit.is_overdue(now) or not permissions.may_stand_in(user=user, change_request=change_request):
            return False
        return in_place_of(stage).filter(id=user.id).exists()
    return True


def in_place_of(stage: Stage) -> QuerySet[User]:
    """
    Who reviews besides those whom a stage asks once the review is overdue: its backup; else its role, or the default.

    Named people may have left and limits may have ended, and a review that nobody could give would block everybody.
    """
    return holders_of(stage.backup_role or stage.role or DEFAULT_CHAIN.role)


def why_not_review(*, permit: Permit, user: User, now: datetime) -> str:
    """Why a user does not review a permit; empty if the user may."""
    try:
        check_may_review(permit=permit, user=user, now=now)
    except DomainError as refusal:
        return refusal.message
    return ""


@transaction.atomic
def review(
    *, permit_id: uuid.UUID, digest: str, reviewer: User, verdict: str, now: datetime, comment: str = ""
) -> Permit:
    """
    Say whether an emergency was justified; the last one that is asked completes the review.

    “Not justified” is told at once to the administrators and the author, who may act back.

    :raises StaleDigest: if another digest was on the screen than the one that was applied
    :raises CommentRequired: if it was not justified and there is no comment
    :raises InvalidInput: if the verdict is neither; else as check_may_review()

    Source: docs/invariants.md INV-3
    """
    visible_permit(permit_id=permit_id, user=reviewer)
    locked = Permit.objects.select_for_update(of=("self",)).select_related("change_request", "revision", "user")
    permit = locked.get(id=permit_id)
    stage = check_may_review(permit=permit, user=reviewer, now=now)
    request_rules.check_on_screen(revision=permit.revision, digest=digest)
    if verdict not in Permit.Outcome.values:
        raise InvalidInput("Say whether the emergency was justified or not justified.")
    if len(comment) > LONGEST_TEXT:
        raise InvalidInput(f"The comment has {len(comment):,} characters; {LONGEST_TEXT:,} is the most. Shorten it.")
    if verdict == Permit.Outcome.NOT_JUSTIFIED and not comment.strip():
        raise CommentRequired(
            "Say why it was not justified: those who act on it read that.",
            errors=[{"field": "comment", "message": "This field is required."}],
        )
    with refine_integrity_error(
        permit_review_once_per_human=(AlreadyReviewed, "You have reviewed this permit already, under another login.")
    ):
        said = PermitReview.objects.create(
            permit=permit,
            stage=stage,
            digest=digest,
            reviewer=reviewer,
            reviewer_human_id=reviewer.human_id,
            verdict=verdict,
            comment=comment.strip(),
            decided_at=now,
        )
    record_step(
        type=events.PERMIT_REVIEW_GIVEN,
        change_request=permit.change_request,
        actor=reviewer,
        now=now,
        revision=permit.revision,
        permit=str(permit.id),
        role=stage.whom,
        verdict=said.verdict_label.lower(),
        comment=said.comment,
    )
    if verdict == Permit.Outcome.NOT_JUSTIFIED:
        notices.tell_not_justified(permit=permit, review=said, now=now)
    if not any(one.missing for one in stages_of(permit)):
        _complete(permit, now)
    return permit


def _complete(permit: Permit, now: datetime) -> None:
    against = permit.reviews.filter(verdict=Permit.Outcome.NOT_JUSTIFIED).exists()
    permit.reviewed_at = now
    permit.outcome = Permit.Outcome.NOT_JUSTIFIED if against else Permit.Outcome.JUSTIFIED
    permit.save(update_fields=["reviewed_at", "outcome"])
    outcome = Permit.Outcome(permit.outcome).label.lower()
    record_step(
        type=events.PERMIT_REVIEWED,
        change_request=permit.change_request,
        actor=None,
        now=now,
        revision=permit.revision,
        permit=str(permit.id),
        outcome=outcome,
    )
    notices.tell_reviewed(permit=permit, outcome=outcome, now=now)
