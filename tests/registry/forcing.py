"""
Rows written past every check of the application, so that the database alone stands in the way.

They travel in a bootstrap whose items are given instead of prepared: the governed trigger is satisfied, nothing else.
"""

import uuid
from typing import Any
from unittest.mock import patch

from approvals.bootstrap import bootstrap
from approvals.governed import Draft, Operation, PreparedItem, kinds
from approvals.records.rows import row_of
from approvals.requests import revisions
from approvals.requests.models import ChangeRequest
from foundation.canonical import jsonable
from tests import given


def insertion(like: Any, **changes: Any) -> PreparedItem:
    """An item that inserts a copy of a stored record under a new id, with these values."""
    after = row_of(like) | {"id": str(uuid.uuid4()), "version": 1} | jsonable(changes)
    return _item(like, Operation.INSERT, None, after)


def update(of: Any, **changes: Any) -> PreparedItem:
    """An item that updates a stored record to these values."""
    before = row_of(type(of).objects.get(pk=of.pk))
    return _item(of, Operation.UPDATE, before, before | {"version": before["version"] + 1} | jsonable(changes))


def force(*items: PreparedItem) -> ChangeRequest:
    """Apply the items; what the database refuses is raised as in any application."""
    with patch.object(revisions, "prepare", return_value=items):
        return bootstrap(reason="Forced", drafts=[Draft("forced", {})], now=given.NOW)


def _item(like: Any, operation: Operation, before: Any, after: Any) -> PreparedItem:
    names = [name for name, kind in kinds().items() if kind.model is type(like) and kind.operation is operation]
    return PreparedItem(
        kind=sorted(names)[0],
        table=like._meta.db_table,
        record_id=uuid.UUID(after["id"]),
        operation=operation,
        base_version=before["version"] if before else None,
        before=before,
        after=after,
        label=str(like)[:300],
        payload={},
    )
