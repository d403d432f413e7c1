"""The foundation's Celery tasks: each reads the clock and makes one call."""

from celery import shared_task

from foundation import clock
from foundation.api import idempotency
from foundation.mail import sender as mail_sender
from foundation.outbox import delivery, services
from foundation.outbox.doorbell import DELIVER_TASK, ring

__all__ = ["deliver_outbox", "mail_sender", "purge_expired", "sweep_outbox"]  # the import registers the mail sender

BATCH = 200


@shared_task(name=DELIVER_TASK, ignore_result=True)  # type: ignore[untyped-decorator]
def deliver_outbox() -> None:
    """Deliver what is due; a full batch rings again, so that one task never runs into its time limit."""
    report = delivery.deliver_due(now=clock.now(), limit=BATCH)
    if report.attempts >= BATCH:
        ring()


@shared_task(name="foundation.tasks.sweep_outbox", ignore_result=True)  # type: ignore[untyped-decorator]
def sweep_outbox() -> None:
    """Take back the messages of workers that died."""
    services.sweep(now=clock.now())


@shared_task(name="foundation.tasks.purge_expired", ignore_result=True)  # type: ignore[untyped-decorator]
def purge_expired() -> None:
    """Delete delivered messages and kept answers whose time is over."""
    now = clock.now()
    services.purge(now=now)
    idempotency.purge(now=now)
