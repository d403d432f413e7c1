"""The list of changes as a table for spreadsheets: all pages of a filter, no cell that a spreadsheet would run."""

from collections.abc import Iterator
from typing import Any

from approvals.portal import inbox
from approvals.requests.models import ChangeRequest, ChangeRequestQuerySet
from approvals.roles import words
from foundation.web.spreadsheets import lines

COLUMNS = (
    "Number", "Title", "State", "What it does", "Warning", "Proposed by", "Proposed at", "Asks", "Due at",
    "Applied at", "Digest", "Id",
)  # fmt: skip
AT_ONCE = 500


def rows(requests: ChangeRequestQuerySet) -> Iterator[str]:
    """Lines of CSV, the heading first; instants in UTC with their offset."""
    return lines(COLUMNS, (_cells(request) for request in inbox.described(requests).iterator(chunk_size=AT_ONCE)))


def _cells(request: ChangeRequest) -> tuple[Any, ...]:
    instants = (request.created_at, request.due_at, request.applied_at)
    created_at, due_at, applied_at = (value.isoformat() if value else "" for value in instants)
    role = getattr(request, "open_role", None)
    return (
        request.number,
        request.title,
        request.status_label,
        getattr(request, "summary", ""),
        getattr(request, "interruption", ""),
        request.created_by or "The system",
        created_at,
        words(role) if role else "",
        due_at if request.status == "scheduled" else "",
        applied_at,
        getattr(request, "digest", ""),
        request.id,
    )
