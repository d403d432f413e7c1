"""
What tickets are told: each step of their change, in order.

A step writes one row for each tied ticket in its own transaction. At most one row of a ticket is in the outbox: the
next is put there when it was sent, so that a ticket hears of steps in the order in which they happened.
"""

from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db.models import Max

from approvals import events
from approvals.requests.models import ChangeRequest, Revision
from approvals.requests.services import current
from approvals.requests.states import OPEN, Status
from approvals.tickets.models import Ticket, TicketUpdate
from foundation.outbox import services as outbox

KIND = "ticket.update"
TOLD = {
    events.REQUEST_AMENDED: "was edited: what was approved before counts no longer",
    events.REQUEST_SUBMITTED: "is in review",
    events.REQUEST_CHANGES_ASKED: "went back to its author",
    events.REQUEST_APPROVED: "has every approval that its policy asks for",
    events.REQUEST_PREAPPROVED: "is approved by a standard template",
    events.PERMIT_USED: "is applied under an emergency permit, without its approvals",
    events.REQUEST_SCHEDULED: "is scheduled",
    events.REQUEST_REOPENED: "is in review again",
    events.REQUEST_HELD: "is due and held for now",
    events.REQUEST_EXPIRED: "expired: nobody went on with it",
    events.REQUEST_MISSED: "missed its window and was not applied",
    events.REQUEST_FAILED: "was due and could not be applied",
    events.REQUEST_APPLIED: "is applied",
    events.REQUEST_REJECTED: "was rejected",
    events.REQUEST_WITHDRAWN: "was withdrawn",
}


def follow(*, type: str, change_request: ChangeRequest, now: datetime) -> None:
    """Have every tied ticket of a request told of a step of it, in the step's transaction."""
    words = TOLD.get(type)
    if words is None:
        return
    tied = Ticket.objects.filter(change_request=change_request, released_at__isnull=True).order_by("id")
    closed = change_request.status not in OPEN
    for ticket in tied.select_for_update():
        text = f"Change {change_request.number} in Tenure {words}"
        add(ticket=ticket, change_request=change_request, revision=current(change_request), text=text, now=now)
        if closed and ticket.next_read_at is not None:
            # One last look, then it is left alone.
            ticket.next_read_at = now
            ticket.save(update_fields=["next_read_at"])


def add(*, ticket: Ticket, change_request: ChangeRequest, revision: Revision, text: str, now: datetime) -> None:
    """Write what a ticket is told next; the caller holds the ticket's lock, or has just made it."""
    last = TicketUpdate.objects.filter(ticket=ticket).aggregate(Max("number"))["number__max"] or 0
    waiting = TicketUpdate.objects.filter(ticket=ticket, sent_at__isnull=True).exists()
    said = f"{text} (revision {revision.number}, SHA-256 {revision.digest}). " if text else ""
    update = TicketUpdate.objects.create(
        id=uuid4(),
        ticket=ticket,
        number=last + 1,
        status=Status(change_request.status).value,
        revision=revision.number,
        text=f"{said}{address_of(change_request)}",
        created_at=now,
    )
    if not waiting:
        send(update=update, now=now)


def send(*, update: TicketUpdate, now: datetime) -> None:
    """Put an update into the outbox."""
    outbox.enqueue(kind=KIND, payload={"update_id": update.id}, now=now, key=key_of(update))


def key_of(update: TicketUpdate) -> str:
    """What the outbox calls an update."""
    return f"ticket:{update.id}"


def address_of(change_request: ChangeRequest) -> str:
    """The request's page."""
    return f"{settings.PUBLIC_URL}/changes/{change_request.number}/"
