"""
Applying an approved request: whole, in one transaction, under locks, or not at all.

Note "The status applying": it is set and left inside one transaction, so no other session ever sees it. The governed
trigger of every governed table demands it, together with the transaction-local settings made here.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import connection, transaction

from approvals import events, governed
from approvals.governed import Application, Operation, Plan, PreparedItem
from approvals.policies.eligibility import hold_people
from approvals.policies.locking import hold_policies, lock_policies
from approvals.policies.models import Policy
from approvals.policies.risk import raised_of
from approvals.policies.rules import TicketDemand, beyond, tickets_beyond
from approvals.requests import gates, notices, permissions, revisions, rules, schedules, stages, standard
from approvals.requests.deciding import counting, lock_delegations
from approvals.requests.drift import drifts_of
from approvals.requests.errors import MaterialMoved, PolicyStricter, QuorumLost, StaleBase, StandardLost, WrongState
from approvals.requests.gates import Asked, Step
from approvals.requests.models import Authorization, ChangeRequest, Decision, Revision
from approvals.requests.recording import record_step
from approvals.requests.revisions import Planned, Waiver
from approvals.requests.services import current, locked
from approvals.requests.states import Action, Status
from foundation.errors import DomainError
from foundation.identity.models import User
from foundation.integrity import refine_known

# What is worse than approved: it opens the review again.
REOPENING = (MaterialMoved, PolicyStricter, QuorumLost, StandardLost)
AGAIN = "The review is open again on a fresh plan."


class _ReopensReview(Exception):
    """Carries a refusal out of the transaction that it undoes, so that the review can be opened again."""

    def __init__(self, refusal: DomainError) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def apply(*, change_request_id: uuid.UUID, user: User, now: datetime) -> ChangeRequest:
    """
    Write every item of an approved request in one transaction, by the authority of its decisions.

    Checked again under locks: digest, eligibility of those who decided, base versions, what is material in a fresh
    plan, and the policies in force. What is worse than approved refuses and opens the review of a fresh revision.

    :raises WrongState: if the request is not approved
    :raises NotPermitted: if the user may not apply changes
    :raises NotYet: if it is scheduled and its window has not opened
    :raises WindowClosed: if it is scheduled and its window is over
    :raises DigestMismatch: if the stored revision is not what its digest says
    :raises StaleBase: if a record changed since the change was planned
    :raises GateClosed: if something else stands in the way, such as a freeze
    :raises MaterialMoved: if a gap, a loser or cost was added since the review
    :raises PolicyStricter: if the policies in force ask for more
    :raises QuorumLost: if a decider is no longer eligible
    :raises StandardLost: if it is a standard change, and its template no longer covers it
    :raises StandardLimitReached: if its template was applied as often as it allows
    :raises ConstraintViolated: if the registry's rules refuse a row

    Source: docs/invariants.md INV-1, INV-2, INV-3, INV-8
    """
    return _applied_or_reopened(change_request_id=change_request_id, user=user, now=now)


def apply_scheduled(*, change_request_id: uuid.UUID, now: datetime) -> ChangeRequest:
    """
    Apply a scheduled request inside its window, in the system's name; checked as for a person.

    :raises WrongState: if the request is not scheduled; else as apply()

    Source: docs/scheduling.md
    """
    return _applied_or_reopened(change_request_id=change_request_id, user=None, now=now)


def _applied_or_reopened(*, change_request_id: uuid.UUID, user: User | None, now: datetime) -> ChangeRequest:
    try:
        return _apply(change_request_id=change_request_id, user=user, now=now)
    except _ReopensReview as reopened:
        _reopen(change_request_id=change_request_id, now=now, why=reopened.refusal.message)
        raise reopened.refusal from None


@transaction.atomic
def _apply(*, change_request_id: uuid.UUID, user: User | None, now: datetime) -> ChangeRequest:
    change_request = locked(change_request_id)
    if user is not None:
        permissions.check_may_apply(user=user, change_request=change_request)
    elif change_request.status != Status.SCHEDULED:
        raise WrongState(f"Change {change_request.number} is not scheduled, so the clock does not apply it.")
    rules.next_status(change_request=change_request, action=Action.BEGIN)
    revision = current(change_request)
    schedule = schedules.of(revision.document)
    rules.check_window(change_request=change_request, schedule=schedule, now=now)
    revisions.check_untouched(revision=revision)
    items = revisions.items_of(revision)
    (lock_policies if any(item.table == Policy._meta.db_table for item in items) else hold_policies)()
    # Before the records themselves: everybody locks in this order.
    governed.planner().hold(items=items)
    check_bases(items)
    asked = Asked(change_request=change_request, items=items, schedule=schedule, now=now)
    gates.check_open(step=Step.APPLICATION, asked=asked)
    try:
        authority = _authority(change_request, revision, items, now)
    except REOPENING as refusal:
        raise _ReopensReview(refusal) from None
    Authorization.objects.create(
        change_request=change_request, revision=revision, digest=revision.digest, created_at=now, **authority
    )
    write_applying(change_request=change_request, revision=revision, items=items, actor=user, now=now)
    notices.tell_author(change_request=change_request, what="is applied", actor=user, now=now)
    return change_request


def _authority(
    change_request: ChangeRequest, revision: Revision, items: Sequence[PreparedItem], now: datetime
) -> dict[str, Any]:
    """By what the request is applied: the version of a template that it cites, or else the decisions of its stages."""
    citation = standard.of(revision.document)
    if citation is not None:
        fresh = check_material(revision, items, now)
        # A template stands instead of stages; a ticket is demanded besides.
        weighed = revisions.weighed(items=items, plan=fresh, raised=raised_of(revision.document))
        _refuse_stricter(_tickets_beyond(revision, weighed.demands), AGAIN)
        return standard.authority(citation=citation, revision=revision, items=items, fresh=fresh, now=now)
    decisions = _counting_decisions(change_request, revision)
    check_policies(revision, items, check_material(revision, items, now))
    return {"basis": Authorization.Basis.QUORUM, "decisions": [str(decision.id) for decision in decisions]}


def write_applying(
    *,
    change_request: ChangeRequest,
    revision: Revision,
    items: Sequence[PreparedItem],
    actor: User | None,
    now: datetime,
) -> None:
    """
    Pass through `applying`: write the items, check every constraint, record, and leave it. Needs an authorization.
    """
    with applying(change_request):
        application = Application(
            now=now,
            actor=actor,
            change_request_id=change_request.id,
            change_request_number=change_request.number,
        )
        with refine_known():
            for kind_name, group in groupby(items, key=lambda item: item.kind):
                governed.kind(kind_name).write(items=list(group), application=application)
            change_request.status = rules.next_status(change_request=change_request, action=Action.FINISH)
            change_request.applied_at = now
            # A system request has no criteria that somebody could verify.
            change_request.closed_at = now if change_request.system else None
            change_request.applied_by = actor
            change_request.save(update_fields=["status", "applied_at", "closed_at", "applied_by"])
            _close_reverted(change_request, actor, now)
            _check_constraints()
        record_step(
            type=events.REQUEST_APPLIED,
            change_request=change_request,
            actor=actor,
            now=now,
            revision=revision,
            authorization=Authorization.Basis(change_request.authorization.basis).label,
            items=len(items),
        )


def _close_reverted(change_request: ChangeRequest, actor: User | None, now: datetime) -> None:
    """Close the request of which the applied one is the inverse, unless it was closed before."""
    if change_request.reverts_id is None:
        return
    original = locked(change_request.reverts_id)
    if not rules.allows(change_request=original, action=Action.REVERT):
        return
    original.status = rules.next_status(change_request=original, action=Action.REVERT)
    original.closed_at = now
    original.save(update_fields=["status", "closed_at"])
    record_step(
        type=events.REQUEST_REVERTED,
        change_request=original,
        actor=actor,
        now=now,
        revision=current(original),
        inverse=change_request.number,
    )
    told = f"What it changed is as it was before, as far as that can be: see change {change_request.number}."
    notices.tell_author(change_request=original, what="is acted back", actor=actor, now=now, more=told)


@contextmanager
def applying(change_request: ChangeRequest) -> Iterator[None]:
    """Set the status and the transaction-local settings that the governed trigger demands; clear the settings after."""
    defer_constraints()
    change_request.status = rules.next_status(change_request=change_request, action=Action.BEGIN)
    change_request.save(update_fields=["status"])
    _set_local(change_request_id=str(change_request.id), number=str(change_request.number))
    yield
    _set_local(change_request_id="", number="")


def check_bases(items: Sequence[PreparedItem]) -> None:
    """
    Lock every record that is changed and refuse if one is not at the version it was planned on.

    :raises StaleBase: naming the records that moved

    Source: docs/invariants.md INV-2
    """
    moved = []
    for table in sorted({item.table for item in items if item.operation is not Operation.INSERT}):
        expected = {
            item.record_id: item for item in items if item.table == table and item.operation is not Operation.INSERT
        }
        model = governed.kind(next(iter(expected.values())).kind).model
        rows = model._default_manager.select_for_update().filter(pk__in=sorted(expected)).order_by("pk")
        versions = dict(rows.values_list("pk", "version"))
        moved += [item for key, item in expected.items() if versions.get(key) != item.base_version]
    if moved:
        drifts = drifts_of(moved)
        listed = "; ".join(drift.sentence for drift in drifts[:5])
        raise StaleBase(
            f"Changed since this was planned: {listed}. Plan it again on what stands now, or withdraw it.",
            records=[str(item.record_id) for item in moved],
            moved=[drift.document() for drift in drifts],
        )


def _counting_decisions(change_request: ChangeRequest, revision: Revision) -> list[Decision]:
    lock_delegations(revision)
    hold_people(
        key
        for pair in revision.decisions.values_list("decider_id", "on_behalf_of__delegator_id")
        for key in pair
        if key is not None
    )
    found: list[Decision] = []
    for stage in revision.stages.order_by("position"):
        counted, humans = counting(change_request=change_request, revision=revision, stage=stage)
        if humans < stage.quorum:
            raise QuorumLost(
                f"{stage.whom} needs {stage.quorum} approvals and has {humans} from people who still may give "
                "them. The review is open again.",
                role=stage.role,
            )
        found += counted
    return found


def check_material(revision: Revision, items: Sequence[PreparedItem], now: datetime, *, then: str = AGAIN) -> Plan:
    """
    Plan again; refuse what is worse in what is material. `then` is the sentence that says what became of it.

    :raises MaterialMoved: naming what became worse
    """
    fresh = governed.planner().plan(items=items, now=now)
    moved = governed.planner().moved(reviewed=revision.document["plan"]["material"], fresh=fresh.material)
    if moved:
        raise MaterialMoved(f"Since the review, {'; '.join(moved)}. {then}", moved=list(moved))
    if fresh.new_gaps and not revision.document["waiver"]:
        raise MaterialMoved(f"Since the review, a gap opened that no waiver declares. {then}")
    return fresh


def check_policies(revision: Revision, items: Sequence[PreparedItem], fresh: Plan, *, then: str = AGAIN) -> None:
    """
    Refuse a revision for which the policies in force ask for more than it shows.

    :raises PolicyStricter: naming what they ask for
    """
    weighed = revisions.weighed(items=items, plan=fresh, raised=raised_of(revision.document))
    stages_beyond = beyond(reviewed=revisions.stages_of(revision), fresh=weighed.stages)
    _refuse_stricter(stages_beyond + _tickets_beyond(revision, weighed.demands), then)


def _tickets_beyond(revision: Revision, demands: Sequence[TicketDemand]) -> tuple[str, ...]:
    return tickets_beyond(reviewed=revisions.demands_of(revision), fresh=demands)


def _refuse_stricter(stricter: tuple[str, ...], then: str) -> None:
    if stricter:
        raise PolicyStricter(
            f"The policies in force now ask for more: {'; '.join(stricter)}. {then}",
            stages=list(stricter),
        )


@transaction.atomic
def _reopen(*, change_request_id: uuid.UUID, now: datetime, why: str) -> None:
    change_request = locked(change_request_id)
    former = current(change_request)
    items = revisions.items_of(former)
    plan = revisions.with_lasting(governed.planner().plan(items=items, now=now), items)
    stored = former.document
    weighed = revisions.weighed(items=items, plan=plan, raised=raised_of(stored))
    planned = Planned(
        items=items,
        plan=plan,
        stages=weighed.stages,
        risk=weighed.risk,
        rationale=revisions.rationale_of(stored),
        waiver=Waiver(**stored["waiver"]) if stored["waiver"] else None,
        schedule=schedules.of(stored),
        demands=weighed.demands,
    )
    change_request.status = rules.next_status(change_request=change_request, action=Action.REOPEN)
    change_request.approved_at = None
    revision = revisions.store(change_request=change_request, planned=planned, author=None, now=now)
    change_request.save(update_fields=["status", "approved_at", "current_revision"])
    record_step(
        type=events.REQUEST_REOPENED,
        change_request=change_request,
        actor=None,
        now=now,
        revision=revision,
        why=why,
    )
    notices.tell_author(change_request=change_request, what="is in review again", actor=None, now=now, comment=why)
    stages.ask(change_request=change_request, revision=revision, now=now)


def _set_local(*, change_request_id: str, number: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('tenure.change_request', %s, true), "
            "set_config('tenure.change_request_number', %s, true)",
            [change_request_id, number],
        )


def defer_constraints() -> None:
    """Have constraints checked when all of an application is written."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _check_constraints() -> None:
    # Once the status `applying` is left, because the guard against leaving a request in it is deferred too.
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
