"""What nobody said that they have read, long after they were to: told to administrators, once."""

import logging
import uuid
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from approvals import events
from approvals.announcements.models import Announcement, AnnouncementQuerySet, AnnouncementStep
from approvals.policies.eligibility import holders_of
from approvals.requests import permissions
from approvals.requests.models import ChangeRequest
from approvals.requests.recording import record_step
from approvals.requests.services import locked
from foundation.ladder import ESCALATION, escalates_at
from foundation.mail import services as mail

logger = logging.getLogger(__name__)
ADMINISTRATOR = "administrator"


def escalate(*, now: datetime) -> int:
    """
    Escalate what was not acknowledged after the last reminder, by change, each in a transaction; how many changes.

    What one change meets stops no other.
    """
    late = {one.change_request_id for one in _unanswered() if _is_late(one, now)}
    escalated = 0
    for key in sorted(late):
        try:
            with transaction.atomic():
                escalated += _escalate(key, now)
        except Exception:
            logger.exception("Announcements of change %s are overdue and broke; it is tried again.", key)
    return escalated


def _unanswered() -> AnnouncementQuerySet:
    escalated = AnnouncementStep.objects.filter(announcement=OuterRef("pk"), step=ESCALATION)
    found = Announcement.objects.unread().filter(
        ~Exists(escalated), acknowledge_by__isnull=False, reader__is_active=True
    )
    return found.select_related("reader").order_by("created_at", "id")


def _is_late(announcement: Announcement, now: datetime) -> bool:
    due_at = announcement.acknowledge_by
    return due_at is not None and escalates_at(since=announcement.created_at, due_at=due_at) <= now


def _escalate(key: UUID, now: datetime) -> bool:
    """Escalate the announcements of one change; whether there were any that others had not escalated meanwhile."""
    change_request = locked(key)
    late = [
        one
        for one in _unanswered().filter(change_request=change_request)
        if _is_late(one, now) and permissions.sees(user=one.reader, change_request=change_request)
    ]
    if not late:
        return False
    mail_id = uuid.uuid4()
    AnnouncementStep.objects.bulk_create(
        AnnouncementStep(announcement=one, human_id=one.human_id, step=ESCALATION, mail_id=mail_id, created_at=now)
        for one in late
    )
    record_step(
        type=events.REQUEST_ANNOUNCEMENT_OVERDUE,
        change_request=change_request,
        actor=None,
        now=now,
        count=len(late),
        announcement_ids=[str(one.id) for one in late],
    )
    _tell(change_request, late, mail_id, now)
    return True


def _tell(change_request: ChangeRequest, late: list[Announcement], mail_id: UUID, now: datetime) -> None:
    readers = [
        user
        for user in holders_of(ADMINISTRATOR).order_by("id")
        if permissions.sees(user=user, change_request=change_request)
    ]
    names = ", ".join(str(one.reader) for one in late)
    mail.send(
        recipients=[user.id for user in readers],
        subject=f"Change {change_request.number} was not read by everybody: {change_request.title}",
        text=(
            f"It was applied and announced, and {names} did not say in time that they have read it. They were reminded "
            f"until now and can still say so. Ask them.\n\n{settings.PUBLIC_URL}/changes/{change_request.number}/\n"
        ),
        now=now,
        key=f"announcements-overdue:{mail_id}",
    )
