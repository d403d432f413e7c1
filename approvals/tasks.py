"""The Celery tasks of change control: each reads the clock and makes one call."""

from celery import shared_task

from approvals.announcements import distributing, telling
from approvals.announcements import escalation as unread
from approvals.permits import escalation as permit_reviews
from approvals.reminders import digests, stages
from approvals.requests import expiry, timetable
from approvals.tickets import reading as ticket_reading
from approvals.verification import escalation
from foundation import clock

__all__ = [
    "announce",
    "apply_due_changes",
    "escalate_permit_reviews",
    "escalate_unverified",
    "expire_changes",
    "read_due_tickets",
    "remind",
]


@shared_task(name="approvals.tasks.apply_due_changes", ignore_result=True)  # type: ignore[untyped-decorator]
def apply_due_changes() -> None:
    """Apply the scheduled changes whose window is open; those whose window is over are missed."""
    timetable.apply_due(now=clock.now())


@shared_task(name="approvals.tasks.expire_changes", ignore_result=True)  # type: ignore[untyped-decorator]
def expire_changes() -> None:
    """Close the open changes that nobody went on with; tell their authors a week before."""
    expiry.expire_due(now=clock.now())


@shared_task(name="approvals.tasks.read_due_tickets", ignore_result=True)  # type: ignore[untyped-decorator]
def read_due_tickets() -> None:
    """Read the tickets that are due from their systems."""
    ticket_reading.read_due(now=clock.now())


@shared_task(name="approvals.tasks.escalate_unverified", ignore_result=True)  # type: ignore[untyped-decorator]
def escalate_unverified() -> None:
    """Tell of applied changes that nobody has verified in time."""
    escalation.escalate(now=clock.now())


@shared_task(name="approvals.tasks.escalate_permit_reviews", ignore_result=True)  # type: ignore[untyped-decorator]
def escalate_permit_reviews() -> None:
    """Tell what is overdue of the reviews of emergency permits, once for each step."""
    permit_reviews.escalate_overdue(now=clock.now())


@shared_task(name="approvals.tasks.remind", ignore_result=True)  # type: ignore[untyped-decorator]
def remind() -> None:
    """Escalate the stages that are overdue, then remind whoever something waits for."""
    now = clock.now()
    stages.escalate_overdue(now=now)
    digests.remind(now=now)


@shared_task(name="approvals.tasks.announce", ignore_result=True)  # type: ignore[untyped-decorator]
def announce() -> None:
    """Announce what was applied, escalate what nobody says to have read, then write the mails."""
    now = clock.now()
    distributing.announce(now=now)
    unread.escalate(now=now)
    telling.tell(now=now)
