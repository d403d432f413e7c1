"""
What is due: applied by the clock inside its window, or missed.

Note "One at a time": each request is claimed, applied or refused in a transaction of its own, under a lock that other
workers skip. The claim and its outcome are committed together, so a worker that dies leaves the request as it was.

Source: docs/scheduling.md
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.db import DatabaseError, transaction

from approvals import events
from approvals.requests import application, notices, rules, schedules
from approvals.requests.errors import GateClosed
from approvals.requests.models import ChangeRequest
from approvals.requests.recording import record_step
from approvals.requests.services import current
from approvals.requests.states import Action
from audit.ledger.models import Event
from foundation.errors import DomainError
from foundation.integrity import contended

logger = logging.getLogger(__name__)


@dataclass
class Report:
    """
    How many due requests ended how.

    `held` ones met what ends by itself, such as a freeze, and `postponed` ones broke: both are tried again at the next
    run.
    """

    applied: int = 0
    reopened: int = 0
    failed: int = 0
    missed: int = 0
    postponed: int = 0
    held: int = 0

    @property
    def attempts(self) -> int:
        """
        Return the number of requests that count towards a run's limit.

        What is held does not: during a long freeze it would keep the clock from everything that is due after it.
        """
        return self.applied + self.reopened + self.failed + self.missed + self.postponed


def apply_due(*, now: datetime, limit: int = 50) -> Report:
    """
    Apply up to `limit` requests whose window is open, one after the other; those whose window is over are missed.

    What one request meets stops no other: a refusal makes it failed or opens its review again, and its author is told;
    an unexpected error is logged and leaves the request as it was, for the next run.

    `now` is the instant of the call; what is taken later in it is taken at a later instant, by a monotonic clock, so
    that a long run applies nothing late.

    :raises RuntimeError: if a transaction is open: each request is committed by itself
    """
    report, started = Report(), monotonic()
    taken: set[uuid.UUID] = set()
    while report.attempts < limit:
        # Whole seconds: what is taken at once is taken at `now`.
        later = now + timedelta(seconds=int(monotonic() - started))
        if not _take_next(now=later, taken=taken, report=report):
            break
    return report


def _take_next(*, now: datetime, taken: set[uuid.UUID], report: Report) -> bool:
    """Take the next due request that this run has not taken; whether there was one."""
    claimed: ChangeRequest | None = None
    try:
        with transaction.atomic(durable=True):
            due = ChangeRequest.objects.due(now).exclude(id__in=taken)
            claimed = due.select_for_update(skip_locked=True).first()
            if claimed is None:
                return False
            taken.add(claimed.id)
            outcome = _settle(claimed, now)
    except Exception as error:
        # One request may break in any way, and the others are due all the same; without one there is nothing to do.
        if claimed is None:
            raise
        _log(claimed, error)
        outcome = "postponed"
    setattr(report, outcome, getattr(report, outcome) + 1)
    return True


def _log(change_request: ChangeRequest, error: Exception) -> None:
    if isinstance(error, DatabaseError) and contended(error) is not None:
        logger.warning("Change %s met other work at the same moment; it is tried again.", change_request.number)
    else:
        logger.exception("Change %s was due and broke; it is tried again at the next run.", change_request.number)


def _settle(change_request: ChangeRequest, now: datetime) -> str:
    """Apply a claimed request, or say why not; how it ended, as a field of the report."""
    schedule = schedules.of(current(change_request).document)
    if schedule is not None and schedule.is_over(now):
        held = _held(change_request)
        why = f"It was to be applied {schedule.local}, and nothing is applied late. Say a new window, or withdraw it."
        why += f" It was held: {held}" if held else ""
        _return(change_request, Action.MISS, events.REQUEST_MISSED, "missed its window and was not applied", why, now)
        return "missed"
    try:
        application.apply_scheduled(change_request_id=change_request.id, now=now)
    except application.REOPENING:
        return "reopened"
    except GateClosed as refusal:
        if schedule is not None and refusal.context.get("until"):
            _hold(change_request, refusal.message, now)
            return "held"
        return _failed(change_request, refusal, now)
    except DomainError as refusal:
        return _failed(change_request, refusal, now)
    return "applied"


def _failed(change_request: ChangeRequest, refusal: DomainError, now: datetime) -> str:
    told = "was due and could not be applied"
    _return(change_request, Action.FAIL, events.REQUEST_FAILED, told, refusal.message, now, code=refusal.code)
    return "failed"


def _hold(change_request: ChangeRequest, why: str, now: datetime) -> None:
    """Leave a request scheduled; what holds it is recorded and told once, not at each run."""
    if _held(change_request) == why:
        return
    revision = current(change_request)
    record_step(
        type=events.REQUEST_HELD, change_request=change_request, actor=None, now=now, revision=revision, why=why
    )
    notices.tell_author(change_request=change_request, what="is due and held", actor=None, now=now, comment=why)


def _held(change_request: ChangeRequest) -> str:
    """What held the current revision last; empty if nothing did. Only words: nothing is decided by it."""
    of_request = Event.objects.of_change_request(change_request.id).filter(type=events.REQUEST_HELD)
    digest = current(change_request).digest
    last = of_request.filter(data__digest=digest).order_by("-recorded_at", "-transaction_id", "-position").first()
    return str(last.data["why"]) if last else ""


def _return(
    change_request: ChangeRequest, action: Action, event_type: str, told: str, why: str, now: datetime, code: str = ""
) -> None:
    """Give a request back to its author, with the reason on record."""
    change_request.status = rules.next_status(change_request=change_request, action=action)
    change_request.save(update_fields=["status"])
    revision = current(change_request)
    record_step(
        type=event_type,
        change_request=change_request,
        actor=None,
        now=now,
        revision=revision,
        why=why,
        code=code,
    )
    notices.tell_author(change_request=change_request, what=told, actor=None, now=now, comment=why)
