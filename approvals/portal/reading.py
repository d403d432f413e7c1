"""A change request as people read it: state, approvals needed and given, plan, decisions, events."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.utils.functional import SimpleLazyObject

from approvals import governed
from approvals.events import REQUEST_FAILED, REQUEST_MISSED
from approvals.governed import Occasion, PreparedItem
from approvals.portal import actions
from approvals.portal.actions import Button
from approvals.portal.moved import moved
from approvals.requests import (
    deciding,
    expiry,
    given_out,
    obstacles,
    outlook,
    permissions,
    revisions,
    schedules,
    standard,
)
from approvals.requests.deciding import Capacity
from approvals.requests.drift import Drift, drifts_of
from approvals.requests.gates import Obstacle
from approvals.requests.models import Authorization, ChangeRequest, Decision, Revision, Stage, stale_decisions
from approvals.requests.schedules import Schedule
from approvals.requests.services import current
from approvals.requests.stages import open_stage
from approvals.requests.statements import signer, statement
from approvals.requests.states import OPEN, PRESENTATIONS, Status
from approvals.roles import DECIDE, ROLES
from audit import contributors
from audit.ledger.models import Event
from foundation.errors import NotFound
from foundation.identity.models import User
from foundation.web import instants

NAMES_SHOWN = 6
EVENTS_SHOWN = 100


@dataclass(frozen=True)
class ShownStage:
    """A stage of the chain: what it needs, what it has, whom it names, and who could still give it."""

    stage: Stage
    names: Sequence[str]
    state: str
    given: Sequence[Decision]
    missing: int
    eligible: Sequence[str]
    eligible_more: int
    excluded: Sequence[outlook.Excluded]
    deputies: Sequence[outlook.Deputy]

    @property
    def too_few(self) -> bool:
        """Whether nobody is left who could fill the quorum."""
        return self.state != "passed" and len(self.eligible) + self.eligible_more < self.missing


@dataclass(frozen=True)
class ShownEvent:
    """One event as a sentence."""

    sentence: str
    recorded_at: datetime


@dataclass(frozen=True)
class Reading:
    """Everything that the page of a change request shows to one reader."""

    change_request: ChangeRequest
    revision: Revision
    owner: str
    rationale: Mapping[str, Any]
    waiver: Mapping[str, str] | None
    schedule: Schedule | None
    came_back: str
    obstacles: Sequence[Obstacle]
    drifts: Sequence[Drift]
    expires_at: datetime | None
    risk: Mapping[str, Any] | None
    new_gaps: bool
    plan: Mapping[str, Any]
    plan_template: str
    plan_context: Mapping[str, Any]
    stages: Sequence[ShownStage]
    missing_people: int
    open_stage: Stage | None
    why_not_decide: str
    capacities: Sequence[Capacity]
    why_not_edit: str
    buttons: Sequence[Button]
    decisions: Sequence[Decision]
    stale: Sequence[Decision]
    events: Sequence[ShownEvent]
    record_events: int
    authorization: Authorization | None
    item_count: int
    sentence: str
    permanent: Sequence[str] | None
    as_of: datetime
    statement: str
    role: str

    @property
    def differ(self) -> bool:
        """Whether others changed a field of which this change says something else."""
        return any(drift.differing for drift in self.drifts)

    @property
    def counts(self) -> str:
        """The plan's first line without the warning, which stands above it."""
        summary, warning = str(self.plan.get("summary", "")), self.plan.get("interruption")
        return summary.removesuffix(f"; {warning}.") + "." if warning and warning in summary else summary

    @property
    def not_asked(self) -> str:
        """Why the stages were not asked and are asked no more, in a sentence; empty if they were, or will be."""
        basis = self.authorization.basis if self.authorization else ""
        if basis == Authorization.Basis.EMERGENCY:
            return "These stages were not asked before: they review the emergency afterwards."
        approved = self.change_request.approved_at is not None
        if basis == Authorization.Basis.STANDARD or (approved and standard.of(self.revision.document) is not None):
            return "These stages were not asked: the standard template that it cites was approved before."
        return ""

    @property
    def status(self) -> str:
        """The request's status, for comparison."""
        return str(self.change_request.status)

    @property
    def in_review(self) -> bool:
        """Whether decisions are asked for."""
        return self.change_request.status == Status.IN_REVIEW


def found(*, number: int, user: User) -> ChangeRequest:
    """
    The request of a number, if the user may see it.

    :raises NotFound: if there is none, or the user may not see all that it touches
    """
    key = ChangeRequest.objects.filter(number=number).values_list("id", flat=True).first()
    if key is None:
        raise NotFound("There is no such change request, or it touches what is not granted to you.")
    return permissions.visible_request(user=user, change_request_id=key)


def read(*, number: int, user: User, now: datetime) -> Reading:
    """
    A request with its current revision, as one reader sees it.

    :raises NotFound: if there is none, or the user may not see all that it touches
    """
    change_request = found(number=number, user=user)
    revision = current(change_request)
    items = cast(Sequence[PreparedItem], SimpleLazyObject(lambda: revisions.items_of(revision)))
    presenter = governed.presenter()
    stage = open_stage(revision) if change_request.status == Status.IN_REVIEW else None
    role = role_of(user, stage)
    document = revision.document
    given_out.note(change_request, document)
    events, record_events = _events(change_request)
    in_the_way = obstacles.of_request(change_request=change_request, reader=user, now=now, items=items)
    approvers = outlook.of_request(change_request=change_request, now=now)
    capacities = (
        deciding.capacities(user=user, change_request=change_request, revision=revision, stage=stage, now=now)
        if stage
        else ()
    )
    why_not_decide = actions.why_not_decide(
        change_request=change_request, revision=revision, stage=stage, user=user, now=now
    )
    return Reading(
        change_request=change_request,
        revision=revision,
        owner=PRESENTATIONS[Status(change_request.status)].owner,
        rationale=document["rationale"],
        waiver=document["waiver"],
        schedule=schedules.of(document),
        came_back=_came_back(change_request),
        obstacles=in_the_way,
        drifts=drifts_of(items) if change_request.status in OPEN else (),
        expires_at=expiry.expires_at(change_request),
        risk=document["risk"],
        new_gaps=document["plan"]["new_gaps"],
        plan=revision.plan,
        plan_template=presenter.template_name,
        plan_context=presenter.context(
            document=revision.plan, occasion=occasion(change_request, revision, user, now, role=role)
        ),
        sentence=str(revision.plan.get("sentence") or revision.plan.get("summary") or "This change has no plan."),
        permanent=revision.plan.get("permanent"),
        as_of=instants.parsed(revision.plan.get("as_of")) or revision.created_at,
        statement=statement(
            change_request=change_request, revision=revision, role=stage.whom, name=_signs(user, capacities)
        )
        if stage
        else "",
        role=role,
        stages=_stages(revision, approvers),
        missing_people=approvers.missing if change_request.status in OPEN else 0,
        open_stage=stage,
        why_not_decide="" if capacities else why_not_decide,
        capacities=capacities,
        why_not_edit=actions.why_not_edit(change_request=change_request, user=user),
        buttons=actions.buttons(
            change_request=change_request, revision=revision, obstacles=in_the_way, user=user, now=now
        ),
        decisions=list(
            revision.decisions.select_related("decider", "stage", "on_behalf_of__delegator").order_by(
                "decided_at", "id"
            )
        ),
        stale=_stale(change_request),
        events=events,
        record_events=record_events,
        authorization=Authorization.objects.filter(change_request=change_request).first(),
        item_count=len(document["items"]),
    )


def _signs(user: User, capacities: Sequence[Capacity]) -> str:
    """Who would sign, in whose place."""
    if len(capacities) > 1:
        return f"{user}, for whom the choice above says,"
    delegated = [one.person for one in capacities if one.delegation]
    return signer(user=user, delegator=delegated[0] if delegated else None)


def role_of(user: User, stage: Stage | None) -> str:
    """The role that a reader signs for: the open stage's if they have it, else the first of theirs that decides."""
    own = set(user.groups.values_list("name", flat=True))
    if stage is not None and stage.role in own:
        return stage.role
    return next((role.name for role in ROLES if role.name in own and DECIDE in role.permissions), "")


def occasion(
    change_request: ChangeRequest, revision: Revision, user: User, now: datetime, *, role: str = ""
) -> Occasion:
    """For whom and when a plan is shown; of an open request with what moved since."""
    still_open = change_request.status in OPEN
    return Occasion(
        user=user,
        now=now,
        change_request_id=change_request.id,
        role=role,
        moved=moved(revision) if still_open else (),
    )


def _came_back(change_request: ChangeRequest) -> str:
    """Why a request was missed or failed; empty of any other status."""
    event_type = {Status.MISSED: REQUEST_MISSED, Status.FAILED: REQUEST_FAILED}.get(Status(change_request.status))
    if event_type is None:
        return ""
    own = Event.objects.of_change_request(change_request.id).filter(type=event_type)
    last = own.order_by("-recorded_at", "-transaction_id", "-position").first()
    return str(last.data["why"]) if last else ""


def _stale(change_request: ChangeRequest) -> list[Decision]:
    """Decisions on earlier revisions, without those revisions' documents."""
    return list(
        stale_decisions(change_request)
        .select_related("decider", "stage", "revision", "on_behalf_of__delegator")
        .defer("revision__content", "revision__document")
        .order_by("decided_at", "id")
    )


def _stages(revision: Revision, found: outlook.Outlook) -> list[ShownStage]:
    given: dict[uuid.UUID, list[Decision]] = {}
    for decision in revision.decisions.select_related("decider", "on_behalf_of__delegator").order_by(
        "decided_at", "id"
    ):
        given.setdefault(decision.stage_id, []).append(decision)
    decided = {
        human
        for some in given.values()
        for decision in some
        for human in (decision.decider_human_id, decision.delegator_human_id or decision.decider_human_id)
    }
    outlooks = {one.stage.position: one for one in found.stages}
    shown, opened = [], False
    for stage in revision.stages.order_by("position"):
        state = "passed" if stage.completed_at else "later" if opened else "open"
        opened = opened or state == "open"
        approvals = [one for one in given.get(stage.id, []) if one.verdict == Decision.Verdict.APPROVE]
        of_stage = outlooks[stage.position] if state != "passed" else None
        names = [str(user) for user in of_stage.could if user.human_id not in decided] if of_stage else []
        shown.append(
            ShownStage(
                stage=stage,
                names=sorted(outlooks[stage.position].names.values()),
                state=state,
                given=approvals,
                missing=max(stage.quorum - len(approvals), 0),
                eligible=names[:NAMES_SHOWN],
                eligible_more=max(len(names) - NAMES_SHOWN, 0),
                excluded=of_stage.could_not[:NAMES_SHOWN] if of_stage else (),
                deputies=[one for one in of_stage.deputies if one.user.human_id not in decided][:NAMES_SHOWN]
                if of_stage
                else (),
            )
        )
    return shown


def _events(change_request: ChangeRequest) -> tuple[list[ShownEvent], int]:
    """The request's own events as sentences, and how many there are about the records that it changed."""
    of_request = Event.objects.of_change_request(change_request.id)
    own = list(of_request.filter(subject_id=change_request.id).order_by("recorded_at", "transaction_id", "position"))
    own = own[-EVENTS_SHOWN:]
    actors = {
        user.id: str(user) for user in User.objects.filter(id__in={event.actor_id for event in own if event.actor_id})
    }
    shown = [
        ShownEvent(
            contributors.sentence(
                type_name=event.type,
                data=event.data,
                actor=actors.get(event.actor_id, "Somebody") if event.actor_id else "The system",
                subject=event.subject_label,
            ),
            event.recorded_at,
        )
        for event in own
    ]
    return shown, of_request.exclude(subject_id=change_request.id).count()
