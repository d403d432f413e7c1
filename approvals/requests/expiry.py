"""
Open requests that nobody goes on with expire: told a week before, then closed.

Note "Nobody went on": the time counts from the latest step of the request (proposed, edited, sent to review, decided,
approved, missed or failed), so nothing needs to keep a date up to date. A comment is no step.

Note "Told first": nothing expires whose author was not told a week before, even if the clock stood still meanwhile.

Source: docs/expiry.md
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Case, DurationField, F, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Greatest

from approvals import events, governed
from approvals.requests import notices, revisions, rules
from approvals.requests.models import ChangeRequest, Decision
from approvals.requests.recording import record_step
from approvals.requests.schedules import utc_text
from approvals.requests.states import Action, Status
from foundation.integrity import contended

logger = logging.getLogger(__name__)

NOTICE = timedelta(days=7)


@dataclass
class Report:
    """How many authors were told, how many requests expired, and how many broke and are tried again."""

    announced: int = 0
    expired: int = 0
    postponed: int = 0


def limits() -> dict[Status, timedelta]:
    """How long a request stays open without a step, by its status; what is scheduled ends with its window."""
    drafts, reviews, approvals = (
        timedelta(days=days)
        for days in (
            settings.EXPIRE_DRAFTS_AFTER_DAYS,
            settings.EXPIRE_REVIEWS_AFTER_DAYS,
            settings.EXPIRE_APPROVALS_AFTER_DAYS,
        )
    )
    return {
        Status.DRAFT: drafts,
        Status.MISSED: drafts,
        Status.FAILED: drafts,
        Status.IN_REVIEW: reviews,
        Status.CHANGES_REQUESTED: reviews,
        Status.APPROVED: approvals,
    }


def expire_due(*, now: datetime, limit: int = 200) -> Report:
    """
    Tell the authors of up to `limit` requests that theirs expire within a week, and close up to `limit` that have.

    Each in a transaction of its own, under a lock that other workers skip: what one meets stops no other.

    :raises RuntimeError: if a transaction is open: each request is committed by itself
    """
    report = Report()
    for due, settle, outcome in ((_to_announce, _announce, "announced"), (_to_expire, _expire, "expired")):
        taken: set[uuid.UUID] = set()
        while len(taken) < limit:
            claimed: ChangeRequest | None = None
            try:
                with transaction.atomic(durable=True):
                    free = due(now).exclude(id__in=taken).order_by("number")
                    claimed = free.select_for_update(skip_locked=True, of=("self",)).first()
                    if claimed is None:
                        break
                    taken.add(claimed.id)
                    # Asked again under the lock: somebody may have decided since the list was read.
                    if not due(now).filter(id=claimed.id).exists():
                        continue
                    settle(claimed, now)
            except Exception as error:
                # One request may break in any way, and the others are due all the same.
                if claimed is None:
                    raise
                _log(claimed, error)
                report.postponed += 1
                continue
            setattr(report, outcome, getattr(report, outcome) + 1)
    return report


def expires_at(change_request: ChangeRequest) -> datetime | None:
    """When an open request expires if nobody goes on with it; None if it does not expire."""
    found = _counted().filter(id=change_request.id).first()
    if found is None:
        return None
    since: datetime = found.since
    announced, own = found.expiry_announced_at, since + limits()[Status(found.status)]
    return max(own, announced + NOTICE) if announced is not None and announced >= since else own


def _counted() -> "QuerySet[Any]":
    """What can expire, with `since`, the latest step, and `limit`."""
    decided = Decision.objects.filter(revision=OuterRef("current_revision")).order_by().values("revision")
    return ChangeRequest.objects.filter(system=False, status__in=list(limits())).annotate(
        since=Greatest(
            "created_at",
            "submitted_at",
            "approved_at",
            "current_revision__created_at",
            Subquery(decided.annotate(last=Max("decided_at")).values("last")),
            Case(When(status__in=[Status.MISSED, Status.FAILED], then=F("due_at"))),
        ),
        limit=Case(
            *(When(status=status, then=Value(limit)) for status, limit in limits().items()),
            output_field=DurationField(),
        ),
    )


def _to_announce(now: datetime) -> "QuerySet[Any]":
    untold = Q(expiry_announced_at__isnull=True) | Q(expiry_announced_at__lt=F("since"))
    return _counted().filter(untold, since__lte=now - F("limit") + NOTICE)


def _to_expire(now: datetime) -> "QuerySet[Any]":
    told = Q(expiry_announced_at__gte=F("since"), expiry_announced_at__lte=now - NOTICE)
    return _counted().filter(told, since__lte=now - F("limit"))


def _announce(change_request: ChangeRequest, now: datetime) -> None:
    change_request.expiry_announced_at = now
    change_request.save(update_fields=["expiry_announced_at"])
    ends_at = expires_at(change_request) or now + NOTICE
    status = Status(change_request.status).label.lower()
    record_step(
        type=events.REQUEST_EXPIRY_ANNOUNCED,
        change_request=change_request,
        actor=None,
        now=now,
        expires_at=ends_at,
        status=status,
    )
    notices.tell_author(
        change_request=change_request,
        what="expires soon",
        actor=None,
        now=now,
        more=f"It is {status}, and nobody has gone on with it. If nobody does, it is closed at {utc_text(ends_at)}. "
        "Edit it, have it decided or applied, or withdraw it.",
    )


def _expire(change_request: ChangeRequest, now: datetime) -> None:
    days = limits()[Status(change_request.status)].days
    status = Status(change_request.status).label.lower()
    why = (
        f"It was {status} for {days} days without a step. Nothing of it was applied; propose it again if it is needed."
    )
    change_request.status = rules.next_status(change_request=change_request, action=Action.EXPIRE)
    change_request.closed_at = now
    change_request.save(update_fields=["status", "closed_at"])
    record_step(type=events.REQUEST_EXPIRED, change_request=change_request, actor=None, now=now, why=why)
    notices.tell_author(change_request=change_request, what="expired", actor=None, now=now, more=why)
    governed.discard(items=revisions.items_ever_of(change_request), now=now)


def _log(change_request: ChangeRequest, error: Exception) -> None:
    if isinstance(error, DatabaseError) and contended(error) is not None:
        logger.warning("Change %s met other work at the same moment; it is tried again.", change_request.number)
    else:
        logger.exception("The expiry of change %s broke; it is tried again at the next run.", change_request.number)
