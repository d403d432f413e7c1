"""Applied items, for whoever takes them back."""

import uuid

from approvals.governed import Operation, PreparedItem, Scope, Undone
from approvals.requests.models import ChangeRequest, Item
from approvals.requests.states import DONE


def undone(item: Item, change_request: ChangeRequest) -> Undone | None:
    """The item as what takes it back finds it; None if its request was not applied by people."""
    if change_request.status not in DONE or change_request.system or change_request.applied_at is None:
        return None
    return Undone(
        item_id=item.id,
        item=PreparedItem(
            kind=item.kind,
            table=item.table_name,
            record_id=item.record_id,
            operation=Operation(item.operation),
            base_version=item.base_version,
            before=item.before,
            after=item.after,
            label=item.label,
            payload=item.payload,
            effects=item.effects,
            facts=item.facts,
            scope=Scope(),
        ),
        number=change_request.number,
        applied_at=change_request.applied_at,
    )


def applied_item(item_id: uuid.UUID) -> Undone | None:
    """The item of this id, if its revision is the one that was applied."""
    item = Item.objects.select_related("revision__change_request").filter(id=item_id).first()
    if item is None or item.revision.change_request.current_revision_id != item.revision_id:
        return None
    return undone(item, item.revision.change_request)


def applied_items(change_request: ChangeRequest) -> tuple[Undone, ...]:
    """All items of an applied request, the last one first: so they are taken back."""
    rows = Item.objects.filter(revision=change_request.current_revision_id).order_by("-position")
    return tuple(found for row in rows for found in (undone(row, change_request),) if found is not None)
