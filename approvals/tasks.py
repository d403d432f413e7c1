"""The Celery tasks of change control: each reads the clock and makes one call."""

from celery import shared_task

from approvals.requests import timetable
from foundation import clock

__all__ = ["apply_due_changes"]


@shared_task(name="approvals.tasks.apply_due_changes", ignore_result=True)  # type: ignore[untyped-decorator]
def apply_due_changes() -> None:
    """Apply the scheduled changes whose window is open; those whose window is over are missed."""
    timetable.apply_due(now=clock.now())
