"""What was applied of certain records, and what open requests ask of them: reads of items, for whoever adds them up."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from approvals.requests.models import Item
from approvals.requests.states import Status

JSON = Any
# From here on a request only waits: its author asked for it.
_ASKED = (Status.IN_REVIEW, Status.APPROVED, Status.SCHEDULED)


@dataclass(frozen=True)
class StoredItem:
    """A stored item as far as its record goes."""

    number: int
    table: str
    record_id: UUID
    before: dict[str, JSON] | None
    after: dict[str, JSON]


def applied_since(*, record_ids: Collection[UUID], since: datetime) -> Iterator[list[StoredItem]]:
    """
    What people's requests did to these records after an instant: one list a request, in the order of application.

    Bootstraps are left out: what the system writes is what there was.
    """
    found = _items(
        Q(record_id__in=record_ids),
        Q(revision__change_request__status=Status.APPLIED),
        Q(revision__change_request__applied_at__gt=since),
        Q(revision__change_request__system=False),
    )
    ordered = found.order_by("revision__change_request__applied_at", "revision__change_request__number", "position")
    for _number, items in groupby(map(_stored, ordered), key=lambda item: item.number):
        yield list(items)


def asked_of(*, condition: Q, without: Collection[UUID]) -> list[StoredItem]:
    """
    What requests in review, approved or scheduled ask of records that the condition on their items names.

    Requests that touch one of the records in `without` are left out.
    """
    touching = Item.objects.filter(record_id__in=without).values("revision_id")
    asked = Q(revision__change_request__status__in=_ASKED)
    found = _items(condition, asked).exclude(revision_id__in=touching)
    return [_stored(item) for item in found.order_by("revision__change_request__number", "position")]


def _items(*conditions: Q) -> Any:
    current = Q(revision=F("revision__change_request__current_revision"))
    named = Item.objects.filter(current, *conditions).exclude(after=None)
    return named.values("revision__change_request__number", "table_name", "record_id", "before", "after")


def _stored(row: dict[str, JSON]) -> StoredItem:
    return StoredItem(
        number=row["revision__change_request__number"],
        table=row["table_name"],
        record_id=row["record_id"],
        before=row["before"],
        after=row["after"],
    )
