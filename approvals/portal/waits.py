"""What waits for the reader, on pages: when it is due, and how reminders of it can be held back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.reminders.services import GREATEST_SNOOZE
from approvals.reminders.waiting import Waiting, waits_of
from approvals.requests.models import ChangeRequest
from foundation.identity.models import User

_SPANS = (("1", "for a day", 1), ("3", "for 3 days", 3), ("7", "for a week", 7), ("14", "for two weeks", 14))


@dataclass(frozen=True)
class ShownWaiting:
    """When something is due, what the reader said of it, and for how long they can put it off."""

    due_at: datetime | None
    overdue: bool
    snoozed_until: datetime | None
    seen_at: datetime | None
    choices: Sequence[tuple[str, str]]


def shown(waiting: Waiting, *, now: datetime) -> ShownWaiting:
    """One thing that waits, as pages show it."""
    attention = waiting.attention
    latest = waiting.due_at
    choices = [
        (value, label) for value, label, days in _SPANS if latest is None or now + timedelta(days=days) <= latest
    ]
    if latest is not None and now < latest <= now + GREATEST_SNOOZE:
        choices.append(("due", "until it is due"))
    return ShownWaiting(
        due_at=latest,
        overdue=waiting.overdue(now),
        snoozed_until=attention.snoozed_until if attention and waiting.snoozed(now) else None,
        seen_at=attention.acknowledged_at if attention else None,
        choices=choices,
    )


def of_request(*, change_request: ChangeRequest, user: User, now: datetime) -> ShownWaiting | None:
    """What of a request waits for the reader, or None."""
    waiting = waits_of(user, change_request, now)
    return shown(waiting, now=now) if waiting else None


def until(*, chosen: str, change_request: ChangeRequest, user: User, now: datetime) -> datetime | None:
    """The instant that a choice of the form means, or None if it means none."""
    if chosen == "due":
        waiting = waits_of(user, change_request, now)
        return waiting.due_at if waiting else None
    days = {value: days for value, _, days in _SPANS}.get(chosen)
    return now + timedelta(days=days) if days else None
