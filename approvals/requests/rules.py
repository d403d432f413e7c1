"""What is allowed now."""

from collections.abc import Mapping
from typing import Any

from approvals.requests.errors import (
    CommentRequired,
    GapWithoutWaiver,
    IncompleteRationale,
    RulesBroken,
    StaleDigest,
    WrongState,
)
from approvals.requests.models import ChangeRequest, Decision, Revision
from approvals.requests.states import PRESENTATIONS, TRANSITIONS, Action, Status

REQUIRED = {
    "justification": "Justification: why is this needed?",
    "impact": "Expected impact: what changes for whom?",
    "acceptance_criteria": "Acceptance criteria: how will somebody else see that it worked?",
    "rollback": "Rollback: how is it undone, and what cannot be undone?",
}


def next_status(*, change_request: ChangeRequest, action: Action) -> Status:
    """
    The status to which an action leads.

    :raises WrongState: if the action is not possible in the request's status
    """
    status = Status(change_request.status)
    try:
        return TRANSITIONS[status][action]
    except KeyError:
        raise WrongState(
            f"Change {change_request.number} is {status.label.lower()}, so you can't {action.label} now: "
            f"it waits for {PRESENTATIONS[status].owner}.",
            status=status.value,
            action=action.value,
        ) from None


def allows(*, change_request: ChangeRequest, action: Action) -> bool:
    """Whether the action is possible in the request's status."""
    return action in TRANSITIONS[Status(change_request.status)]


def check_complete(*, revision: Revision) -> None:
    """
    Refuse review of a request that does not say why, what, how to tell and how to undo.

    :raises IncompleteRationale: naming what is missing
    """
    missing = {name: text for name, text in REQUIRED.items() if not revision.rationale.get(name)}
    if missing:
        raise IncompleteRationale(
            "Before this goes to review, fill in: " + " ".join(missing.values()),
            errors=[{"field": name, "message": text} for name, text in missing.items()],
        )


def check_waived(*, document: Mapping[str, Any]) -> None:
    """
    Refuse a plan with a new gap and no waiver.

    :raises GapWithoutWaiver: if the plan opens a gap that nobody declared

    Source: docs/invariants.md INV-8
    """
    if document["plan"]["new_gaps"] and not document["waiver"]:
        first = document["plan"]["document"].get("summary", "")
        raise GapWithoutWaiver(
            f"The plan opens a gap: {first} Change the dates so that nobody loses access, or declare the gap in a "
            "waiver that says who bears the risk."
        )


def check_rules_hold(*, document: Mapping[str, Any]) -> None:
    """
    Refuse a plan that breaks the registry's rules.

    :raises RulesBroken: naming each
    """
    failures = document["plan"]["failures"]
    if failures:
        raise RulesBroken(f"This does not go to review, because {'; '.join(failures)}.", failures=failures)


def check_on_screen(*, revision: Revision, digest: str) -> None:
    """
    Refuse a decision that names another digest than the current revision's.

    :raises StaleDigest: if it does

    Source: docs/invariants.md INV-2
    """
    if digest != revision.digest:
        raise StaleDigest(
            f"This change was edited after you read it. Read revision {revision.number} and decide on that.",
            revision=revision.number,
            digest=revision.digest,
        )


def check_comment(*, verdict: Decision.Verdict, comment: str) -> None:
    """
    Refuse a no without a reason.

    :raises CommentRequired: if there is none
    """
    if verdict is not Decision.Verdict.APPROVE and not comment.strip():
        raise CommentRequired(
            "Say what should change, or why this is rejected: the author needs it to go on.",
            errors=[{"field": "comment", "message": "This field is required."}],
        )
