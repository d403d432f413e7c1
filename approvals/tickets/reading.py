"""
Reads back the tickets that are due: each claimed for itself, asked outside any transaction, and stored.

Note "A system that is away": once it gives no answer, its other tickets wait for the next run, so that it does not keep
those of other systems waiting.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.db import transaction

from approvals.requests.states import OPEN
from approvals.tickets import services
from approvals.tickets.models import Ticket

logger = logging.getLogger(__name__)

GREATEST_RUN_SECONDS = 120


@dataclass
class Report:
    """How many tickets were read, and how many could not be."""

    read: int = 0
    failed: int = 0


def read_due(*, now: datetime, limit: int = 200) -> Report:
    """
    Read up to `limit` due tickets, the longest due first; none is read twice by two workers.

    :raises RuntimeError: if a transaction is open: each ticket is stored by itself
    """
    report, started = Report(), monotonic()
    taken: set[UUID] = set()
    away: set[UUID] = set()
    while len(taken) < limit and monotonic() - started < GREATEST_RUN_SECONDS:
        later = now + timedelta(seconds=int(monotonic() - started))
        ticket = _claim(later, taken, away)
        if ticket is None:
            break
        taken.add(ticket.id)
        try:
            failure = services.read_back(ticket=ticket, now=later, seconds=10.0)
        except Exception:
            # A connector may break in any way, and the others are due all the same.
            logger.exception("The reading of ticket %s broke.", ticket.id)
            report.failed += 1
            continue
        if failure is None:
            report.read += 1
            continue
        report.failed += 1
        if not failure.permanent:
            away.add(ticket.system_id)
    return report


def _claim(now: datetime, taken: set[UUID], away: set[UUID]) -> Ticket | None:
    """The next due ticket, put off so that nobody else reads it meanwhile and a worker that dies does not lose it."""
    with transaction.atomic(durable=True):
        due = Ticket.objects.filter(next_read_at__lte=now, released_at__isnull=True).exclude(external_id="")
        due = due.exclude(id__in=taken).exclude(system_id__in=away).order_by("next_read_at", "id")
        ticket = (
            due.select_for_update(skip_locked=True, of=("self",)).select_related("system", "change_request").first()
        )
        if ticket is not None:
            # One of a closed change is looked at once, whatever comes of it.
            is_open = ticket.change_request.status in OPEN
            ticket.next_read_at = now + services.read_interval() if is_open else None
            ticket.save(update_fields=["next_read_at"])
    return ticket
