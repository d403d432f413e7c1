"""
First data and data migrations: through the governed path, by a system request with its events.

There is no bypass: a bootstrap is a change request like any other, with items and an authorization whose basis is
`bootstrap`; the governed trigger treats it alike. It is for code, never for a screen or an end point.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from approvals import events
from approvals.governed import Draft, Plan
from approvals.requests import revisions, rules
from approvals.requests.application import check_bases, write_applying
from approvals.requests.models import Authorization, ChangeRequest
from approvals.requests.recording import record_step
from approvals.requests.revisions import Planned, Rationale
from approvals.requests.states import Action, Status
from foundation.errors import InvalidInput

_NO_PLAN = Plan(document={"summary": "System bootstrap: written without a plan."}, material={}, new_gaps=False)


@transaction.atomic
def bootstrap(*, reason: str, drafts: Sequence[Draft], now: datetime) -> ChangeRequest:
    """
    Write governed records in the system's name, with the reason on record.

    :raises InvalidInput: if there is no reason, or a draft does not say what it must
    """
    if not reason.strip():
        raise InvalidInput("A bootstrap needs a reason: it is what an auditor reads instead of approvals.")
    items = revisions.prepare(drafts=drafts, author=None, now=now)
    change_request = ChangeRequest.objects.create(
        title=reason[:200], status=Status.DRAFT, source="bootstrap", system=True, created_at=now
    )
    change_request.refresh_from_db(fields=["number"])
    planned = Planned(items=items, plan=_NO_PLAN, stages=(), rationale=Rationale(justification=reason))
    revision = revisions.store(change_request=change_request, planned=planned, author=None, now=now)
    for action in (Action.SUBMIT, Action.COMPLETE):
        change_request.status = rules.next_status(change_request=change_request, action=action)
        change_request.save(update_fields=["status", "current_revision"])
    record_step(
        type=events.REQUEST_PROPOSED,
        change_request=change_request,
        actor=None,
        now=now,
        revision=revision,
        title=change_request.title,
        source="bootstrap",
    )
    check_bases(items)
    Authorization.objects.create(
        change_request=change_request,
        revision=revision,
        digest=revision.digest,
        basis=Authorization.Basis.BOOTSTRAP,
        decisions=[],
        created_at=now,
    )
    write_applying(change_request=change_request, revision=revision, items=items, actor=None, now=now)
    return change_request
