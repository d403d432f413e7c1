"""
What is not verified in time: told on a ladder to those who can see to it.

Note "Highest step": a run climbs to the step that has come and sends one mail for it; after downtime the steps below it
are not sent belatedly.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from approvals import events, roles
from approvals.policies.eligibility import holders_of
from approvals.requests import permissions
from approvals.requests.models import ChangeRequest
from approvals.requests.recording import record_step
from approvals.requests.services import current
from approvals.requests.states import Status
from approvals.verification import rules
from approvals.verification.models import VerificationReminder
from approvals.verification.reads import due_at
from foundation.identity.models import User
from foundation.mail import services as mail

logger = logging.getLogger(__name__)

APPLYING_ROLES = frozenset(role.name for role in roles.ROLES if roles.APPLY in role.permissions)
# Whose business an application by the clock is.
CLOCK_ROLE = "it_operations"


def overdue(*, now: datetime) -> QuerySet[ChangeRequest]:
    """Applied changes whose time for verification is over and whose ladder is not climbed to its end, oldest first."""
    latest = now - timedelta(days=settings.VERIFICATION_DAYS)
    done = VerificationReminder.objects.filter(change_request=OuterRef("pk"), step=len(rules.LADDER))
    found = ChangeRequest.objects.filter(~Exists(done), status=Status.APPLIED, system=False, applied_at__lte=latest)
    return found.order_by("applied_at", "number")


def escalate(*, now: datetime) -> int:
    """
    Climb the ladder for every change that is not verified in time, each in a transaction of its own; how many were.

    Each step is told once: to the author, to those who hold a role by which it was applied, and to those of its last
    stage's role.

    Source: docs/after-application.md
    """
    climbed = 0
    for key in list(overdue(now=now).values_list("id", flat=True)):
        try:
            with transaction.atomic():
                climbed += _climb(key, now)
        except Exception:
            # One request may break in any way, and the others are overdue all the same.
            logger.exception("Change %s is not verified in time and broke; it is tried again at the next run.", key)
    return climbed


def _climb(key: UUID, now: datetime) -> bool:
    found = (
        overdue(now=now).select_for_update(skip_locked=True, of=("self",)).select_related("applied_by", "created_by")
    )
    change_request = found.filter(pk=key).first()
    if change_request is None:
        return False
    due = due_at(change_request)
    if due is None:
        return False
    step = rules.step_at(due=due, now=now)
    climbed = change_request.verification_reminders.aggregate(highest=Max("step"))["highest"] or 0
    if step <= climbed:
        return False
    VerificationReminder.objects.create(change_request=change_request, step=step, sent_at=now)
    record_step(
        type=events.REQUEST_VERIFICATION_OVERDUE,
        change_request=change_request,
        actor=None,
        now=now,
        revision=current(change_request),
        due=due,
        step=step,
        steps=len(rules.LADDER),
    )
    _tell(change_request, step, due, now)
    return True


def _tell(change_request: ChangeRequest, step: int, due: datetime, now: datetime) -> None:
    readers = [
        user for user in _concerned(change_request) if permissions.sees(user=user, change_request=change_request)
    ]
    mail.send(
        recipients=[user.id for user in readers],
        subject=f"Change {change_request.number} is not verified: {change_request.title}",
        text=(
            f"It was applied on {change_request.applied_at:%Y-%m-%d %H:%M %Z} and was to be verified by "
            f"{due:%Y-%m-%d %H:%M %Z}. Somebody who neither wrote nor applied it has to tick its acceptance criteria "
            f"with evidence. Until then it can be acted back.\n\nThis is reminder {step} of {len(rules.LADDER)}.\n\n"
            f"{settings.PUBLIC_URL}/changes/{change_request.number}/#after\n"
        ),
        now=now,
        key=f"verification:{change_request.id}:{step}",
    )


def _concerned(change_request: ChangeRequest) -> list[User]:
    """The author, the applier's colleagues, and the people of the last stage, each human once."""
    applier = change_request.applied_by
    held = set(applier.groups.values_list("name", flat=True)) & APPLYING_ROLES if applier else {CLOCK_ROLE}
    last = current(change_request).stages.order_by("-position").first()
    found = [change_request.created_by] if change_request.created_by else []
    for name in sorted(held):
        found += holders_of(name).order_by("id")
    if last is not None:
        found += last.deciders().order_by("id")
    humans: dict[object, User] = {}
    for user in found:
        if user.is_active:
            humans.setdefault(user.human_id, user)
    return list(humans.values())
