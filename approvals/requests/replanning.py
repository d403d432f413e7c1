"""
Planning a request again on what stands now, after others changed its records.

What was asked for is asked again, so fields that only others changed keep what others made of them: a merge of three.
Where both changed a field, whoever asks says whose value holds.

Source: docs/conflicts.md
"""

import enum
import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from approvals.governed import Draft
from approvals.requests import permissions, revisions, rules, services
from approvals.requests.drift import Drift, drifts_of
from approvals.requests.errors import FieldsConflict
from approvals.requests.models import ChangeRequest
from approvals.requests.revisions import Waiver
from foundation.identity.models import User


class Both(enum.Enum):
    """Whose value holds where both changed a field."""

    MINE = "mine"
    THEIRS = "theirs"


@transaction.atomic
def replan(
    *,
    change_request_id: uuid.UUID,
    author: User,
    now: datetime,
    both: Both | None = None,
    expected_digest: str | None = None,
) -> ChangeRequest:
    """
    Write a new revision that asks for the same on the records as they stand; decisions so far count no longer.

    :raises FieldsConflict: if both changed a field and `both` does not say whose value holds, if a record is gone, or
        if nothing is left of the change
    :raises StaleDigest: if `expected_digest` is not the current revision's
    :raises WrongState: if the request is closed
    :raises NotPermitted: if the author may not propose
    :raises NotFound: if the author may not see the request
    """
    change_request = services.locked(change_request_id)
    permissions.check_may_edit(user=author, change_request=change_request)
    former = services.current(change_request)
    if expected_digest is not None:
        rules.check_on_screen(revision=former, digest=expected_digest)
    items = revisions.items_of(former)
    drafts = merged(drafts=revisions.drafts_of(items), drifts=drifts_of(items), both=both)
    waiver = former.document["waiver"]
    return services.amend(
        change_request_id=change_request_id,
        author=author,
        now=now,
        drafts=drafts,
        waiver=Waiver(**waiver) if waiver else None,
        expected_digest=expected_digest,
    )


def merged(*, drafts: Sequence[Draft], drifts: Sequence[Drift], both: Both | None) -> list[Draft]:
    """
    The drafts to plan again: as they were, without the values that give way to others'.

    :raises FieldsConflict: as replan()
    """
    gone = [drift for drift in drifts if drift.gone]
    if gone:
        raise _conflict(f"{', '.join(drift.label for drift in gone)} is gone. Edit the request or withdraw it.", gone)
    differing = [drift for drift in drifts if drift.differing]
    if differing and both is None:
        listed = "; ".join(drift.sentence for drift in differing[:5])
        raise _conflict(
            f"Both changed the same: {listed}. Say whose value holds: keep what stands now, override it with this "
            "change, or withdraw the change.",
            differing,
        )
    if both is not Both.THEIRS:
        return list(drafts)
    given_way = {drift.position: _without(drafts[drift.position], drift) for drift in differing}
    kept = [given_way.get(position, draft) for position, draft in enumerate(drafts)]
    left = [draft for draft in kept if draft.payload]
    if not left:
        raise _conflict("Nothing is left of this change if what stands now is kept. Withdraw it.", differing)
    return left


def _without(draft: Draft, drift: Drift) -> Draft:
    names = {field.field for field in drift.differing}
    unsaid = sorted(names - draft.payload.keys())
    if unsaid:
        raise _conflict(
            f"{', '.join(unsaid)} of {drift.label} follows from other values of this change, so it can't give way "
            "alone. Edit the request.",
            [drift],
        )
    return Draft(
        draft.kind, {name: value for name, value in draft.payload.items() if name not in names}, draft.target_id
    )


def _conflict(sentence: str, drifts: Sequence[Drift]) -> FieldsConflict:
    return FieldsConflict(sentence, moved=[drift.document() for drift in drifts])
