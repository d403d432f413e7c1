"""What a decision signs, word for word: the same on the page, in print and in the API."""

from approvals.requests.models import ChangeRequest, Decision, Revision
from approvals.roles import words
from foundation.identity.models import User


def signer(*, user: User, delegator: User | None) -> str:
    """Who signs, in whose place."""
    return f"{user}, in place of {delegator}," if delegator else str(user)


def signer_of(decision: Decision) -> str:
    """Who signed a decision, in whose place."""
    delegation = decision.on_behalf_of
    return signer(user=decision.decider, delegator=delegation.delegator if delegation else None)


def statement(*, change_request: ChangeRequest, revision: Revision, role: str, name: str) -> str:
    """The sentence that a decision of somebody of this name, for this role, signs."""
    return (
        f"{name} signs for {words(role)}: change {change_request.number}, “{change_request.title}”, revision "
        f"{revision.number}, exactly as shown with its digest SHA-256 {revision.digest}. An edit voids this decision."
    )
