"""Saying that one has read an announcement."""

import uuid
from datetime import datetime

from django.db import transaction

from approvals import events
from approvals.announcements.models import Acknowledgment, Announcement
from approvals.announcements.reading import described
from approvals.requests.recording import record_step
from foundation.errors import NotFound
from foundation.identity.models import User


def visible_announcement(*, user: User, announcement_id: uuid.UUID) -> Announcement:
    """
    An announcement for the user's human.

    :raises NotFound: if there is none, it is for somebody else, or the user may not see all that the change touches
    """
    found = described(Announcement.objects.visible_to(user)).filter(id=announcement_id).first()
    if found is None:
        raise NotFound("There is no such announcement for you.")
    return found


@transaction.atomic
def acknowledge(*, announcement_id: uuid.UUID, user: User, now: datetime) -> Announcement:
    """
    Keep that a human has read an announcement, under whatever login. Again, it changes nothing.

    `now` is timezone-aware and becomes the acknowledgment's and the event's time.

    :raises NotFound: if there is none, it is for somebody else, or the user may not see all that the change touches

    Source: docs/announcements.md
    """
    announcement = visible_announcement(user=user, announcement_id=announcement_id)
    read = Acknowledgment(announcement=announcement, acknowledged_by=user, acknowledged_at=now)
    # Two clicks at the same moment are one: the second waits at the unique index, then finds the first.
    Acknowledgment.objects.bulk_create([read], ignore_conflicts=True)
    if Acknowledgment.objects.filter(id=read.id).exists():
        record_step(
            type=events.REQUEST_ANNOUNCEMENT_READ,
            change_request=announcement.change_request,
            actor=user,
            now=now,
            announcement_id=str(announcement.id),
        )
    return visible_announcement(user=user, announcement_id=announcement_id)
