"""
Proposing, editing, sending to review and withdrawing change requests. Reviewing is in review.py, applying in
application.py.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from approvals import events, governed
from approvals.governed import Draft
from approvals.policies.risk import Raised, raised_of
from approvals.requests import gates, notices, permissions, revisions, rules, schedules, stages, standard
from approvals.requests.gates import Asked, Step
from approvals.requests.models import ChangeRequest, Revision
from approvals.requests.recording import record_step
from approvals.requests.revisions import Planned, Rationale, Waiver
from approvals.requests.schedules import Former, Schedule
from approvals.requests.scheduling import leave_to_clock
from approvals.requests.states import Action, Status
from approvals.standards.rules import Citation
from foundation.errors import NotFound
from foundation.identity.models import User


def locked(change_request_id: uuid.UUID) -> ChangeRequest:
    """
    The request, locked until the transaction ends.

    :raises NotFound: if there is none
    """
    # Its revision is read once the lock is held: a joined row would be the one from before the wait, which after an
    # edit is no longer the current one, and PostgreSQL then answers none at all.
    found = (
        ChangeRequest.objects.select_for_update(of=("self",))
        .select_related("created_by")
        .filter(id=change_request_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such change request, or it touches what is not granted to you.")
    return found


def current(change_request: ChangeRequest) -> Revision:
    """The request's current revision; every stored request has one."""
    revision = change_request.current_revision
    if revision is None:
        raise NotFound(f"Change {change_request.number} has no revision.")
    return revision


def preview(
    *,
    drafts: Sequence[Draft],
    user: User,
    now: datetime,
    rationale: Rationale | None = None,
    waiver: Waiver | None = None,
    schedule: Schedule | None = None,
    raised: Raised | Former | None = None,
    former: Revision | None = None,
    template_id: uuid.UUID | None = None,
) -> Planned:
    """
    Plan drafts without filing them: what would happen, how risky it is, and who would have to approve it.

    `raised` is the risk as the author says; kept, it is that of the `former` revision.

    :raises NotPermitted: if the user may not propose
    :raises NotFound: if the drafts touch what is not granted to the user
    :raises InvalidInput: if a draft does not say what it must, the schedule's zone is unknown, the risk is lowered, or
        the template is not in force
    """
    permissions.check_may_propose(user=user, scopes=[])
    if schedule is not None:
        schedules.check_zone(schedule.zone)
    items = revisions.prepare(
        drafts=drafts, author=user, now=now, sees=lambda scope: governed.access().may_see(scope=scope, user=user)
    )
    permissions.check_may_propose(user=user, scopes=[item.scope for item in items])
    kept = raised_of(former.document) if former is not None else None
    rationale, cited = rationale or Rationale(), None
    if template_id is not None:
        template, cited = standard.cite(template_id=template_id, now=now)
        rationale = standard.prefilled(rationale, template)
    planned = revisions.plan_items(
        items=items,
        now=now,
        rationale=rationale,
        waiver=waiver,
        schedule=schedule,
        raised=kept if isinstance(raised, Former) else raised,
        standard=cited,
    )
    if not isinstance(raised, Former):
        rules.check_not_lowered(risk=planned.risk)
    return planned


@transaction.atomic
def propose(
    *,
    title: str,
    drafts: Sequence[Draft],
    author: User,
    now: datetime,
    rationale: Rationale | None = None,
    waiver: Waiver | None = None,
    schedule: Schedule | None = None,
    raised: Raised | None = None,
    template_id: uuid.UUID | None = None,
    source: str = "portal",
    reverts: ChangeRequest | None = None,
) -> ChangeRequest:
    """
    File a change request as a draft, with its plan; no governed record is written.

    `now` is timezone-aware and becomes the request's and the event's time. Without a schedule somebody applies it by
    hand once it is approved. `template_id` names the standard template that it cites, at its version of now.
    `reverts` is the request of which this one is the inverse.

    :raises NotPermitted: if the author may not propose
    :raises NotFound: if the drafts touch what is not granted to the author
    :raises InvalidInput: if a draft does not say what it must
    """
    planned = preview(
        drafts=drafts,
        user=author,
        now=now,
        rationale=rationale,
        waiver=waiver,
        schedule=schedule,
        raised=raised,
        template_id=template_id,
    )
    change_request = ChangeRequest.objects.create(
        title=title[:200],
        status=Status.DRAFT,
        source=source,
        reverts=reverts,
        created_by=author,
        created_at=now,
    )
    change_request.refresh_from_db(fields=["number"])
    revision = revisions.store(change_request=change_request, planned=planned, author=author, now=now)
    change_request.save(update_fields=["current_revision"])
    record_step(
        type=events.REQUEST_PROPOSED,
        change_request=change_request,
        actor=author,
        now=now,
        revision=revision,
        title=change_request.title,
        source=source,
    )
    return change_request


@transaction.atomic
def amend(
    *,
    change_request_id: uuid.UUID,
    author: User,
    now: datetime,
    drafts: Sequence[Draft] | None = None,
    rationale: Rationale | None = None,
    waiver: Waiver | None = None,
    schedule: Schedule | Former | None = Former.KEPT,
    raised: Raised | Former | None = Former.KEPT,
    template_id: uuid.UUID | Former | None = Former.KEPT,
    title: str | None = None,
    expected_digest: str | None = None,
) -> ChangeRequest:
    """
    Write a new revision: what is given replaces what stood, the rest is planned again as it was.

    Decisions on earlier revisions are kept and count no longer. The request goes back to draft. `waiver` replaces the
    former one; a revision without it has none. A schedule, a raised risk and a standard template are kept unless others
    are given, or None, which clears them; a template is cited at its version of now, and dropped if it is out of force.

    :raises WrongState: if the request is closed
    :raises StaleDigest: if `expected_digest` is not the current revision's
    :raises NotPermitted: if the author may not propose
    :raises NotFound: if the author may not see the request, or the drafts touch what is not granted to the author
    :raises InvalidInput: if a draft does not say what it must
    """
    change_request = locked(change_request_id)
    permissions.check_may_edit(user=author, change_request=change_request)
    status = rules.next_status(change_request=change_request, action=Action.AMEND)
    former = current(change_request)
    if expected_digest is not None:
        rules.check_on_screen(revision=former, digest=expected_digest)
    if drafts is None:
        drafts = revisions.drafts_of(revisions.items_of(former))
    if rationale is None:
        rationale = revisions.rationale_of(former.document)
    if isinstance(schedule, Former):
        schedule = schedules.of(former.document)
    if isinstance(template_id, Former):
        template_id = standard.kept(former.document, now=now)
    planned = preview(
        drafts=drafts,
        user=author,
        now=now,
        rationale=rationale,
        waiver=waiver,
        schedule=schedule,
        raised=raised,
        former=former,
        template_id=template_id,
    )
    change_request.title = (title or change_request.title)[:200]
    revision = revisions.store(change_request=change_request, planned=planned, author=author, now=now)
    change_request.status = status
    change_request.approved_at = None
    change_request.save(update_fields=["status", "title", "approved_at", "current_revision"])
    record_step(
        type=events.REQUEST_AMENDED,
        change_request=change_request,
        actor=author,
        now=now,
        revision=revision,
        title=change_request.title,
        former_digest=former.digest,
    )
    notices.tell_deciders(change_request=change_request, former=former, revision=revision, author=author, now=now)
    return change_request


@transaction.atomic
def submit(*, change_request_id: uuid.UUID, author: User, now: datetime) -> ChangeRequest:
    """
    Send the current revision to review. A standard change, inside the template's bounds, is approved at once.

    :raises WrongState: if the request is not a draft
    :raises IncompleteRationale: if justification, impact, acceptance criteria or rollback is missing
    :raises RulesBroken: if the plan breaks the registry's rules
    :raises GapWithoutWaiver: if the plan opens a gap that no waiver declares
    :raises ScheduleOver: if the window in which it was to be applied is over
    :raises NotStandard: if it cites a standard template and is not inside its bounds
    :raises GateClosed: if something else stands in the way, such as a freeze
    :raises NotPermitted: if the author may not propose
    """
    change_request = locked(change_request_id)
    permissions.check_may_edit(user=author, change_request=change_request)
    status = rules.next_status(change_request=change_request, action=Action.SUBMIT)
    revision = current(change_request)
    rules.check_complete(revision=revision)
    rules.check_rules_hold(document=revision.document)
    rules.check_waived(document=revision.document)
    schedule = schedules.of(revision.document)
    rules.check_not_over(schedule=schedule, now=now)
    items = revisions.items_of(revision)
    cited = standard.check_covered(revision=revision, items=items, submitter=author, now=now)
    asked = Asked(change_request=change_request, items=items, schedule=schedule, now=now)
    gates.check_open(step=Step.REVIEW, asked=asked)
    change_request.status = status
    change_request.submitted_at = now
    change_request.save(update_fields=["status", "submitted_at"])
    record_step(
        type=events.REQUEST_SUBMITTED,
        change_request=change_request,
        actor=author,
        now=now,
        revision=revision,
    )
    if cited is not None:
        _preapprove(change_request, revision, cited, now)
    else:
        stages.ask(change_request=change_request, revision=revision, now=now)
    return change_request


def _preapprove(change_request: ChangeRequest, revision: Revision, cited: Citation, now: datetime) -> None:
    """Approve a standard change in the system's name: its template was approved before."""
    change_request.status = rules.next_status(change_request=change_request, action=Action.PREAPPROVE)
    change_request.approved_at = now
    change_request.save(update_fields=["status", "approved_at"])
    record_step(
        type=events.REQUEST_PREAPPROVED,
        change_request=change_request,
        actor=None,
        now=now,
        revision=revision,
        template=cited.name,
        template_id=str(cited.template_id),
        version=cited.version,
    )
    leave_to_clock(change_request=change_request, revision=revision, now=now)


@transaction.atomic
def withdraw(*, change_request_id: uuid.UUID, user: User, now: datetime) -> ChangeRequest:
    """
    Close a request without applying it; what was staged for it is removed.

    :raises WrongState: if the request is closed
    :raises NotPermitted: if the user is neither the author nor may apply changes
    """
    change_request = locked(change_request_id)
    permissions.check_may_withdraw(user=user, change_request=change_request)
    change_request.status = rules.next_status(change_request=change_request, action=Action.WITHDRAW)
    change_request.closed_at = now
    change_request.save(update_fields=["status", "closed_at"])
    record_step(
        type=events.REQUEST_WITHDRAWN,
        change_request=change_request,
        actor=user,
        now=now,
    )
    governed.discard(items=revisions.items_ever_of(change_request), now=now)
    return change_request
