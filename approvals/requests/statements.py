"""What a decision signs, word for word: the same on the page, in print and in the API."""

from approvals.requests.models import ChangeRequest, Revision
from approvals.roles import words


def statement(*, change_request: ChangeRequest, revision: Revision, role: str, name: str) -> str:
    """The sentence that a decision of somebody of this name, for this role, signs."""
    return (
        f"{name} signs for {words(role)}: change {change_request.number}, “{change_request.title}”, revision "
        f"{revision.number}, exactly as shown with its digest SHA-256 {revision.digest}. An edit voids this decision."
    )
