"""
One mail for each person, with all that was announced to them and all that they still have to acknowledge.

Note "One person at a time": each is claimed by a lock on their login that other workers skip, and their mail, its rows
and the lock end together. The rows are unique for announcement and step besides.

Source: docs/announcements.md
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from approvals.announcements.models import Announcement, AnnouncementStep
from approvals.announcements.reading import described
from approvals.reminders.models import ReminderPreference
from approvals.reminders.services import frequency_of, zone_of
from foundation.identity.models import User
from foundation.ladder import DAY, ESCALATION, ladder, latest_digest_time, reached
from foundation.mail import services as mail
from foundation.web.instants import in_reader_zone, instant_text

logger = logging.getLogger(__name__)
FIRST = "announced"
MOST_LISTED = 50


def tell(*, now: datetime) -> int:
    """
    Write to everybody to whom something new was announced, or who is late to read; how many mails were written.

    What one person meets stops no other. A week in which nothing ran ends with one mail for each.
    """
    told = 0
    for user_id in _concerned():
        try:
            with transaction.atomic():
                told += _tell_one(user_id, now)
        except Exception:
            logger.exception("A mail of announcements broke; it is tried again at the next run.")
    return told


def _concerned() -> Sequence[uuid.UUID]:
    """Logins to whom something could have to be told; what does is asked for each of them."""
    steps = AnnouncementStep.objects.filter(announcement=OuterRef("pk"))
    open_ones = Announcement.objects.unread().filter(
        ~Exists(steps) | (Q(acknowledge_by__isnull=False) & ~Exists(steps.filter(step=ESCALATION))),
        reader__is_active=True,
    )
    return sorted(set(open_ones.values_list("reader_id", flat=True)))


def _tell_one(user_id: uuid.UUID, now: datetime) -> bool:
    """Write one person's mail, if it is time and there is a new step, or one that hurries; whether it was written."""
    user = User.objects.select_for_update(skip_locked=True, no_key=True).filter(id=user_id, is_active=True).first()
    if user is None:
        return False
    unread = described(Announcement.objects.visible_to(user).unread().filter(reader=user))
    listed = list(unread.order_by("acknowledge_by", "-created_at", "id"))
    new = _new_steps(listed, now)
    if not new or not (_is_time(user, now) or any(_hurries(one, step) for one, step in new)):
        return False
    mail_id = uuid.uuid4()
    AnnouncementStep.objects.bulk_create(
        AnnouncementStep(announcement=one, human_id=user.human_id, step=step, mail_id=mail_id, created_at=now)
        for one, step in new
    )
    shown = [one for one in listed if one.acknowledge_by is not None or one in {first for first, _ in new}]
    mail.send(
        recipients=[user.id],
        subject=_subject(shown, now),
        text=_text(shown, now, zone_of(user)),
        now=now,
        key=f"announcements:{mail_id}",
    )
    return True


def _new_steps(unread: Sequence[Announcement], now: datetime) -> list[tuple[Announcement, str]]:
    """The latest step of each announcement, of those to whom it was not told yet."""
    told = set(AnnouncementStep.objects.filter(announcement__in=unread).values_list("announcement_id", "step"))
    return [(one, step) for one in unread if (one.id, step := _step(one, now)) not in told]


def _step(announcement: Announcement, now: datetime) -> str:
    if announcement.acknowledge_by is None:
        return FIRST
    rungs = ladder(since=announcement.created_at, due_at=announcement.acknowledge_by)
    latest = reached([rung for rung in rungs if rung.step != ESCALATION], now=now)
    return latest.step if latest else FIRST


def _is_time(user: User, now: datetime) -> bool:
    if frequency_of(user) == ReminderPreference.Frequency.IMMEDIATE:
        return True
    morning = latest_digest_time(now=now, zone=zone_of(user))
    return not AnnouncementStep.objects.filter(human_id=user.human_id, created_at__gte=morning).exists()


def _hurries(announcement: Announcement, step: str) -> bool:
    """Whether the next morning could be too late: a day or less was given, and it is not overdue for long."""
    due_at = announcement.acknowledge_by
    return due_at is not None and due_at - announcement.created_at <= DAY and step in (FIRST, "half", "due")


def _subject(shown: Sequence[Announcement], now: datetime) -> str:
    late = sum(one.acknowledge_by is not None and one.acknowledge_by <= now for one in shown)
    told = f"{len(shown)} applied {'change' if len(shown) == 1 else 'changes'} announced to you"
    return f"{told}, {late} overdue to be read" if late else told


def _text(shown: Sequence[Announcement], now: datetime, zone: ZoneInfo) -> str:
    with timezone.override(zone):
        parts = [_line(one, now) for one in shown[:MOST_LISTED]]
    if len(shown) > MOST_LISTED:
        parts.append(f"And {len(shown) - MOST_LISTED} more.")
    parts.append(
        f"{settings.PUBLIC_URL}/announcements/ lists them; there you can say that you have read them.\n"
        f"{settings.PUBLIC_URL}/announcements/subscriptions/ says what is announced to you and why."
    )
    return "\n\n".join(parts) + "\n"


def _line(one: Announcement, now: datetime) -> str:
    request = one.change_request
    lines = [f"#{request.number} {request.title}"]
    if one.summary:  # type: ignore[attr-defined]  # annotated by described()
        lines.append(in_reader_zone(one.summary))  # type: ignore[attr-defined]
    applied = instant_text(request.applied_at) if request.applied_at else ""
    lines.append(f"Applied {applied}. You are told because of: {'; '.join(one.reasons)}.")
    if one.acknowledge_by is not None:
        when = instant_text(one.acknowledge_by)
        lines.append(
            f"You were to say by {when} that you have read it."
            if one.acknowledge_by <= now
            else f"Say by {when} that you have read it."
        )
    lines.append(f"{settings.PUBLIC_URL}/changes/{request.number}/")
    return "\n".join(lines)
