"""The event of one step in a request's life: the same shape everywhere, in the caller's transaction."""

from datetime import datetime
from typing import Any, Protocol

from approvals.requests.models import ChangeRequest, Revision
from audit.services import NewEvent, Subject, record
from foundation.identity.models import User


class Follower(Protocol):
    """Told of each step, in the transaction of the step: what it writes is undone with it."""

    def __call__(self, *, type: str, change_request: ChangeRequest, now: datetime) -> None:
        """Write what follows from the step; do nothing outside the database."""
        ...


_FOLLOWERS: list[Follower] = []


def register_follower(follower: Follower) -> None:
    """Have a package above told of every step."""
    if follower not in _FOLLOWERS:
        _FOLLOWERS.append(follower)


def subject_of(change_request: ChangeRequest) -> Subject:
    """The request as the subject of an event."""
    return Subject(type="approvals.changerequest", id=change_request.id, label=f"change {change_request.number}")


def record_step(
    *,
    type: str,
    change_request: ChangeRequest,
    actor: User | None,
    now: datetime,
    revision: Revision | None = None,
    **data: Any,
) -> None:
    """
    Record what happened to a request: its number, the revision and digest it concerns, and what is special to the step.

    `actor` is None when the system acts.
    """
    concerned = {"revision": revision.number, "digest": revision.digest} if revision is not None else {}
    record(
        event=NewEvent(
            type=type,
            actor=actor,
            subject=subject_of(change_request),
            change_request_id=change_request.id,
            data={"number": change_request.number, **concerned, **data},
        ),
        now=now,
    )
    for follower in _FOLLOWERS:
        follower(type=type, change_request=change_request, now=now)
