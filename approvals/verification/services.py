"""Seeing that an applied change did what it should; the change closes once every criterion is met."""

import hashlib
import uuid
from datetime import datetime

from django.db import transaction

from approvals import events
from approvals.attachments.models import Attachment
from approvals.attachments.services import Upload, attach, attachment_of
from approvals.requests import notices
from approvals.requests.models import ChangeRequest
from approvals.requests.recording import record_step
from approvals.requests.rules import next_status
from approvals.requests.services import current, locked
from approvals.requests.states import Action
from approvals.verification import permissions, rules
from approvals.verification.models import CriterionTick
from foundation.errors import InvalidInput
from foundation.identity.models import User


@transaction.atomic
def verify(
    *,
    change_request_id: uuid.UUID,
    criterion: int,
    met: bool,
    user: User,
    now: datetime,
    result: str = "",
    link: str = "",
    attachment_id: uuid.UUID | None = None,
    upload: Upload | None = None,
) -> ChangeRequest:
    """
    Tick an acceptance criterion of an applied change with evidence, or mark it as not met with a reason.

    `criterion` counts from 1. Evidence is what was seen, a link, a file that is attached to the request, or one that is
    attached with the tick: both are kept or neither. What is said last of a criterion counts. The tick with which all
    are met closes the change; one that is not met is told to its author.

    :raises NotFound: if there is no such request, or the user may not see it
    :raises NotPermitted: if the user has no role that decides or applies
    :raises SelfVerification: if the user's human wrote a revision of it or applied it
    :raises NotVerifiable: if the change is not applied, or is closed
    :raises EvidenceRequired: if there is no result, link or file, or no reason for what is not met
    :raises InvalidInput: if there is no such criterion, or the evidence can't be kept

    Source: docs/after-application.md, docs/invariants.md INV-3
    """
    change_request = locked(change_request_id)
    permissions.check_may_verify(user=user, change_request=change_request)
    rules.check_awaits(change_request=change_request)
    revision = current(change_request)
    rules.check_criterion(revision=revision, number=criterion)
    has_file = attachment_id is not None or upload is not None
    said, address = rules.checked_evidence(met=met, result=result, link=link, has_file=has_file)
    file = _file(change_request, user, now, attachment_id, upload)
    CriterionTick.objects.create(
        change_request=change_request,
        revision=revision,
        # The request is locked: nobody else counts now.
        number=change_request.ticks.count() + 1,
        criterion=criterion,
        met=met,
        result=said,
        link=address,
        file=file,
        checked_by=user,
        checked_by_human_id=user.human_id,
        checked_at=now,
    )
    record_step(
        type=events.REQUEST_CRITERION_MET if met else events.REQUEST_CRITERION_UNMET,
        change_request=change_request,
        actor=user,
        now=now,
        revision=revision,
        criterion=criterion,
        evidence_digest=hashlib.sha256(f"{said}\n{address}".encode()).hexdigest(),
        **({"attachment_id": str(file.id), "file_digest": file.blob_id} if file else {}),
    )
    if not met:
        text = rules.criteria_of(revision)[criterion - 1]
        told = f"The criterion is: {text}"
        notices.tell_author(
            change_request=change_request, what="is not as it should be", actor=user, now=now, comment=said, more=told
        )
    elif all(one.state == "met" for one in rules.criteria(change_request=change_request, revision=revision)):
        change_request.status = next_status(change_request=change_request, action=Action.VERIFY)
        change_request.closed_at = now
        change_request.save(update_fields=["status", "closed_at"])
        record_step(type=events.REQUEST_VERIFIED, change_request=change_request, actor=None, now=now, revision=revision)
        notices.tell_author(change_request=change_request, what="is verified", actor=user, now=now)
    return change_request


def _file(
    change_request: ChangeRequest, user: User, now: datetime, attachment_id: uuid.UUID | None, upload: Upload | None
) -> Attachment | None:
    """The file that is evidence: one of the request's, or a new one."""
    if attachment_id is not None and upload is not None:
        raise InvalidInput("Choose a file of the change or send a new one, not both.")
    if upload is not None:
        return attach(change_request_id=change_request.id, author=user, file=upload, now=now)
    return attachment_of(change_request, attachment_id) if attachment_id is not None else None
