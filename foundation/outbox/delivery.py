"""The workers' loop: claim one message, make its effect happen outside any transaction, say how it ended."""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from foundation.outbox import senders, services
from foundation.outbox.errors import LeaseLost, SendFailed
from foundation.outbox.models import OutboxMessage, Status

logger = logging.getLogger(__name__)


@dataclass
class Report:
    """
    How many attempts ended how; `retried` messages wait for their next attempt, `lost` ones belong to another worker.
    """

    done: int = 0
    retried: int = 0
    dead: int = 0
    lost: int = 0

    @property
    def attempts(self) -> int:
        """Return the number of attempts made."""
        return self.done + self.retried + self.dead + self.lost


def deliver_due(*, now: datetime, limit: int = 100, kinds: Collection[str] | None = None) -> Report:
    """
    Deliver up to `limit` due messages of these kinds (every registered one unless given), one after the other.

    Messages are claimed singly: one that waits its turn behind a slow receiver holds no lease that could run out.
    `now` is the instant of the call; the times written later in it move on with a monotonic clock.

    :raises RuntimeError: if a transaction is open: nothing external happens inside one
    """
    report = Report()
    started = time.monotonic()
    wanted = list(senders.registered()) if kinds is None else list(kinds)
    for kind in wanted:
        senders.sender_of(kind)
    while report.attempts < limit:
        claimed = services.claim(kinds=wanted, now=_later(now, started), limit=1)
        if not claimed:
            break
        _attempt(claimed[0], now=now, started=started, report=report)
    return report


def _attempt(message: OutboxMessage, *, now: datetime, started: float, report: Report) -> None:
    try:
        failure = _send(message, now=_later(now, started))
        ended_at = _later(now, started)
        if failure is None:
            services.complete(id=message.id, lease=_token(message), now=ended_at)
            report.done += 1
            return
        status = services.fail(
            id=message.id,
            lease=_token(message),
            now=ended_at,
            error=str(failure),
            permanent=failure.permanent,
            retry_after=failure.retry_after,
        )
    except LeaseLost:
        logger.warning("The lease on message %s ran out before its attempt ended.", message.id)
        report.lost += 1
        return
    if status == Status.DEAD:
        logger.error("Message %s of kind %s was given up: %s", message.id, message.kind, failure)
        report.dead += 1
    else:
        report.retried += 1


def _send(message: OutboxMessage, *, now: datetime) -> SendFailed | None:
    delivery = senders.Delivery(
        id=message.id,
        kind=message.kind,
        payload=message.payload,
        attempt=message.attempts,
        created_at=message.created_at,
        now=now,
    )
    try:
        senders.sender_of(message.kind)(delivery)
    except SendFailed as failure:
        return failure
    except Exception as error:
        # A sender may break in any way; its message is tried again and, in the end, given up before a person's eyes.
        logger.exception("The sender of %s broke on message %s.", message.kind, message.id)
        return SendFailed(f"{type(error).__name__}: {error}")
    return None


def _token(message: OutboxMessage) -> UUID:
    if message.lease is None:
        raise LeaseLost(f"Message {message.id} was never leased.")
    return message.lease


def _later(now: datetime, started: float) -> datetime:
    return now + timedelta(seconds=time.monotonic() - started)
