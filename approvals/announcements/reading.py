"""Reads of announcements for lists, pages and mail: with what changed in a sentence, and by what authority."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from approvals.announcements.models import Acknowledgment, Announcement, AnnouncementQuerySet
from approvals.requests.models import ChangeRequest
from foundation.identity.models import User


@dataclass(frozen=True)
class Reach:
    """To how many a change was announced, and how many of them have read it."""

    count: int
    read: int


def described(announcements: AnnouncementQuerySet) -> AnnouncementQuerySet:
    """With the change, its summary (taken out of the document in the database), and the basis of its application."""
    plan = KeyTransform("document", KeyTransform("plan", F("change_request__current_revision__document")))
    related = ("change_request__applied_by", "change_request__authorization", "acknowledgment")
    return announcements.select_related(*related).annotate(summary=KeyTextTransform("summary", plan))


def unread_count(user: User) -> int:
    """How many announcements a user has not read."""
    return Announcement.objects.visible_to(user).unread().count()


def of_change(*, change_request: ChangeRequest, user: User) -> Announcement | None:
    """The announcement of a change to a user, if there is one; the caller has asked whether they see the change."""
    found = Announcement.objects.filter(change_request=change_request, human_id=user.human_id)
    return found.select_related("acknowledgment").first()


def reach(change_request: ChangeRequest) -> Reach:
    """To how many a change was announced."""
    announced = Announcement.objects.filter(change_request=change_request)
    return Reach(announced.count(), Acknowledgment.objects.filter(announcement__in=announced).count())


def is_overdue(announcement: Announcement, *, now: datetime) -> bool:
    """Whether somebody should have said that they have read it, and has not."""
    due = announcement.acknowledge_by
    return due is not None and due <= now and not hasattr(announcement, "acknowledgment")
