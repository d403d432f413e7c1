"""Tells the workers that a pack is asked for. It carries nothing: the rows are the truth."""

import logging

from celery import current_app
from django.db import connection, transaction

logger = logging.getLogger(__name__)
BUILD_TASK = "audit.tasks.build_evidence_packs"


def ring() -> None:
    """Ask a worker to look for packs now."""
    try:
        current_app.send_task(BUILD_TASK, ignore_result=True, retry=False)
    except Exception:
        # As with the outbox: what is asked for is committed, and the periodic task finds it.
        logger.warning("The broker could not be reached; the periodic task will make the pack.", exc_info=True)


def ring_on_commit() -> None:
    """Ring once when the current transaction commits."""
    if not any(callback is ring for _, callback, *_ in connection.run_on_commit):
        transaction.on_commit(ring)
