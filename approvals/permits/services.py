"""
Emergency permits: taken by a holder of the role for one revision, used once to apply it without its approvals.

What a permit stands in for is the approvals. Everything else is checked as for any application: digest, base versions,
rules, gaps, a fresh plan, the policies in force, and what closes a gate even in an emergency.

Source: docs/authorizations.md
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from approvals import events, governed
from approvals.governed import Plan, PreparedItem
from approvals.permits import notices, rules
from approvals.permits.errors import PermitHeld, PlanMoved
from approvals.permits.models import Permit
from approvals.policies.models import Policy
from approvals.policies.risk import raised_of
from approvals.policies.rules import PolicyRow, review_hours
from approvals.requests import application, gates, permissions, revisions, schedules
from approvals.requests import rules as request_rules
from approvals.requests.errors import MaterialMoved, PolicyStricter
from approvals.requests.gates import Asked, Step
from approvals.requests.models import Authorization, ChangeRequest, Revision
from approvals.requests.recording import record_step
from approvals.requests.services import current, locked
from approvals.requests.states import Action, Status
from foundation.errors import NotFound
from foundation.identity.models import User

AGAIN = "Edit the request, read the fresh plan, and take another permit if it still burns."


@transaction.atomic
def take(*, change_request_id: uuid.UUID, digest: str, user: User, reason: str, now: datetime) -> Permit:
    """
    Take a permit for the revision of a digest; it is valid at once and soon over. Nothing is applied yet.

    `digest` is that of the revision which the user read.

    :raises NoEmergencyRole: if the user does not hold the role
    :raises NotFound: if the user may not see the request
    :raises PermitNeedsReason: if the reason says nothing
    :raises PermitBlocked: if the review of an earlier permit is overdue
    :raises PermitHeld: if the user's human holds one for this revision
    :raises StaleDigest: if the request changed since the user read it
    :raises WrongState: if the request is closed; else as rules.check_applicable()
    """
    change_request = locked(change_request_id)
    rules.check_may_use(user=user, change_request=change_request)
    revision = current(change_request)
    request_rules.check_on_screen(revision=revision, digest=digest)
    rules.check_applicable(change_request=change_request, revision=revision, now=now)
    said = rules.check_reason(reason)
    rules.check_not_blocked(human_id=user.human_id, now=now)
    held = Permit.objects.filter(revision=revision, human_id=user.human_id, used_at__isnull=True, expires_at__gt=now)
    if held.exists():
        raise PermitHeld("You hold a permit for this revision already. Use it.")
    permit = Permit.objects.create(
        change_request=change_request,
        revision=revision,
        digest=digest,
        user=user,
        human_id=user.human_id,
        reason=said,
        issued_at=now,
        expires_at=now + timedelta(minutes=settings.EMERGENCY_PERMIT_MINUTES),
    )
    record_step(
        type=events.PERMIT_TAKEN,
        change_request=change_request,
        actor=user,
        now=now,
        revision=revision,
        permit=str(permit.id),
        reason=said,
        expires=schedules.utc_text(permit.expires_at),
    )
    return permit


@transaction.atomic
def use(*, permit_id: uuid.UUID, user: User, now: datetime) -> ChangeRequest:
    """
    Apply the revision of a permit at once, whole, in one transaction; the review of the permit begins.

    :raises NotFound: if there is no such permit, it is somebody else's, or the user may not see the request
    :raises NoEmergencyRole: if the user no longer holds the role
    :raises PermitUsed, PermitExpired: if the permit is not valid
    :raises PermitBlocked: if the review of an earlier permit is overdue
    :raises StaleDigest: if the request was edited since the permit was taken
    :raises WrongState: if the request is closed; else as rules.check_applicable()
    :raises StaleBase: if a record changed since the change was planned
    :raises GateClosed: if something stands in the way even in an emergency
    :raises PlanMoved: if a fresh plan is worse, or the policies in force ask for more
    :raises ConstraintViolated: if the registry's rules refuse a row

    Source: docs/invariants.md INV-1, INV-2, INV-8
    """
    change_request = locked(_request_of(permit_id))
    permit = Permit.objects.select_for_update().get(id=permit_id)
    if permit.human_id != user.human_id:
        raise NotFound("There is no such permit of yours.")
    rules.check_may_use(user=user, change_request=change_request)
    rules.check_valid(permit=permit, now=now)
    rules.check_not_blocked(human_id=user.human_id, now=now)
    revision = current(change_request)
    request_rules.check_on_screen(revision=revision, digest=permit.digest)
    rules.check_applicable(change_request=change_request, revision=revision, now=now)
    items = revisions.items_of(revision)
    revisions.check_untouched(revision=revision)
    governed.planner().hold(items=items)
    application.check_bases(items)
    asked = Asked(change_request=change_request, items=items, schedule=schedules.of(revision.document), now=now)
    for step in Step:
        gates.check_open(step=step, asked=asked, emergency=True)
    try:
        fresh = application.check_material(revision, items, now, then=AGAIN)
        application.check_policies(revision, items, fresh, then=AGAIN)
    except (MaterialMoved, PolicyStricter) as refusal:
        raise PlanMoved(refusal.message, **refusal.context) from None
    due_at = now + _review_time(revision, items, fresh)
    _approve(change_request, revision, permit, user, now, due_at)
    # The permit is marked as used right after it was cited.
    application.defer_constraints()
    Authorization.objects.create(
        change_request=change_request,
        revision=revision,
        digest=revision.digest,
        basis=Authorization.Basis.EMERGENCY,
        decisions=[],
        permit=permit,
        created_at=now,
    )
    permit.used_at, permit.review_due_at = now, due_at
    permit.save(update_fields=["used_at", "review_due_at"])
    application.write_applying(change_request=change_request, revision=revision, items=items, actor=user, now=now)
    notices.tell_used(permit=permit, now=now)
    return change_request


def _review_time(revision: Revision, items: Sequence[PreparedItem], plan: Plan) -> timedelta:
    """How long the review may take: the shortest time of the policies that match, or the setting's."""
    facts, _risk = revisions.risky_facts(items=items, plan=plan, raised=raised_of(revision.document))
    hours = review_hours(
        policies=[
            (PolicyRow(row.name, row.conditions, row.stages, row.waiver_role), row.emergency_review_hours or 0)
            for row in Policy.objects.in_force().exclude(emergency_review_hours=None)
        ],
        facts=facts,
        declared=governed.declared_facts(),
    )
    return timedelta(hours=hours or settings.EMERGENCY_REVIEW_HOURS)


def _request_of(permit_id: uuid.UUID) -> uuid.UUID:
    found = Permit.objects.filter(id=permit_id).values_list("change_request_id", flat=True).first()
    if found is None:
        raise NotFound("There is no such permit of yours.")
    return found


def _approve(
    change_request: ChangeRequest, revision: Revision, permit: Permit, user: User, now: datetime, due_at: datetime
) -> None:
    """Lead the request to `approved`, under the permit; each step has its event."""
    if change_request.status == Status.DRAFT:
        change_request.status = request_rules.next_status(change_request=change_request, action=Action.SUBMIT)
        change_request.submitted_at = now
        change_request.save(update_fields=["status", "submitted_at"])
        record_step(
            type=events.REQUEST_SUBMITTED, change_request=change_request, actor=user, now=now, revision=revision
        )
    change_request.status = request_rules.next_status(change_request=change_request, action=Action.PERMIT)
    change_request.approved_at = now
    change_request.save(update_fields=["status", "approved_at"])
    record_step(
        type=events.PERMIT_USED,
        change_request=change_request,
        actor=user,
        now=now,
        revision=revision,
        permit=str(permit.id),
        reason=permit.reason,
        due=schedules.utc_text(due_at),
    )


def visible_permit(*, permit_id: uuid.UUID, user: User) -> Permit:
    """
    The permit, if the user may see its request.

    :raises NotFound: if there is none, or the user may not see all that its request touches
    """
    found = Permit.objects.select_related("change_request", "user", "revision").filter(id=permit_id).first()
    if found is None or not permissions.sees(user=user, change_request=found.change_request):
        raise NotFound("There is no such permit, or its change touches what is not granted to you.")
    return found
