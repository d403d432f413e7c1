"""What is allowed now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from approvals.policies.risk import Risk
from approvals.requests.errors import (
    CommentRequired,
    GapWithoutWaiver,
    IncompleteRationale,
    NotYet,
    RulesBroken,
    ScheduleOver,
    StaleDigest,
    WindowClosed,
    WrongState,
)
from approvals.requests.models import ChangeRequest, Decision, Revision
from approvals.requests.schedules import Schedule, utc_text
from approvals.requests.states import PRESENTATIONS, TRANSITIONS, Action, Status
from foundation.errors import InvalidInput

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


def check_not_over(*, schedule: Schedule | None, now: datetime) -> None:
    """
    Refuse review of a request whose window is over.

    :raises ScheduleOver: if it is
    """
    if schedule is not None and schedule.is_over(now):
        raise ScheduleOver(
            f"This was to be applied {schedule.in_utc}, which is over. Edit it: say a later window, or none.",
            closes_at=schedule.closes_at.isoformat(),
        )


def check_window(*, change_request: ChangeRequest, schedule: Schedule | None, now: datetime) -> None:
    """
    Refuse to apply outside the window that was approved.

    :raises NotYet: if it has not opened
    :raises WindowClosed: if it is over

    Source: docs/scheduling.md
    """
    if schedule is None:
        return
    if not schedule.has_opened(now):
        raise NotYet(
            f"Change {change_request.number} is to be applied {schedule.in_utc}: the clock does it then. To have it "
            "earlier, edit its schedule and have that approved.",
            opens_at=schedule.opens_at.isoformat(),
        )
    if schedule.is_over(now):
        raise WindowClosed(
            f"Change {change_request.number} was to be applied {schedule.in_utc}; it is not applied after "
            f"{utc_text(schedule.closes_at)}. Edit it: say a new window, or none, and have that approved.",
            closes_at=schedule.closes_at.isoformat(),
        )


def check_not_lowered(*, risk: Risk | None) -> None:
    """
    Refuse a risk that is said to be lower than the computed one, or raised without a reason.

    :raises InvalidInput: if it is
    """
    if risk is None or risk.raised is None:
        return
    if risk.is_lowered:
        message = f"The risk is computed as {risk.computed}: it can be raised, not lowered. Leave it, or say more."
        raise InvalidInput(message, errors=[{"field": "risk", "message": message}])
    if not risk.raised.reason.strip():
        message = "Say why the risk is raised: whoever decides reads it."
        raise InvalidInput(message, errors=[{"field": "risk", "message": message}])


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
