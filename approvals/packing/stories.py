"""What a pack has of one change request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals.requests.authorizations import Authorization
from approvals.requests.models import ChangeRequest, Revision
from audit.packs.port import Told


@dataclass(frozen=True)
class Story:
    """A change request of a pack: its revisions, the document that the pack has of it, and its events."""

    change_request: ChangeRequest
    revisions: Sequence[Revision]
    document: Mapping[str, Any]
    authorization: Authorization | None
    events: Sequence[Told]

    @property
    def current(self) -> Revision | None:
        """The last revision that is in the pack."""
        return self.revisions[-1] if self.revisions else None

    @property
    def current_number(self) -> int:
        """Its number; 0 if there is none."""
        return self.revisions[-1].number if self.revisions else 0

    @property
    def status(self) -> str:
        """The request's status in words, within a sentence."""
        return self.change_request.status_label.lower()
