"""What waits for a person: decisions, requests that came back, approved changes to apply; since when, until when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from approvals import events, roles
from approvals.reminders.models import Attention
from approvals.requests.awaiting import awaiting_decision_of
from approvals.requests.models import ChangeRequest, ChangeRequestQuerySet, Stage
from approvals.requests.states import RETURNED, Status
from audit.ledger.models import Event
from foundation.identity.models import User
from foundation.ladder import ESCALATION, Rung, ladder, reached

DECIDE, MEND, APPLY = "decide", "mend", "apply"
_CAME_BACK = (events.REQUEST_CHANGES_ASKED, events.REQUEST_MISSED, events.REQUEST_FAILED)


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for a person, and what they said of it."""

    change_request: ChangeRequest
    what: str
    occasion: str
    since: datetime
    due_at: datetime | None
    attention: Attention | None

    def overdue(self, now: datetime) -> bool:
        """Whether it should have been done."""
        return self.due_at is not None and self.due_at <= now

    def snoozed(self, now: datetime) -> bool:
        """Whether the person put it off until later than now."""
        until = self.attention.snoozed_until if self.attention else None
        return until is not None and until > now

    def rung(self, now: datetime) -> Rung | None:
        """The latest rung of which the person is to be reminded, or None."""
        rungs = [one for one in ladder(since=self.since, due_at=self.due_at) if one.step != ESCALATION]
        latest = reached(rungs, now=now)
        if latest is None or self.snoozed(now):
            return None
        acknowledged = self.attention is not None and self.attention.acknowledged_at is not None
        if acknowledged and not (self.due_at is not None and latest.at >= self.due_at):
            return None
        return latest


def waiting_for(user: User, now: datetime) -> list[Waiting]:
    """
    Everything that waits for a person, what is due first, in as many queries however much it is.

    Nothing for somebody who may not read requests.
    """
    if not user.is_active or not user.has_perm(roles.VIEW_REQUESTS):
        return []
    seen = ChangeRequest.objects.visible_to(user)
    attentions = {row.occasion: row for row in Attention.objects.filter(human_id=user.human_id)}
    found = [
        *_decisions(seen, user, attentions, now),
        *_returned(seen, user, attentions),
        *_approved(seen, user, attentions),
    ]
    return sorted(found, key=lambda one: (one.due_at is None, one.due_at or one.since, one.change_request.number))


def waits_of(user: User, change_request: ChangeRequest, now: datetime) -> Waiting | None:
    """What waits for a person on one request, or None."""
    seen = ChangeRequest.objects.visible_to(user).filter(id=change_request.id)
    attentions = {
        row.occasion: row
        for row in Attention.objects.filter(human_id=user.human_id, change_request_id=change_request.id)
    }
    found = [
        *_decisions(seen, user, attentions, now),
        *_returned(seen, user, attentions),
        *_approved(seen, user, attentions),
    ]
    return found[0] if found else None


def _decisions(
    seen: ChangeRequestQuerySet, user: User, attentions: Mapping[str, Attention], now: datetime
) -> Sequence[Waiting]:
    if not user.has_perm(roles.DECIDE):
        return []
    requests = {request.id: request for request in awaiting_decision_of(seen, user=user, now=now)}
    stages: dict[UUID, Stage] = {}
    for stage in (
        Stage.objects.filter(
            revision__change_request__in=list(requests), completed_at__isnull=True, opened_at__isnull=False
        )
        .filter(revision__in=[request.current_revision_id for request in requests.values()])
        .select_related("revision")
        .defer("revision__content", "revision__document")
        .order_by("-position")
    ):
        stages[stage.revision.change_request_id] = stage
    return [
        _waiting(requests[key], DECIDE, f"stage:{stage.id}", stage.opened_at, stage.due_at, attentions)
        for key, stage in stages.items()
        if stage.opened_at is not None
    ]


def _returned(seen: ChangeRequestQuerySet, user: User, attentions: Mapping[str, Attention]) -> Sequence[Waiting]:
    requests = {request.id: request for request in seen.written_by(user).filter(status__in=sorted(RETURNED))}
    since = dict(
        Event.objects.filter(change_request_id__in=list(requests), type__in=_CAME_BACK)
        .values_list("change_request_id")
        .annotate(latest=Max("recorded_at"))
    )
    return [
        _waiting(request, MEND, f"mend:{key}:{since[key].isoformat()}", since[key], None, attentions)
        for key, request in requests.items()
        if key in since
    ]


def _approved(seen: ChangeRequestQuerySet, user: User, attentions: Mapping[str, Attention]) -> Sequence[Waiting]:
    if not user.has_perm(roles.APPLY):
        return []
    return [
        _waiting(
            request,
            APPLY,
            f"apply:{request.id}:{request.approved_at.isoformat()}",
            request.approved_at,
            None,
            attentions,
        )
        for request in seen.filter(status=Status.APPROVED, approved_at__isnull=False)
        if request.approved_at is not None
    ]


def _waiting(
    request: ChangeRequest,
    what: str,
    occasion: str,
    since: datetime,
    due_at: datetime | None,
    attentions: Mapping[str, Attention],
) -> Waiting:
    return Waiting(request, what, occasion, since, due_at, attentions.get(occasion))
