"""The list of changes as a table for spreadsheets: all pages of a filter, no cell that a spreadsheet would run."""

import csv
from collections.abc import Iterator
from typing import Any

from approvals.portal import inbox
from approvals.requests.models import ChangeRequest, ChangeRequestQuerySet
from approvals.roles import words

COLUMNS = (
    "Number", "Title", "State", "What it does", "Warning", "Proposed by", "Proposed at", "Asks", "Due at",
    "Applied at", "Digest", "Id",
)  # fmt: skip
RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
AT_ONCE = 500


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, value: str) -> str:
        return value


def rows(requests: ChangeRequestQuerySet) -> Iterator[str]:
    """Lines of CSV, the heading first; instants in UTC with their offset."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(COLUMNS)
    for request in inbox.described(requests).iterator(chunk_size=AT_ONCE):
        yield writer.writerow([harmless(cell) for cell in _cells(request)])


def harmless(cell: Any) -> str:
    """A cell as text that no spreadsheet takes for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(RUNS) else text


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
