"""Stages that stay open beyond their last reminder: their backup may decide as well, and is told."""

import logging
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F

from approvals import events
from approvals.policies.eligibility import holders_of
from approvals.requests import permissions
from approvals.requests.models import ChangeRequest, Stage
from approvals.requests.recording import record_step
from approvals.requests.services import current, locked
from approvals.requests.stages import open_stage
from approvals.requests.states import Status
from foundation.ladder import escalates_at
from foundation.mail import services as mail

logger = logging.getLogger(__name__)
ADMINISTRATOR = "administrator"


def escalate_overdue(*, now: datetime) -> int:
    """
    Escalate every open stage whose last reminder has passed, each in a transaction of its own; how many there were.

    What one request meets stops no other.
    """
    open_ones = Stage.objects.filter(
        revision__change_request__status=Status.IN_REVIEW,
        revision__change_request__current_revision=F("revision"),
        completed_at__isnull=True,
        escalated_at__isnull=True,
        opened_at__isnull=False,
        due_hours__isnull=False,
    )
    escalated = 0
    for stage in open_ones.select_related("revision").defer("revision__content", "revision__document"):
        if _is_late(stage, now):
            try:
                with transaction.atomic(durable=True):
                    escalated += escalate(late=stage, now=now)
            except Exception:
                logger.exception("A stage was to be escalated and broke; it is tried again at the next run.")
    return escalated


def _is_late(stage: Stage, now: datetime) -> bool:
    due_at = stage.due_at
    if stage.opened_at is None or due_at is None:
        return False
    return escalates_at(since=stage.opened_at, due_at=due_at) <= now


@transaction.atomic
def escalate(*, late: Stage, now: datetime) -> bool:
    """
    Escalate one stage that is overdue, unless it was passed, edited or escalated meanwhile; whether it was.

    Its backup may decide as well from now on, and is told; without one, the administrators are told.
    """
    change_request = locked(late.revision.change_request_id)
    revision = current(change_request)
    stage = open_stage(revision)
    if change_request.status != Status.IN_REVIEW or stage is None or stage.id != late.id or stage.escalated_at:
        return False
    stage.escalated_at = now
    stage.save(update_fields=["escalated_at"])
    record_step(
        type=events.REQUEST_ESCALATED,
        change_request=change_request,
        actor=None,
        now=now,
        revision=revision,
        role=stage.whom,
        backup=stage.backup_role or ADMINISTRATOR,
    )
    _tell(change_request, stage, now)
    return True


def _tell(change_request: ChangeRequest, stage: Stage, now: datetime) -> None:
    link = f"{settings.PUBLIC_URL}/changes/{change_request.number}/"
    if stage.backup_role:
        told = [
            user
            for user in holders_of(stage.backup_role).order_by("id")
            if permissions.may_review(user=user, change_request=change_request, stage=stage)
        ]
        said = f"{stage.whom.capitalize()} did not decide in time, so {stage.backup_role} may decide as well."
    else:
        told = [
            user
            for user in holders_of(ADMINISTRATOR).order_by("id")
            if permissions.sees(user=user, change_request=change_request)
        ]
        said = (
            f"{stage.whom.capitalize()} did not decide in time, and the policy names no backup. Ask somebody of them."
        )
    mail.send(
        recipients=[user.id for user in told],
        subject=f"Change {change_request.number} is overdue: {change_request.title}",
        text=f"{said}\n\n{link}\n",
        now=now,
        key=f"escalated:{stage.id}",
    )
