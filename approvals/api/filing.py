"""A write of one record, filed as a change request."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from approvals import governed
from approvals.governed import Draft
from approvals.requests import services
from approvals.requests.models import ChangeRequest
from approvals.requests.services import current
from foundation.api.conditional import VersionChanged
from foundation.identity.models import User

SOURCE = "api"


@transaction.atomic
def file_one(
    *,
    kind_name: str,
    payload: Mapping[str, Any],
    author: User,
    now: datetime,
    target_id: uuid.UUID | None = None,
    base_version: int | None = None,
    label: str = "",
) -> ChangeRequest:
    """
    File the draft of a change to one record; nothing of the record is written.

    `base_version` is the version that the author read; `label` what people call the record, for the request's title.

    :raises VersionChanged: if the record has another version by the time it is planned
    :raises UnknownKind: if no app registered the kind; else as approvals.requests.services.propose()
    """
    change_request = services.propose(
        title=f"{governed.kind(kind_name).title}: {label}".rstrip(": "),
        drafts=[Draft(kind=kind_name, payload=payload, target_id=target_id)],
        author=author,
        now=now,
        source=SOURCE,
    )
    if base_version is not None:
        planned_on = current(change_request).items.get().base_version
        if planned_on != base_version:
            raise VersionChanged(
                f"The record is at version {planned_on} and you read another. Read it again, then decide.",
                version=planned_on,
            )
    return change_request
