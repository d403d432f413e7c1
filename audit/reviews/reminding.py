"""
Reminders of campaigns and their escalation, once for each step: one mail for each campaign and person.

What one campaign meets stops no other. A row for each person and step is unique and written with the mail, so two
workers never send twice.
"""

import logging
import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q

from audit import events
from audit.reviews import recording
from audit.reviews.models import AccessReview, ReviewReminder
from foundation.identity.models import User
from foundation.ladder import ESCALATION, ladder, reached
from foundation.mail import services as mail

logger = logging.getLogger(__name__)


def remind(*, now: datetime) -> int:
    """Remind the reviewers of every open campaign of what they have not decided; how many mails were written."""
    written = 0
    for review_id in AccessReview.objects.open().order_by("opened_at", "id").values_list("id", flat=True):
        try:
            with transaction.atomic():
                written += _remind(review_id, now)
        except Exception:
            logger.exception("The access review %s was to be reminded of and broke; it is tried again.", review_id)
    return written


def _remind(review_id: uuid.UUID, now: datetime) -> int:
    review = AccessReview.objects.open().select_for_update(skip_locked=True).filter(id=review_id).first()
    if review is None:
        return 0
    rungs = ladder(since=review.opened_at, due_at=review.due_at)
    escalation = next(rung for rung in rungs if rung.step == ESCALATION)
    if escalation.at <= now and review.escalated_at is None:
        _escalate(review, now)
    latest = reached([rung for rung in rungs if rung.step != ESCALATION], now=now)
    step = latest.step if latest else "opened"
    waiting: dict[User, int] = {}
    for entry in review.entries.undecided().select_related("reviewer").order_by("position"):
        if entry.reviewer.is_active:
            waiting[entry.reviewer] = waiting.get(entry.reviewer, 0) + 1
    told = set(ReviewReminder.objects.filter(review=review, step=step).values_list("human_id", flat=True))
    new = {user: count for user, count in waiting.items() if user.human_id not in told}
    ReviewReminder.objects.bulk_create(
        ReviewReminder(review=review, human_id=human, step=step, created_at=now)
        for human in sorted({user.human_id for user in new})
    )
    for user, count in new.items():
        mail.send(
            recipients=[user.pk],
            subject=f"Access review “{review.name}”: {count:,} rights wait for you",
            text=(
                f"Look at each right, keep it or take it back. It {'was' if review.due_at <= now else 'is'} due on "
                f"{review.due_at:%Y-%m-%d %H:%M} UTC.\n\n{settings.PUBLIC_URL}/audit/reviews/{review.id}/\n"
            ),
            now=now,
            key=f"access-review:{review.id}:{step}",
        )
    return len(new)


def _escalate(review: AccessReview, now: datetime) -> None:
    left = review.entries.undecided().count()
    if not left:
        return
    review.escalated_at = now
    review.save(update_fields=["escalated_at"])
    recording.record_review(events.REVIEW_OVERDUE, review, None, now, left=left)
    permission = Permission.objects.get(content_type__app_label="audit", codename="open_accessreview")
    able = User.objects.filter(
        Q(groups__permissions=permission) | Q(user_permissions=permission) | Q(pk=review.opened_by_id), is_active=True
    )
    mail.send(
        recipients=sorted(set(able.values_list("id", flat=True))),
        subject=f"Access review “{review.name}” is overdue: {left:,} rights are not decided",
        text=(
            "Its reviewers were reminded until now. Ask them, or give what is left to others.\n\n"
            f"{settings.PUBLIC_URL}/audit/reviews/{review.id}/\n"
        ),
        now=now,
        key=f"access-review-overdue:{review.id}",
    )
