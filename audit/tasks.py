"""The Celery tasks of audit: each reads the clock and makes one call."""

from celery import shared_task

from audit.copies import services as copies
from audit.packs import working
from audit.packs.working import BUILD_TASK
from audit.reviews import reminding
from foundation import clock


@shared_task(name="audit.tasks.copy_checkpoints", ignore_result=True)  # type: ignore[untyped-decorator]
def copy_checkpoints() -> None:
    """Copy the log's head to every target that is due; directories are the sealer's."""
    copies.copy_due(now=clock.now(), files=False)


@shared_task(name=BUILD_TASK, ignore_result=True)  # type: ignore[untyped-decorator]
def build_evidence_packs() -> None:
    """Go on with the evidence packs that are asked for."""
    working.build_due(now=clock.now())


@shared_task(name="audit.tasks.expire_evidence_packs", ignore_result=True)  # type: ignore[untyped-decorator]
def expire_evidence_packs() -> None:
    """Remove the bytes of packs whose time is over and that no hold keeps."""
    working.expire_due(now=clock.now())


@shared_task(name="audit.tasks.remind_of_access_reviews", ignore_result=True)  # type: ignore[untyped-decorator]
def remind_of_access_reviews() -> None:
    """Remind the reviewers of access reviews, and escalate what is overdue."""
    reminding.remind(now=clock.now())
