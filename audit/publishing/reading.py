"""What the log says of itself to whoever may read it: its name, its keys, its heads, where they were copied, proofs."""

import uuid
from base64 import b64encode
from typing import Any

from django.db.models import Max

from audit.copies.models import CheckpointCopy
from audit.explorer import reading
from audit.ledger.models import Event
from audit.sealing import keys, proofs
from audit.sealing.errors import NotSealed
from audit.sealing.models import Checkpoint
from foundation.errors import InvalidInput
from foundation.identity.models import User


def state() -> dict[str, Any]:
    """The log as it is now; `waiting` events are recorded and not sealed yet."""
    last = Checkpoint.objects.order_by("-size").first()
    latest = CheckpointCopy.objects.values("target").annotate(last=Max("id")).values_list("last", flat=True)
    after = (last.transaction_id, last.position) if last else (0, 0)
    waiting = Event.objects.sealed_after(*after).count()
    return {
        "origin": keys.origin(),
        "keys": [str(key) for key in keys.verifiers()],
        "checkpoint": head(last) if last else None,
        "waiting": waiting,
        "copies": list(
            CheckpointCopy.objects.filter(id__in=latest).order_by("target").values("target", "size", "copied_at")
        ),
    }


def head(checkpoint: Checkpoint) -> dict[str, Any]:
    """A signed head."""
    return {
        "size": checkpoint.size,
        "root": b64encode(bytes(checkpoint.root)).decode(),
        "signed_at": checkpoint.signed_at,
        "note": checkpoint.note,
    }


def consistency(*, first: int, second: int) -> dict[str, Any]:
    """
    The proof that the log of `first` events is a beginning of that of `second`.

    :raises NotSealed: unless 0 < first ≤ second ≤ what is sealed
    """
    hashes = proofs.consistency(first=first, second=second)
    return {"first": first, "second": second, "hashes": [b64encode(one).decode() for one in hashes]}


def inclusion(*, user: User, event_id: uuid.UUID, size: int | None) -> dict[str, Any]:
    """
    The proof that an event is in the log, under the head of that size, or under the last one.

    :raises NotFound: if the user may not see the event
    :raises NotSealed: if it is not under that head, or there is no such head
    """
    event = reading.one(user=user, event_id=event_id)
    heads = Checkpoint.objects.order_by("-size")
    found = (heads if size is None else heads.filter(size=size)).first()
    if found is None:
        raise NotSealed("There is no checkpoint of that size. GET /ledger names the last one.")
    proof = proofs.inclusion(event_id=event.id, size=found.size)
    return {
        "index": proof.index,
        "leaf_hash": b64encode(proof.leaf).decode(),
        "hashes": [b64encode(one).decode() for one in proof.hashes],
        "checkpoint": head(found),
    }


def whole(text: str, *, name: str) -> int:
    """
    A count that was asked for.

    :raises InvalidInput: if it is none
    """
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        message = f"“{name}” is a number of events, 1 or more."
        raise InvalidInput(message, errors=[{"field": name, "message": message}])
    return int(text)
