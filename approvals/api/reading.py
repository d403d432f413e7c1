"""Change requests as readers meet them: everything that a decision needs, and what the reader may do now."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from approvals import governed
from approvals.governed import PreparedItem, Scope
from approvals.policies.eligibility import names_of
from approvals.records.rows import changed_fields
from approvals.requests import (
    deciding,
    expiry,
    gates,
    given_out,
    obstacles,
    outlook,
    permissions,
    rules,
    schedules,
    standard,
)
from approvals.requests import revisions as revisions_of
from approvals.requests.drift import drifts_of
from approvals.requests.errors import AlreadyDecided, WrongState
from approvals.requests.gates import Obstacle, Step
from approvals.requests.models import (
    Authorization,
    ChangeRequest,
    ChangeRequestQuerySet,
    Decision,
    Item,
    Revision,
    Stage,
)
from approvals.requests.revisions import Planned
from approvals.requests.services import current
from approvals.requests.statements import statement
from approvals.requests.states import OPEN, PRESENTATIONS, Action, Status
from approvals.roles import VIEW_REQUESTS
from audit.reads.collecting import gave_document
from foundation.errors import DomainError, NotPermitted
from foundation.identity.models import User

Document = dict[str, Any]
# A plan that is not filed is about no record that could be named.
NOT_FILED = uuid.UUID(int=0)


def visible_requests(*, user: User) -> ChangeRequestQuerySet:
    """
    The requests that a user may see, with what a list shows of each, in one query.

    :raises NotPermitted: if the user may see none
    """
    if not user.has_perm(VIEW_REQUESTS):
        raise NotPermitted("You may not read change requests. Ask an administrator for a role.")
    return (
        ChangeRequest.objects.all()
        .visible_to(user)
        .select_related("current_revision", "created_by", "applied_by")
        .defer("current_revision__content", "current_revision__document")
    )


def read(*, change_request_id: uuid.UUID, user: User, now: datetime) -> Document:
    """
    Everything about a request, for one reader.

    :raises NotFound: if there is none, or the user may not see all that it touches
    """
    change_request = permissions.visible_request(user=user, change_request_id=change_request_id)
    revision = current(change_request)
    given_out.note(change_request, revision.document)
    versions = list(change_request.revisions.select_related("author").defer("content", "document").order_by("number"))
    decisions = list(
        Decision.objects.filter(revision__change_request=change_request)
        .select_related("decider", "revision", "on_behalf_of__delegator")
        .defer("revision__content", "revision__document")
        .order_by("decided_at", "id")
    )
    stages = list(revision.stages.order_by("position"))
    names = names_of(human for stage in stages for human in stage.people)
    items = revisions_of.items_of(revision) if change_request.status in OPEN else ()
    found = obstacles.of_request(change_request=change_request, reader=user, now=now, items=items)
    return _summary(change_request, revision) | {
        "awaits": PRESENTATIONS[Status(change_request.status)].owner,
        "rationale": revision.document["rationale"],
        "waiver": revision.document["waiver"],
        "schedule": revision.document["schedule"],
        "standard": revision.document.get("standard"),
        "authorization": Authorization.objects.filter(change_request=change_request).first(),
        "revisions": versions,
        "items": _stored_items(revision),
        "plan": revision.plan,
        "sentence": str(revision.plan.get("sentence") or revision.plan.get("summary") or ""),
        "statement": _statement(change_request, revision, stages, user),
        "risk": revision.document["risk"],
        "new_gaps": revision.document["plan"]["new_gaps"],
        "failures": revision.document["plan"].get("failures", []),
        "stages": [_stage(stage, [row for row in decisions if row.stage_id == stage.id], names) for stage in stages],
        "stale_decisions": [row for row in decisions if row.revision_id != revision.id],
        "obstacles": found,
        "moved": [drift.document() for drift in drifts_of(items)],
        "expires_at": expiry.expires_at(change_request),
        "actions": _actions(change_request, revision, stages, decisions, found, user, now),
    }


def approvers(*, change_request_id: uuid.UUID, user: User, now: datetime) -> Document:
    """
    Who has to approve the current revision of a request, and who could.

    :raises NotFound: if there is none, or the user may not see all that it touches
    """
    change_request = permissions.visible_request(user=user, change_request_id=change_request_id)
    return _approvers(outlook.of_request(change_request=change_request, now=now))


def preview(planned: Planned, *, author: User, now: datetime) -> Document:
    """
    A plan that is not filed: what would happen, what stands in its way, who would have to approve it, who could, and
    which templates cover it.
    """
    facts = revisions_of.facts_of(items=planned.items, plan=planned.plan)
    held = [planned.plan.document, *(item.before for item in planned.items)]
    gave_document(held, "", {NOT_FILED: "a plan that is not filed"})
    return {
        "items": [
            _planned_item(position, item) | {"facts": facts[position]} for position, item in enumerate(planned.items)
        ],
        "plan": planned.plan.document,
        "risk": planned.risk.as_document() if planned.risk else None,
        "new_gaps": planned.plan.new_gaps,
        "failures": list(planned.plan.failures),
        "obstacles": obstacles.of_plan(planned=planned, reader=author, now=now),
        "standards": standard.outlook(planned=planned, author=author, now=now),
    } | _approvers(
        outlook.outlook(
            stages=planned.stages,
            scope=Scope.merged(item.scope for item in planned.items),
            authors=frozenset({author.human_id}),
            size=planned.plan.size,
            now=now,
        )
    )


def _statement(change_request: ChangeRequest, revision: Revision, stages: Iterable[Stage], user: User) -> str | None:
    stage = next((stage for stage in stages if stage.completed_at is None), None)
    if change_request.status != Status.IN_REVIEW or stage is None:
        return None
    return statement(change_request=change_request, revision=revision, role=stage.whom, name=str(user))


def _approvers(found: outlook.Outlook) -> Document:
    return {
        "stages": [
            asdict(one.stage)
            | {
                "people": _people(one.stage.people, one.names),
                "could_decide": one.could,
                "could_not_decide": one.could_not,
                "deputies": one.deputies,
                "enough": one.enough,
            }
            for one in found.stages
        ],
        "missing_people": found.missing,
    }


def _summary(change_request: ChangeRequest, revision: Revision) -> Document:
    names = ("id", "number", "title", "status", "source", "system", "created_by", "created_at", "submitted_at")
    later = ("approved_at", "applied_at", "applied_by", "closed_at")
    return {name: getattr(change_request, name) for name in (*names, *later)} | {"revision": revision}


def _stage(stage: Stage, decisions: list[Decision], names: Mapping[str, str]) -> Document:
    own = ("position", "role", "quorum", "reasons", "backup_role", "due_hours", "within_limit")
    at = ("opened_at", "due_at", "escalated_at", "completed_at")
    return {name: getattr(stage, name) for name in (*own, *at)} | {
        "people": _people(stage.people, names),
        "decisions": decisions,
    }


def _people(humans: Iterable[str], names: Mapping[str, str]) -> list[Document]:
    return [{"human_id": human, "name": names.get(human, "Somebody")} for human in humans]


def _stored_items(revision: Revision) -> list[Document]:
    plan = revision.document["plan"]
    items = list(revision.items.order_by("position"))
    own = plan["item_facts"] or [{}] * len(items)
    return [
        _stored_item(item) | {"facts": {**plan["facts"], **item.facts, **added}}
        for item, added in zip(items, own, strict=True)
    ]


def _stored_item(item: Item) -> Document:
    return _item(item.position, item, before=item.before, after=item.after)


def _planned_item(position: int, item: PreparedItem) -> Document:
    return _item(position, item, before=item.before, after=item.after)


def _item(
    position: int,
    item: Item | PreparedItem,
    *,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> Document:
    old, new = before or {}, after or {}
    return {
        "position": position,
        "kind": item.kind,
        "title": _title(item.kind),
        "record_id": item.record_id,
        "operation": str(item.operation),
        "base_version": item.base_version,
        "label": item.label,
        "payload": item.payload,
        "effects": item.effects,
        "changes": [
            {"field": name, "old": old.get(name), "new": new.get(name)} for name in changed_fields(before, after)
        ],
    }


def _title(kind_name: str) -> str:
    # A request is kept for ever; its kind may have gone since.
    known = governed.kinds().get(kind_name)
    return known.title if known else kind_name


def _actions(
    change_request: ChangeRequest,
    revision: Revision,
    stages: Iterable[Stage],
    decisions: Iterable[Decision],
    found: Sequence[Obstacle],
    user: User,
    now: datetime,
) -> list[Document]:
    stage = next((stage for stage in stages if stage.completed_at is None), None)
    has_decided = any(row.revision_id == revision.id and row.decider_human_id == user.human_id for row in decisions)

    def review() -> None:
        if stage is None:
            raise WrongState(f"Change {change_request.number} has every approval that it needs.")
        if has_decided:
            raise AlreadyDecided("You have decided on this revision already. A new revision asks you again.")
        if not deciding.capacities(user=user, change_request=change_request, revision=revision, stage=stage, now=now):
            deciding.check_may_decide(user=user, change_request=change_request, revision=revision, stage=stage, now=now)
            raise AlreadyDecided("Somebody has decided on this revision for you already.")

    edit = partial(permissions.check_may_edit, user=user, change_request=change_request)

    def submit() -> None:
        edit()
        gates.check_not_stopped(step=Step.REVIEW, found=found)

    def apply() -> None:
        permissions.check_may_apply(user=user, change_request=change_request)
        rules.check_window(change_request=change_request, schedule=schedules.of(revision.document), now=now)
        gates.check_not_stopped(step=Step.APPLICATION, found=found)

    withdraw = partial(permissions.check_may_withdraw, user=user, change_request=change_request)
    checks: tuple[tuple[str, Action, Callable[[], None]], ...] = (
        ("amend", Action.AMEND, edit),
        ("replan", Action.AMEND, edit),
        ("submit", Action.SUBMIT, submit),
        ("approve", Action.COMPLETE, review),
        ("ask_for_changes", Action.ASK_FOR_CHANGES, review),
        ("reject", Action.REJECT, review),
        ("apply", Action.BEGIN, apply),
        ("withdraw", Action.WITHDRAW, withdraw),
    )
    return [
        {"action": name, "why_not": why_not, "allowed": why_not is None}
        for name, action, check in checks
        for why_not in (_why_not(change_request, action, check),)
    ]


def _why_not(change_request: ChangeRequest, action: Action, check: Callable[[], None]) -> str | None:
    """The sentence that the action would be refused with, or None."""
    try:
        rules.next_status(change_request=change_request, action=action)
        check()
    except DomainError as refusal:
        return refusal.message
    return None
