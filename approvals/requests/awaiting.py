"""What waits for whose decision: one query, however many requests there are."""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Subquery

from approvals import roles
from approvals.authority.models import Delegation
from approvals.requests.models import ChangeRequest, ChangeRequestQuerySet, Decision, Revision, Stage
from approvals.requests.states import Status
from foundation.identity.models import User


def awaiting_decision_of(requests: ChangeRequestQuerySet, *, user: User, now: datetime) -> ChangeRequestQuerySet:
    """
    Of these requests those in review whose open stage asks the user, by role, by name or as backup, or somebody for
    whom the user decides by a delegation in force.

    The user neither wrote a revision of it nor decided on the current one, and neither did whose authority is used.
    Limits are not asked here: a request above the user's own says so on its page.
    """
    if not user.has_perm(roles.DECIDE):
        return requests.none()
    revision = OuterRef("current_revision")
    open_stage = Stage.objects.filter(revision=revision, completed_at__isnull=True).order_by("position")
    asked = Q(Exists(Stage.objects.asking(user).filter(id=OuterRef("open_stage")))) & _unused(user.human_id)
    for delegation in Delegation.objects.in_force_at(now).given_to(user).select_related("delegator"):
        asked |= _decidable_for(delegation)
    return (
        requests.filter(status=Status.IN_REVIEW)
        .annotate(open_stage=Subquery(open_stage.values("id")[:1]), open_role=Subquery(open_stage.values("role")[:1]))
        .filter(asked)
        .filter(~Exists(Revision.objects.filter(change_request=OuterRef("pk"), author_human_id=user.human_id)))
        .filter(~Exists(Decision.objects.filter(revision=revision, decider_human_id=user.human_id)))
    )


def _decidable_for(delegation: Delegation) -> Q:
    """The condition that a delegator could decide on the open stage themselves, in the role that they passed on."""
    delegator = delegation.delegator
    if not delegator.is_active or not delegator.has_perms([roles.DECIDE, roles.VIEW_REQUESTS]):
        return Q(pk__in=[])
    asking = Stage.objects.asking(delegator, role=delegation.role).filter(id=OuterRef("open_stage"))
    written = Revision.objects.filter(change_request=OuterRef("pk"), author_human_id=delegator.human_id)
    seen = ChangeRequest.objects.filter(pk=OuterRef("pk")).visible_to(delegator)
    return Q(Exists(asking)) & ~Q(Exists(written)) & _unused(delegator.human_id) & Q(Exists(seen))


def _unused(human_id: UUID) -> Q:
    """The condition that nobody has used a human's authority on the current revision."""
    return ~Q(Exists(Decision.objects.by_authority_of(human_id).filter(revision=OuterRef("current_revision"))))
