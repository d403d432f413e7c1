"""What stands in the way of a request, or of what is not filed yet, for one reader. Nothing is written."""

from collections.abc import Sequence
from datetime import datetime

from approvals.governed import PreparedItem
from approvals.requests import gates, revisions, schedules
from approvals.requests.gates import Asked, Obstacle
from approvals.requests.models import ChangeRequest
from approvals.requests.revisions import Planned
from approvals.requests.services import current
from approvals.requests.states import OPEN
from foundation.identity.models import User


def of_request(
    *, change_request: ChangeRequest, reader: User, now: datetime, items: Sequence[PreparedItem] | None = None
) -> tuple[Obstacle, ...]:
    """
    What every gate has to say about an open request's current revision; nothing about a closed one.

    `items` are those of the revision, where they were read already.
    """
    if change_request.status not in OPEN:
        return ()
    revision = current(change_request)
    return gates.obstacles(
        Asked(
            change_request=change_request,
            items=revisions.items_of(revision) if items is None else items,
            schedule=schedules.of(revision.document),
            now=now,
            reader=reader,
        )
    )


def of_plan(*, planned: Planned, reader: User, now: datetime) -> tuple[Obstacle, ...]:
    """What every gate has to say about a plan that is not filed."""
    return gates.obstacles(
        Asked(
            change_request=None,
            items=planned.items,
            schedule=planned.schedule,
            now=now,
            reader=reader,
            demands=planned.demands,
        )
    )
