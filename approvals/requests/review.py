"""
Deciding: approve, ask for changes, reject. Each decision is bound to the digest that was on the reviewer's screen.
"""

import uuid
from datetime import datetime

from django.db import transaction

from approvals import events, governed
from approvals.authority.errors import NotADelegate
from approvals.requests import notices, permissions, revisions, rules, stages
from approvals.requests.deciding import check_may_decide, counting
from approvals.requests.errors import AlreadyDecided, WrongState
from approvals.requests.models import ChangeRequest, Decision
from approvals.requests.recording import record_step
from approvals.requests.scheduling import leave_to_clock
from approvals.requests.services import current, locked
from approvals.requests.states import Action
from foundation.identity.models import User
from foundation.identity.naming import mention
from foundation.integrity import refine_integrity_error


@transaction.atomic
def approve(
    *,
    change_request_id: uuid.UUID,
    digest: str,
    reviewer: User,
    now: datetime,
    comment: str = "",
    on_behalf_of: uuid.UUID | None = None,
) -> ChangeRequest:
    """
    Record one reviewer's approval; the last one that a stage needs opens the next, the last of all approves the
    request, and schedules it if its revision has a schedule.

    `digest` is that of the revision which the reviewer read; `now` becomes the decision's and the event's time.
    `on_behalf_of` is the login for whom the reviewer decides by a delegation.

    :raises WrongState: if the request is not in review
    :raises SelfReview: if the reviewer's human wrote any revision of the request
    :raises NotAReviewer: if the open stage asks others
    :raises NotADelegate: if the reviewer may not decide for the other, or the other could not decide
    :raises OverLimit: if the change is above the authority limit of whoever is decided for
    :raises StaleDigest: if the request changed since the reviewer read it
    :raises AlreadyDecided: if the reviewer's human has decided on this revision

    Source: docs/invariants.md INV-2, INV-3
    """
    change_request = locked(change_request_id)
    permissions.visible_request(user=reviewer, change_request_id=change_request_id)
    rules.next_status(change_request=change_request, action=Action.COMPLETE)
    decision = _decide(change_request, digest, reviewer, now, Decision.Verdict.APPROVE, comment, on_behalf_of)
    revision, stage = decision.revision, decision.stage
    _record(events.REQUEST_APPROVAL_GIVEN, change_request, reviewer, now, decision)
    _counted, humans = counting(change_request=change_request, revision=revision, stage=stage)
    if humans >= stage.quorum:
        stage.completed_at = now
        stage.save(update_fields=["completed_at"])
        following = stages.ask(change_request=change_request, revision=revision, now=now)
        if following is None:
            change_request.status = rules.next_status(change_request=change_request, action=Action.COMPLETE)
            change_request.approved_at = now
            change_request.save(update_fields=["status", "approved_at"])
            record_step(
                type=events.REQUEST_APPROVED,
                change_request=change_request,
                actor=None,
                now=now,
                revision=revision,
                role=stage.whom,
            )
            window = leave_to_clock(change_request=change_request, revision=revision, now=now)
            notices.tell_author(change_request=change_request, what="is approved", actor=reviewer, now=now, more=window)
    return change_request


@transaction.atomic
def ask_for_changes(
    *,
    change_request_id: uuid.UUID,
    digest: str,
    reviewer: User,
    now: datetime,
    comment: str,
    on_behalf_of: uuid.UUID | None = None,
) -> ChangeRequest:
    """
    Send the request back to its author, with what should change.

    :raises CommentRequired: if there is no comment; else as approve()
    """
    change_request = locked(change_request_id)
    permissions.visible_request(user=reviewer, change_request_id=change_request_id)
    status = rules.next_status(change_request=change_request, action=Action.ASK_FOR_CHANGES)
    verdict = Decision.Verdict.ASK_FOR_CHANGES
    decision = _decide(change_request, digest, reviewer, now, verdict, comment, on_behalf_of)
    change_request.status = status
    change_request.save(update_fields=["status"])
    _record(events.REQUEST_CHANGES_ASKED, change_request, reviewer, now, decision)
    notices.tell_author(change_request=change_request, what="needs changes", actor=reviewer, now=now, comment=comment)
    return change_request


@transaction.atomic
def reject(
    *,
    change_request_id: uuid.UUID,
    digest: str,
    reviewer: User,
    now: datetime,
    comment: str,
    on_behalf_of: uuid.UUID | None = None,
) -> ChangeRequest:
    """
    Close the request without applying it; what was staged for it is removed.

    :raises CommentRequired: if there is no comment; else as approve()
    """
    change_request = locked(change_request_id)
    permissions.visible_request(user=reviewer, change_request_id=change_request_id)
    status = rules.next_status(change_request=change_request, action=Action.REJECT)
    decision = _decide(change_request, digest, reviewer, now, Decision.Verdict.REJECT, comment, on_behalf_of)
    change_request.status = status
    change_request.closed_at = now
    change_request.save(update_fields=["status", "closed_at"])
    _record(events.REQUEST_REJECTED, change_request, reviewer, now, decision)
    notices.tell_author(change_request=change_request, what="is rejected", actor=reviewer, now=now, comment=comment)
    governed.discard(items=revisions.items_ever_of(change_request), now=now)
    return change_request


def _decide(
    change_request: ChangeRequest,
    digest: str,
    reviewer: User,
    now: datetime,
    verdict: Decision.Verdict,
    comment: str,
    on_behalf_of: uuid.UUID | None,
) -> Decision:
    revision = current(change_request)
    stage = stages.open_stage(revision)
    if stage is None:
        raise WrongState(f"Change {change_request.number} has every approval that it needs.")
    capacity = check_may_decide(
        user=reviewer,
        change_request=change_request,
        revision=revision,
        stage=stage,
        now=now,
        on_behalf_of=on_behalf_of,
    )
    rules.check_on_screen(revision=revision, digest=digest)
    rules.check_comment(verdict=verdict, comment=comment)
    with refine_integrity_error(
        decision_once_per_human=(
            AlreadyDecided,
            "You have decided on this revision already, under this or another login. A new revision asks you again.",
        ),
        decision_authority_once=(
            AlreadyDecided,
            f"The authority of {capacity.person} has been used on this revision already. It counts once.",
        ),
        # It was revoked since it was read above: the trigger waits for whoever revokes.
        decision_by_delegation_in_force=(NotADelegate, "The delegation was revoked meanwhile."),
    ):
        return Decision.objects.create(
            revision=revision,
            stage=stage,
            digest=digest,
            decider=reviewer,
            decider_human_id=reviewer.human_id,
            on_behalf_of=capacity.delegation,
            delegator_human_id=capacity.person.human_id if capacity.delegation else None,
            verdict=verdict,
            comment=comment.strip(),
            decided_at=now,
        )


def _record(event_type: str, change_request: ChangeRequest, actor: User, now: datetime, decision: Decision) -> None:
    """The event of a decision; who is decided for is mentioned by id, and read by name."""
    delegation, whom = decision.on_behalf_of, decision.stage.whom
    record_step(
        type=event_type,
        change_request=change_request,
        actor=actor,
        now=now,
        revision=decision.revision,
        role=f"{whom} in place of {mention(delegation.delegator)}" if delegation else whom,
        comment=decision.comment,
        on_behalf_of=str(delegation.delegator_id) if delegation else None,
        delegation=str(delegation.id) if delegation else None,
    )
