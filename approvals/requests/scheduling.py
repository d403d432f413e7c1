"""Leaving an approved request to the clock."""

from datetime import datetime

from approvals import events
from approvals.requests import rules, schedules
from approvals.requests.models import ChangeRequest, Revision
from approvals.requests.recording import record_step
from approvals.requests.states import Action


def leave_to_clock(*, change_request: ChangeRequest, revision: Revision, now: datetime) -> str:
    """Leave an approved request to the clock if its revision has a schedule; the sentence that says so."""
    schedule = schedules.of(revision.document)
    if schedule is None:
        return ""
    change_request.status = rules.next_status(change_request=change_request, action=Action.SCHEDULE)
    change_request.due_at = schedule.opens_at
    change_request.save(update_fields=["status", "due_at"])
    record_step(
        type=events.REQUEST_SCHEDULED,
        change_request=change_request,
        actor=None,
        now=now,
        revision=revision,
        window=schedule.local,
        opens_at=schedule.opens_at,
        closes_at=schedule.closes_at,
    )
    return f"It is applied {schedule.local}."
