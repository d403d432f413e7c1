"""The registry of senders: which callable makes the effect of which kind of message happen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from foundation.outbox.errors import UnknownMessageKind


@dataclass(frozen=True)
class Delivery:
    """One attempt. `id` is the same on every attempt: pass it on as the receiver's idempotency key."""

    id: UUID
    kind: str
    payload: Any
    attempt: int
    created_at: datetime
    now: datetime


# Returns once the effect has happened; raises SendFailed, or anything, if it may not have.
Sender = Callable[[Delivery], None]

_senders: dict[str, Sender] = {}


def register(kind: str) -> Callable[[Sender], Sender]:
    """
    Register the decorated callable as the sender of a kind.

    :raises ValueError: if the kind already has another sender
    """

    def keep(sender: Sender) -> Sender:
        if _senders.setdefault(kind, sender) is not sender:
            raise ValueError(f"Messages of kind {kind} already have a sender.")
        return sender

    return keep


def sender_of(kind: str) -> Sender:
    """
    Return the sender of a kind.

    :raises UnknownMessageKind: if there is none
    """
    try:
        return _senders[kind]
    except KeyError:
        raise UnknownMessageKind(
            f"No sender is registered for messages of kind {kind!r}. Import the module that registers it."
        ) from None


def registered() -> Mapping[str, Sender]:
    """Return every sender by kind."""
    return dict(_senders)
