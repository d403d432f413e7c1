"""The Celery tasks of audit: each reads the clock and makes one call."""

from celery import shared_task

from audit.copies import services as copies
from foundation import clock


@shared_task(name="audit.tasks.copy_checkpoints", ignore_result=True)  # type: ignore[untyped-decorator]
def copy_checkpoints() -> None:
    """Copy the log's head to every target that is due; directories are the sealer's."""
    copies.copy_due(now=clock.now(), files=False)
