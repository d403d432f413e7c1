"""Tells the workers that there is something to do. It carries nothing: the rows are the truth."""

import logging

from celery import current_app
from django.db import connection, transaction

logger = logging.getLogger(__name__)

DELIVER_TASK = "foundation.tasks.deliver_outbox"


def ring() -> None:
    """Ask a worker to look at the outbox now."""
    try:
        current_app.send_task(DELIVER_TASK, ignore_result=True, retry=False)
    except Exception:
        # The one place where an error is swallowed. The decision is committed and its message waits in the outbox; the
        # periodic task finds it. Failing the request now would tell its sender that nothing happened.
        logger.warning("The broker could not be reached; the periodic task will deliver.", exc_info=True)


def ring_on_commit() -> None:
    """Ring once when the current transaction commits, however many messages it writes."""
    if not any(callback is ring for _, callback, *_ in connection.run_on_commit):
        transaction.on_commit(ring)
