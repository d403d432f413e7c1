"""
Acting back on an applied change: its inverse, planned again on what stands now, as a change of its own.

Note "Approved with the change": whoever approves a change approves its inverse. So one click applies exactly that: the
computed inverse, while the change awaits verification, if nothing was changed since and nothing becomes worse than it
was before the change. Anything else is filed as a draft and approved like every change.

Source: docs/after-application.md
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction

from approvals import events, governed
from approvals.governed import Draft, Inverse, Scope
from approvals.requests import application, gates, permissions, revisions, rules
from approvals.requests.gates import Asked, Step
from approvals.requests.models import Authorization, ChangeRequest
from approvals.requests.recording import record_step
from approvals.requests.revisions import Planned, Rationale
from approvals.requests.services import current, locked, propose
from approvals.requests.states import Action, Status
from approvals.requests.undone import applied_items
from approvals.verification.errors import NothingToActBack, NotInOneClick
from approvals.verification.rules import awaits_verification
from foundation.canonical import canonical_bytes, digest, jsonable
from foundation.errors import DomainError
from foundation.identity.models import User

SOURCE = "acting_back"


@dataclass(frozen=True)
class Outlook:
    """
    What acting back would do now, and why it can't be done in one click, if so.

    `digest` names what is told here, so that a click on a page that is out of date does something else than it said.
    """

    change_request: ChangeRequest
    drafts: Sequence[Draft]
    restored: Sequence[str]
    lost: Sequence[str]
    conflicts: Sequence[str]
    planned: Planned | None
    why_not: Sequence[str]
    digest: str

    @property
    def in_one_click(self) -> bool:
        """Whether the inverse is covered by what was approved."""
        return not self.why_not


def check_may_act_back(*, user: User, change_request: ChangeRequest) -> None:
    """
    Refuse acting back by somebody who may not apply changes, and on what is not applied or is closed.

    :raises NotPermitted: if the user may not apply changes
    :raises NotFound: if the user may not see the request
    :raises NothingToActBack: if the request does not await verification
    """
    permissions.check_may_apply(user=user, change_request=change_request)
    check_awaits(change_request)


def check_awaits(change_request: ChangeRequest) -> None:
    """
    Refuse what is not applied, or is closed.

    :raises NothingToActBack: if it is
    """
    if not awaits_verification(change_request):
        raise NothingToActBack(
            f"Change {change_request.number} is {change_request.status_label.lower()}: only an applied change that is "
            "not closed is acted back. Propose a change that undoes it."
        )


def look(*, change_request: ChangeRequest, user: User, now: datetime) -> Outlook:
    """
    The inverse of an applied request as it would be now, with its plan; nothing is written.

    :raises NothingToActBack: if the request does not await verification
    """
    check_awaits(change_request)
    found = [governed.kind(one.item.kind).inverse(undone=one, now=now) for one in applied_items(change_request)]
    drafts = [one.draft for one in found if one.draft is not None]
    restored = _all(found, lambda one: one.restored)
    lost = _all(found, lambda one: one.lost)
    conflicts = _all(found, lambda one: one.conflicts)
    why_not = [*conflicts, *_not_covered(change_request)]
    planned: Planned | None = None
    if drafts:
        try:
            planned = _planned(change_request, drafts, user, now)
        except DomainError as refusal:
            why_not.append(refusal.message)
    else:
        why_not.append("Nothing of the change is left that could be restored.")
    if planned is not None:
        why_not += _worse(change_request, planned, user, now)
    return Outlook(
        change_request=change_request,
        drafts=drafts,
        restored=restored,
        lost=lost,
        conflicts=conflicts,
        planned=planned,
        why_not=tuple(dict.fromkeys(why_not)),
        digest=_digest(change_request, planned, restored, lost),
    )


def act_back(*, change_request_id: uuid.UUID, user: User, now: datetime, seen: str | None = None) -> ChangeRequest:
    """
    Apply the inverse of an applied request in one transaction, by the authority of that request's approval.

    Answers the inverse, a change request of its own; the original is closed. `seen` is the digest of the outlook that
    was on the screen.

    :raises NotPermitted: if the user may not apply changes
    :raises NotFound: if the user may not see the request
    :raises NothingToActBack: if the request is not applied, or is closed
    :raises NotInOneClick: if the inverse is not covered by what was approved, or is another than was on the screen
    :raises GateClosed: if something else stands in the way, such as a freeze
    :raises ConstraintViolated: if the registry's rules refuse a row

    Source: docs/invariants.md INV-2
    """
    with transaction.atomic():
        original = locked(change_request_id)
        check_may_act_back(user=user, change_request=original)
        outlook = look(change_request=original, user=user, now=now)
        if outlook.why_not or outlook.planned is None:
            raise NotInOneClick(
                f"Change {original.number} can't be acted back in one click: {' '.join(outlook.why_not)} File its "
                "inverse as a draft: it is approved like every change.",
                reasons=list(outlook.why_not),
            )
        if seen is not None and seen != outlook.digest:
            raise NotInOneClick("What would be restored is not what you read any more. Read it again, then decide.")
        items = outlook.planned.items
        # What it restores adds up too: whoever applies the like at this moment sees it.
        governed.planner().hold(items=items)
        application.check_bases(items)
        # Asked once more: from here on no freeze comes in between.
        gates.check_open(step=Step.APPLICATION, asked=_asked(original, outlook.planned, now))
        inverse = _filed(original, outlook, user, now)
        Authorization.objects.create(
            change_request=inverse,
            revision=current(inverse),
            digest=current(inverse).digest,
            basis=Authorization.Basis.ROLLBACK,
            decisions=[],
            cites=original.authorization,
            created_at=now,
        )
        application.write_applying(change_request=inverse, revision=current(inverse), items=items, actor=user, now=now)
        return inverse


@transaction.atomic
def file_inverse(*, change_request_id: uuid.UUID, user: User, now: datetime) -> ChangeRequest:
    """
    File the inverse of an applied request as a draft, to be approved like every change.

    :raises NotPermitted: if the user may not propose
    :raises NotFound: if the user may not see the request
    :raises NothingToActBack: if the request is not applied or is closed, nothing is left of it, or its inverse is filed
    """
    original = locked(change_request_id)
    permissions.check_may_edit(user=user, change_request=original)
    check_awaits(original)
    filed = open_inverse(original)
    if filed is not None:
        raise NothingToActBack(f"The inverse of change {original.number} is filed already: change {filed.number}.")
    outlook = look(change_request=original, user=user, now=now)
    if not outlook.drafts:
        raise NothingToActBack(f"Nothing of change {original.number} is left that could be restored.")
    return propose(
        title=_title(original),
        drafts=outlook.drafts,
        author=user,
        now=now,
        rationale=_rationale(original, outlook.planned),
        source=SOURCE,
        reverts=original,
    )


def open_inverse(original: ChangeRequest) -> ChangeRequest | None:
    """The inverse that is filed and may still be applied, if there is one."""
    return ChangeRequest.objects.filter(reverts=original).open().order_by("number").first()


def _all(found: Sequence[Inverse], told: Callable[[Inverse], Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for one in found for sentence in told(one)))


def _not_covered(original: ChangeRequest) -> list[str]:
    authorization = Authorization.objects.filter(change_request=original).first()
    if authorization is None or authorization.basis == Authorization.Basis.ROLLBACK:
        return [f"Change {original.number} acted back itself, and nobody approved its inverse."]
    return []


def _planned(original: ChangeRequest, drafts: Sequence[Draft], user: User, now: datetime) -> Planned:
    sees = partial(_may_see, user)
    items = revisions.prepare(drafts=drafts, author=user, now=now, sees=sees)
    plan = governed.planner().plan(items=items, now=now)
    return Planned(items=items, plan=plan, stages=(), rationale=_rationale(original, None))


def _may_see(user: User, scope: Scope) -> bool:
    return governed.access().may_see(scope=scope, user=user)


def _worse(original: ChangeRequest, planned: Planned, user: User, now: datetime) -> list[str]:
    why = [f"A rule would be broken: {failure}." for failure in planned.plan.failures]
    if not _may_see(user, Scope.merged(item.scope for item in planned.items)):
        why.append("It touches an account or product that is not granted to you.")
    undone = applied_items(original)
    worse = governed.planner().worse_than_before(undone=undone, items=planned.items, now=now)
    why += [f"It would be worse than without the change: {sentence}." for sentence in worse]
    asked = _asked(original, planned, now)
    why += [one.sentence for one in gates.obstacles(asked) if Step.APPLICATION in one.stops]
    return why


def _asked(original: ChangeRequest, planned: Planned, now: datetime) -> Asked:
    """About the original: its ticket was approved with it."""
    return Asked(change_request=original, items=planned.items, schedule=None, now=now)


def _title(original: ChangeRequest) -> str:
    return f"Acting back on change {original.number}: {original.title}"[:200]


def _rationale(original: ChangeRequest, planned: Planned | None) -> Rationale:
    impact = planned.plan.document.get("summary") if planned else None
    return Rationale(
        justification=f"Acts back on change {original.number}, digest {current(original).digest}.",
        impact=str(impact or "What the change did is taken back."),
        acceptance_criteria=(f"What change {original.number} changed is as it was before it, as the plan says.",),
        rollback="Propose the change again.",
    )


def _filed(original: ChangeRequest, outlook: Outlook, user: User, now: datetime) -> ChangeRequest:
    """The inverse, filed and approved by what was approved before."""
    assert outlook.planned is not None  # noqa: S101  act_back() has refused it
    inverse = ChangeRequest.objects.create(
        title=_title(original),
        status=Status.DRAFT,
        source=SOURCE,
        reverts=original,
        created_by=user,
        created_at=now,
    )
    inverse.refresh_from_db(fields=["number"])
    lasting = {"permanent": list(outlook.lost)}
    told = governed.Plan(
        document=dict(outlook.planned.plan.document) | lasting,
        material=outlook.planned.plan.material,
        new_gaps=outlook.planned.plan.new_gaps,
        failures=outlook.planned.plan.failures,
    )
    planned = Planned(
        items=outlook.planned.items,
        plan=told,
        stages=(),
        rationale=_rationale(original, outlook.planned),
    )
    revision = revisions.store(change_request=inverse, planned=planned, author=user, now=now)
    for action in (Action.SUBMIT, Action.COMPLETE):
        inverse.status = rules.next_status(change_request=inverse, action=action)
        inverse.save(update_fields=["status", "current_revision"])
    record_step(
        type=events.REQUEST_PROPOSED,
        change_request=inverse,
        actor=user,
        now=now,
        revision=revision,
        title=inverse.title,
        source=SOURCE,
    )
    return inverse


def _digest(original: ChangeRequest, planned: Planned | None, restored: Sequence[str], lost: Sequence[str]) -> str:
    """What was told, without instants of now: two readings of the same state agree."""
    items = [
        [item.table, item.record_id, item.base_version, item.facts.get("fields_touched"), item.effects]
        for item in (planned.items if planned else ())
    ]
    told = {"original": original.id, "items": items, "restored": restored, "lost": lost}
    return digest(canonical_bytes(jsonable(told)))
