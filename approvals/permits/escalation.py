"""
Reviews that are overdue: told once for each step of a ladder, each permit in a transaction of its own.

Nothing is remembered but the last step told: after downtime the highest step that is due is told, and no step twice.
"""

import logging
import uuid
from datetime import datetime

from django.db import transaction

from approvals import events
from approvals.permits import notices
from approvals.permits.models import Permit
from approvals.permits.review import in_place_of, stages_of, why_not_review
from approvals.requests.recording import record_step
from approvals.requests.schedules import utc_text

logger = logging.getLogger(__name__)

# Multiples of the time that the review had. At the last one nobody takes a permit any more.
LADDER = (1.0, 1.5, 2.0)


def step_at(*, permit: Permit, now: datetime) -> int:
    """The step of the ladder that a permit has reached; 0: its review is not overdue."""
    if permit.used_at is None or permit.review_due_at is None or permit.reviewed_at is not None:
        return 0
    had = permit.review_due_at - permit.used_at
    return sum(now >= permit.used_at + had * multiple for multiple in LADDER)


def escalate_overdue(*, now: datetime, limit: int = 100) -> int:
    """
    Tell the next step of every overdue review, up to `limit`; how many were told.

    Call it outside a transaction: each permit is committed by itself.
    """
    told = 0
    for permit_id in Permit.objects.overdue(now).order_by("review_due_at", "id").values_list("id", flat=True):
        if told >= limit:
            break
        try:
            told += _escalate(permit_id, now)
        except Exception:
            # One permit may break in any way, and the others are overdue all the same.
            logger.exception("The overdue review of permit %s could not be told; it is tried again.", permit_id)
    return told


def _escalate(permit_id: uuid.UUID, now: datetime) -> bool:
    with transaction.atomic():
        permit = (
            Permit.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("change_request", "revision", "user")
            .filter(id=permit_id)
            .first()
        )
        step = step_at(permit=permit, now=now) if permit is not None else 0
        if permit is None or step <= permit.escalation:
            return False
        permit.escalation = step
        permit.save(update_fields=["escalation"])
        missing = [one.stage for one in stages_of(permit) if one.missing]
        record_step(
            type=events.PERMIT_REVIEW_OVERDUE,
            change_request=permit.change_request,
            actor=None,
            now=now,
            revision=permit.revision,
            permit=str(permit.id),
            step=step,
            due=utc_text(permit.review_due_at or now),
            roles=", ".join(sorted({stage.whom for stage in missing})),
        )
        others = [
            user
            for stage in missing
            for user in in_place_of(stage)
            if not why_not_review(permit=permit, user=user, now=now)
        ]
        notices.tell_overdue(permit=permit, stages=missing, others=others, step=step, now=now)
        return True
