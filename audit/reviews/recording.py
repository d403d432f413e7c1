"""The events of access reviews: by id, without a name and without what somebody wrote of somebody."""

from datetime import datetime
from typing import Any

from audit.reviews.models import AccessReview
from audit.services import NewEvent, Subject, record
from audit.subjects import SubjectType
from foundation.identity.models import User

SUBJECTS = (SubjectType("audit.accessreview", "access review", None),)


def record_review(event_type: str, review: AccessReview, actor: User | None, now: datetime, **data: Any) -> None:
    """One event about a campaign."""
    record(
        event=NewEvent(
            type=event_type,
            actor=actor,
            subject=Subject(type="audit.accessreview", id=review.id, label=review.name),
            data=data,
        ),
        now=now,
    )
