"""Noting that what a change request says was handed to a reader, as far as it holds prices."""

from typing import Any

from approvals.requests.models import ChangeRequest
from approvals.requests.recording import subject_of
from audit.reads.collecting import gave_document


def note(change_request: ChangeRequest, *documents: Any) -> None:
    """Note that these documents of a request are handed out: a revision's, its plan, its items."""
    subject = subject_of(change_request)
    gave_document(documents, subject.type, {change_request.id: subject.label})
