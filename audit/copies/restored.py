"""
Recognizing a database that is older than a head of its log that left the house: a backup was put in place.

Until somebody acknowledges it nothing is written and nothing is sealed. The acknowledgment is an event, and from it on
the log has another name: what was signed under the former one stays signed, and is never contradicted.

Source: docs/ledger.md
"""

import base64
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from audit import events
from audit.copies.errors import CopyFailed, LedgerBehind, NotBehind
from audit.copies.targets import targets
from audit.ledger.models import Event
from audit.merkle.notes import BadNote, Checkpoint, read_checkpoint
from audit.sealing import keys, proofs
from audit.sealing.errors import NotSealed
from audit.sealing.models import Leaf
from audit.services import NewEvent, record
from foundation.identity.models import User

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Behind:
    """A head that left the house, where it is, and how many events are here."""

    head: Checkpoint
    where: str
    size: int

    @property
    def told(self) -> str:
        """What happened and what to do, in a sentence."""
        missing = f"it has {self.size} of them" if self.head.size > self.size else "its first ones are others"
        return (
            f"The ledger at {self.where} was signed for {self.head.size} events, and in this database {missing}: an "
            "older state was put in place. Nothing is written until an operator has looked at it and says so with "
            "“manage.py ledger acknowledge”."
        )


def find_behind() -> Behind | None:
    """
    The newest head outside that this database does not contain, unless somebody acknowledged that it is lost.

    A target that does not answer, or holds something that no known key signed, is logged and says nothing.
    """
    found: list[tuple[int, int, Checkpoint, str]] = []
    names = keys.origins()
    for target in targets():
        try:
            note = target.latest()
            if note is not None:
                head = read_checkpoint(note, keys=keys.verifiers(), origins=names)
                found.append((names.index(head.origin), head.size, head, target.name))
        except (CopyFailed, BadNote) as problem:
            log.error("checkpoint_outside_not_read", target=target.name, why=str(problem))
    for _generation, _size, head, where in sorted(found, key=lambda one: one[:2], reverse=True):
        if not _contains(head) and not _acknowledged(head):
            return Behind(head=head, where=where, size=_size_here())
    return None


def check_not_behind() -> None:
    """
    Refuse to go on on an older state.

    :raises LedgerBehind: saying what is missing
    """
    behind = find_behind()
    if behind:
        raise LedgerBehind(behind.told)


@transaction.atomic
def acknowledge(*, user: User, reason: str, now: datetime) -> Event:
    """
    Record that the state in place is the one to go on with.

    :raises NotBehind: if the database contains what left the house, or no reason is given
    """
    behind = find_behind()
    if behind is None:
        raise NotBehind("The database contains every head of its log that was found outside. Nothing was recorded.")
    if not reason.strip():
        raise NotBehind("Say why the older state is the one to go on with. Nothing was recorded.")
    data = {
        "lost_size": behind.head.size,
        "lost_root": base64.b64encode(behind.head.root).decode(),
        "lost_origin": behind.head.origin,
        "kept_size": behind.size,
        "where": behind.where,
        "reason": reason.strip(),
    }
    return record(event=NewEvent(type=events.LEDGER_RESTARTED, actor=user, data=data), now=now)


def _contains(head: Checkpoint) -> bool:
    try:
        return head.size == 0 or proofs.root(head.size) == head.root
    except NotSealed:
        return False


def _acknowledged(head: Checkpoint) -> bool:
    told = {"lost_size": head.size, "lost_root": base64.b64encode(head.root).decode()}
    return Event.objects.filter(type=events.LEDGER_RESTARTED, data__contains=told).exists()


def _size_here() -> int:
    last = Leaf.objects.order_by("-index").values_list("index", flat=True).first()
    return 0 if last is None else last + 1
