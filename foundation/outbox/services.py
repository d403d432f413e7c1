"""
Effects outside the database: written with the decision, delivered at least once, by whoever claims them.

A message is pending, leased to one worker for a time, and then done or dead. Only the holder of the current lease may
say how an attempt ended, so a worker that was presumed dead cannot undo what its successor did.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F

from foundation.canonical import canonical_bytes, jsonable
from foundation.errors import NotFound
from foundation.outbox import senders
from foundation.outbox.backoff import GREATEST_ATTEMPTS, delay_after
from foundation.outbox.doorbell import ring_on_commit
from foundation.outbox.errors import KeyTaken, LeaseLost, NotDead, OutsideTransaction
from foundation.outbox.models import OutboxMessage, Status

LEASE_SECONDS = 120
GREATEST_ERROR_LENGTH = 2000
KEEP_DONE = timedelta(days=30)


def enqueue(*, kind: str, payload: Any, now: datetime, key: str | None = None) -> OutboxMessage:
    """
    Write one message, to be sent after the current transaction commits and never if it does not.

    `payload` is anything that `canonical.jsonable` accepts. A `key` names the effect: a second call with it writes
    nothing and returns the first message.

    :raises OutsideTransaction: if there is no transaction
    :raises UnknownMessageKind: if nothing can send the kind
    :raises KeyTaken: if the key already names a message of other kind or content
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(
            "An outbox message is written in the transaction that decides it. Open one around both."
        )
    senders.sender_of(kind)
    message = OutboxMessage(kind=kind, payload=jsonable(payload), key=key, created_at=now, next_attempt_at=now)
    if key is None:
        message.save(force_insert=True)
    else:
        message = _insert_once(message)
    ring_on_commit()
    return message


def claim(
    *, kinds: Collection[str], now: datetime, limit: int, lease_seconds: int = LEASE_SECONDS
) -> list[OutboxMessage]:
    """
    Lease due messages to the caller, oldest first, passing over those that others are claiming.

    Each call has a token of its own in `lease`. The claim commits at once, in a transaction of its own, and counts as
    an attempt: a message that kills its worker is not tried for ever.

    :raises RuntimeError: if a transaction is open
    """
    lease = uuid4()
    with transaction.atomic(durable=True):
        due = OutboxMessage.objects.filter(status=Status.PENDING, next_attempt_at__lte=now, kind__in=kinds)
        locked = due.order_by("next_attempt_at", "id").select_for_update(skip_locked=True)
        messages = list(locked[:limit])
        for message in messages:
            message.status = Status.LEASED
            message.lease = lease
            message.leased_until = now + timedelta(seconds=lease_seconds)
            message.attempts += 1
        OutboxMessage.objects.filter(id__in=[message.id for message in messages]).update(
            status=Status.LEASED,
            lease=lease,
            leased_until=now + timedelta(seconds=lease_seconds),
            attempts=F("attempts") + 1,
        )
    return messages


@transaction.atomic
def complete(*, id: UUID, lease: UUID, now: datetime) -> None:
    """
    Say that the effect has happened.

    :raises LeaseLost: if the lease is no longer the current one
    """
    message = _leased(id=id, lease=lease)
    _end_lease(message, status=Status.DONE)
    message.done_at = now
    message.last_error = ""
    message.save()


@transaction.atomic
def fail(
    *,
    id: UUID,
    lease: UUID,
    now: datetime,
    error: str,
    permanent: bool = False,
    retry_after: timedelta | None = None,
) -> Status:
    """
    Say that an attempt failed: the message is tried again later, or is dead if it cannot succeed or was tried often
    enough.

    Returns the status that the message has now. `retry_after` is the receiver's wish; the back-off is never shorter
    than it.

    :raises LeaseLost: if the lease is no longer the current one
    """
    message = _leased(id=id, lease=lease)
    dead = permanent or message.attempts >= GREATEST_ATTEMPTS
    _end_lease(message, status=Status.DEAD if dead else Status.PENDING)
    message.last_error = error[:GREATEST_ERROR_LENGTH].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if dead:
        message.dead_at = now
    else:
        delay = delay_after(attempts=message.attempts, message_id=message.id)
        message.next_attempt_at = now + max(delay, retry_after or delay)
    message.save()
    return Status(message.status)


@transaction.atomic
def sweep(*, now: datetime) -> int:
    """
    Take back expired leases, whose workers are presumed dead, and return how many; used-up messages die.
    """
    expired = OutboxMessage.objects.filter(status=Status.LEASED, leased_until__lt=now)
    messages = list(expired.order_by("leased_until", "id").select_for_update(skip_locked=True))
    for message in messages:
        dead = message.attempts >= GREATEST_ATTEMPTS
        _end_lease(message, status=Status.DEAD if dead else Status.PENDING)
        message.last_error = "The worker that had this message did not finish it in time."
        if dead:
            message.dead_at = now
        else:
            message.next_attempt_at = now
        message.save()
    if messages:
        ring_on_commit()
    return len(messages)


@transaction.atomic
def replay(*, id: UUID, now: datetime) -> OutboxMessage:
    """
    Send a dead message again, under the same id and with a full count of attempts.

    :raises NotFound: if there is no such message
    :raises NotDead: if it was not given up
    """
    message = OutboxMessage.objects.select_for_update().filter(id=id).first()
    if message is None:
        raise NotFound(f"There is no outbox message {id}.")
    if message.status != Status.DEAD:
        raise NotDead(f"The message {id} was not given up: it is {message.status}. Only dead messages are sent again.")
    message.status = Status.PENDING
    message.dead_at = None
    message.attempts = 0
    message.next_attempt_at = now
    message.save()
    ring_on_commit()
    return message


@transaction.atomic
def purge(*, now: datetime, keep: timedelta = KEEP_DONE) -> int:
    """Delete messages that were delivered longer ago than `keep`, and return how many; dead ones stay for a person."""
    deleted, _ = OutboxMessage.objects.filter(status=Status.DONE, done_at__lt=now - keep).delete()
    return deleted


def _insert_once(message: OutboxMessage) -> OutboxMessage:
    OutboxMessage.objects.bulk_create([message], ignore_conflicts=True)
    stored = OutboxMessage.objects.get(key=message.key)
    same = stored.kind == message.kind and canonical_bytes(stored.payload) == canonical_bytes(message.payload)
    if not same:
        raise KeyTaken(f"The key {message.key} already names a message with other content. Use another key.")
    return stored


def _leased(*, id: UUID, lease: UUID) -> OutboxMessage:
    message = OutboxMessage.objects.select_for_update().filter(id=id, status=Status.LEASED, lease=lease).first()
    if message is None:
        raise LeaseLost(f"The lease on message {id} is not the current one. Drop the attempt: another worker has it.")
    return message


def _end_lease(message: OutboxMessage, *, status: Status) -> None:
    message.status = status
    message.lease = None
    message.leased_until = None
