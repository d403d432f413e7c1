"""Events of subscriptions: the same shape everywhere, in the caller's transaction."""

from datetime import datetime
from typing import Any

from approvals import roles
from approvals.announcements.models import Subscription
from audit.services import NewEvent, Subject, record
from foundation.identity.models import User


def whose(subscription: Subscription) -> str:
    """Whom a subscription is for, without a person's name: a role, or one person."""
    return roles.words(subscription.role) if subscription.role else "one person"


def record_subscription(
    *, type: str, subscription: Subscription, actor: User | None, now: datetime, **data: Any
) -> None:
    """Record what became of a subscription, with what it asks for; `actor` is None when the system acts."""
    record(
        event=NewEvent(
            type=type,
            actor=actor,
            subject=Subject(type="approvals.subscription", id=subscription.id, label="a subscription"),
            data={
                "name": subscription.name,
                "whom": whose(subscription),
                "conditions": subscription.conditions,
                "acknowledge_hours": subscription.acknowledge_hours,
                **data,
            },
        ),
        now=now,
    )
