"""Files what pages ask for as one change request."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest

from approvals import governed
from approvals.governed import Draft
from approvals.requests.errors import StaleBase
from approvals.requests.models import ChangeRequest
from approvals.requests.revisions import Rationale
from approvals.requests.services import current, propose
from foundation.canonical import jsonable
from foundation.errors import NotPermitted
from foundation.identity.models import User


@dataclass(frozen=True)
class File:
    """What a page asks for: drafts, the version in which each record was shown, reasons, names of the records."""

    drafts: Sequence[Draft]
    bases: Mapping[uuid.UUID, int]
    names: Sequence[str]
    rationale: Rationale = field(default_factory=Rationale)


@transaction.atomic
def file_drafts(file: File, *, request: HttpRequest, now: datetime) -> ChangeRequest:
    """
    File a change request as a draft.

    :raises NotPermitted: if the user may not propose
    :raises StaleBase: if a record changed since the page was shown
    :raises InvalidInput: if a draft does not say what it must
    """
    if not isinstance(request.user, User):
        raise NotPermitted("Sign in to propose a change.")
    drafts = [
        Draft(kind=draft.kind, payload=jsonable(dict(draft.payload)), target_id=draft.target_id)
        for draft in file.drafts
    ]
    change_request = propose(
        title=_title(file), drafts=drafts, author=request.user, now=now, rationale=file.rationale, source="admin"
    )
    for item in current(change_request).items.all():
        if item.base_version is not None and item.base_version != file.bases.get(item.record_id):
            raise StaleBase("The record was changed while the page was open. Open the page again.")
    return change_request


def _title(file: File) -> str:
    others = len(file.drafts) - 1
    more = f" and {others} more" if others else ""
    return f"{governed.kind(file.drafts[0].kind).title} {file.names[0]}".strip() + more
