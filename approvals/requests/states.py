"""The life of a change request, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models


class Status(models.TextChoices):
    """Where a change request stands."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    APPROVED = "approved", "Approved"
    SCHEDULED = "scheduled", "Scheduled"
    MISSED = "missed", "Missed"
    FAILED = "failed", "Failed"
    APPLYING = "applying", "Applying"
    APPLIED = "applied", "Applied"
    VERIFIED = "verified", "Verified"
    REVERTED = "reverted", "Acted back"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class Action(models.TextChoices):
    """What moves it."""

    AMEND = "amend", "edit"
    SUBMIT = "submit", "send to review"
    COMPLETE = "complete", "give the last approval"
    PREAPPROVE = "preapprove", "find it inside its standard template"
    PERMIT = "permit", "use an emergency permit"
    ASK_FOR_CHANGES = "ask_for_changes", "ask for changes"
    REJECT = "reject", "reject"
    WITHDRAW = "withdraw", "withdraw"
    EXPIRE = "expire", "expire"
    REOPEN = "reopen", "reopen the review"
    SCHEDULE = "schedule", "schedule"
    MISS = "miss", "miss the window"
    FAIL = "fail", "fail when due"
    BEGIN = "begin", "begin to apply"
    FINISH = "finish", "finish applying"
    VERIFY = "verify", "verify"
    REVERT = "revert", "act back"


TRANSITIONS: Mapping[Status, Mapping[Action, Status]] = {
    Status.DRAFT: {
        Action.AMEND: Status.DRAFT,
        Action.SUBMIT: Status.IN_REVIEW,
        Action.WITHDRAW: Status.WITHDRAWN,
        Action.EXPIRE: Status.EXPIRED,
    },
    Status.IN_REVIEW: {
        Action.AMEND: Status.DRAFT,
        Action.COMPLETE: Status.APPROVED,
        Action.PREAPPROVE: Status.APPROVED,
        Action.PERMIT: Status.APPROVED,
        Action.ASK_FOR_CHANGES: Status.CHANGES_REQUESTED,
        Action.REJECT: Status.REJECTED,
        Action.WITHDRAW: Status.WITHDRAWN,
        Action.EXPIRE: Status.EXPIRED,
    },
    Status.CHANGES_REQUESTED: {
        Action.AMEND: Status.DRAFT,
        Action.WITHDRAW: Status.WITHDRAWN,
        Action.EXPIRE: Status.EXPIRED,
    },
    Status.APPROVED: {
        Action.AMEND: Status.DRAFT,
        Action.WITHDRAW: Status.WITHDRAWN,
        Action.EXPIRE: Status.EXPIRED,
        Action.REOPEN: Status.IN_REVIEW,
        Action.PERMIT: Status.APPROVED,
        Action.SCHEDULE: Status.SCHEDULED,
        Action.BEGIN: Status.APPLYING,
    },
    Status.SCHEDULED: {
        Action.AMEND: Status.DRAFT,
        Action.WITHDRAW: Status.WITHDRAWN,
        Action.REOPEN: Status.IN_REVIEW,
        Action.BEGIN: Status.APPLYING,
        Action.MISS: Status.MISSED,
        Action.FAIL: Status.FAILED,
    },
    Status.MISSED: {
        Action.AMEND: Status.DRAFT,
        Action.WITHDRAW: Status.WITHDRAWN,
        Action.EXPIRE: Status.EXPIRED,
    },
    Status.FAILED: {
        Action.AMEND: Status.DRAFT,
        Action.WITHDRAW: Status.WITHDRAWN,
        Action.EXPIRE: Status.EXPIRED,
    },
    Status.APPLYING: {Action.FINISH: Status.APPLIED},
    Status.APPLIED: {Action.VERIFY: Status.VERIFIED, Action.REVERT: Status.REVERTED},
    Status.VERIFIED: {},
    Status.REVERTED: {},
    Status.REJECTED: {},
    Status.WITHDRAWN: {},
    Status.EXPIRED: {},
}


@dataclass(frozen=True)
class Presentation:
    """How people meet a status: who acts next, and the tone of its badge (the same in portal and admin)."""

    owner: str
    tone: str


PRESENTATIONS: Mapping[Status, Presentation] = {
    Status.DRAFT: Presentation(owner="its author", tone="neutral"),
    Status.IN_REVIEW: Presentation(owner="the reviewers of the open stage", tone="info"),
    Status.CHANGES_REQUESTED: Presentation(owner="its author", tone="warning"),
    Status.APPROVED: Presentation(owner="whoever may apply it", tone="success"),
    Status.SCHEDULED: Presentation(owner="the clock, until its window opens", tone="info"),
    Status.MISSED: Presentation(owner="its author, to say a new window or to withdraw it", tone="warning"),
    Status.FAILED: Presentation(owner="its author, to edit what was refused or to withdraw it", tone="danger"),
    Status.APPLYING: Presentation(owner="the system, within one transaction", tone="info"),
    Status.APPLIED: Presentation(
        owner="somebody else than its authors and who applied it, to verify it", tone="success"
    ),
    Status.VERIFIED: Presentation(owner="nobody: it is done and verified", tone="success"),
    Status.REVERTED: Presentation(owner="nobody: its inverse was applied", tone="neutral"),
    Status.REJECTED: Presentation(owner="nobody: it is closed", tone="danger"),
    Status.WITHDRAWN: Presentation(owner="nobody: it is closed", tone="neutral"),
    Status.EXPIRED: Presentation(owner="nobody: nobody went on with it, and it is closed", tone="neutral"),
}

# What its author has to do something about.
RETURNED = frozenset({Status.CHANGES_REQUESTED, Status.MISSED, Status.FAILED})
# What was written. A system request ends as applied: it has no criteria, so it is closed at once.
DONE = frozenset({Status.APPLIED, Status.VERIFIED, Status.REVERTED})
# What may still be applied.
OPEN = frozenset(status for status, actions in TRANSITIONS.items() if actions) - DONE


def diagram() -> str:
    """The table as a Mermaid state diagram, as it stands in docs/change-requests.md."""
    lines = ["stateDiagram-v2", f"    [*] --> {Status.DRAFT.value}"]
    for status, actions in TRANSITIONS.items():
        for action, target in actions.items():
            lines.append(f"    {status.value} --> {target.value}: {action.label}")
        if not actions:
            lines.append(f"    {status.value} --> [*]")
    return "\n".join(lines)
