"""
The gate of conflicts: other open changes on the same records. It stops nothing: whichever is applied first makes the
others plan again, which base versions hold.

Source: docs/conflicts.md
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

from approvals.governed import Operation, PreparedItem
from approvals.records.rows import changed_fields
from approvals.requests.gates import Asked, Obstacle
from approvals.requests.models import ChangeRequest, Item
from approvals.requests.states import OPEN
from approvals.roles import VIEW_REQUESTS
from foundation.identity.models import User

READ = 500
TOLD = 10
RECORDS = 3
AFTER = "Whichever is applied first makes the other plan again."


@dataclass(frozen=True)
class ConflictGate:
    """Tells of other open changes on the same records, and of the fields that both touch."""

    def obstacles(self, asked: Asked) -> Sequence[Obstacle]:
        """A warning for each other change that the reader sees, and one for those that the reader does not."""
        own = {item.record_id: item for item in asked.items if item.operation is not Operation.INSERT}
        if not own:
            return ()
        others = _others(asked, own)
        seen = _seen(frozenset(others), asked.reader)
        told = [
            Obstacle(
                title=f"Conflict with {request}",
                sentence=f"Change {request.number}, {request.status_label.lower()}, also changes "
                f"{_touched(others[key])}. {AFTER}",
                change_number=request.number,
            )
            for key, request in seen.items()
        ]
        hidden = [pair for key, pairs in others.items() if key not in seen for pair in pairs]
        if hidden:
            sentence = f"Another change that you do not see also changes {_touched(hidden)}. {AFTER}"
            told.append(Obstacle(title="Conflict with another change", sentence=sentence))
        return told[:TOLD]


def _others(asked: Asked, own: dict[UUID, PreparedItem]) -> dict[UUID, list[tuple[PreparedItem, Item]]]:
    """Items of other open requests on the same records, by request."""
    found = Item.objects.filter(
        record_id__in=list(own),
        revision=F("revision__change_request__current_revision"),
        revision__change_request__status__in=sorted(OPEN),
    ).exclude(operation=Operation.INSERT)
    if asked.change_request is not None:
        found = found.exclude(revision__change_request=asked.change_request)
    others: dict[UUID, list[tuple[PreparedItem, Item]]] = {}
    rows = found.annotate(request_id=F("revision__change_request"), number=F("revision__change_request__number"))
    for item in rows.order_by("number", "position")[:READ]:
        mine = own[item.record_id]
        if mine.table == item.table_name:
            others.setdefault(item.request_id, []).append((mine, item))
    return others


def _seen(keys: frozenset[UUID], reader: User | None) -> dict[UUID, ChangeRequest]:
    if reader is None or not keys or not reader.has_perm(VIEW_REQUESTS):
        return {}
    return {row.id: row for row in ChangeRequest.objects.filter(id__in=keys).visible_to(reader).order_by("number")}


def _touched(pairs: Sequence[tuple[PreparedItem, Item]]) -> str:
    """The records, each with the fields that both touch."""
    told = list(dict.fromkeys(_told(mine, other) for mine, other in pairs))
    more = len(told) - RECORDS
    return "; ".join(told[:RECORDS]) + (f"; and {more} more" if more > 0 else "")


def _told(mine: PreparedItem, other: Item) -> str:
    fields = list(_both(mine, other))
    return f"{mine.label} ({', '.join(fields)})" if fields else f"{mine.label} (in other fields)"


def _both(mine: PreparedItem, other: Item) -> Iterator[str]:
    theirs = changed_fields(other.before, other.after)
    for name in changed_fields(mine.before, mine.after):
        if name in theirs:
            yield name.removesuffix("_id").replace("_", " ")
