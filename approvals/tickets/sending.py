"""Sends updates of the outbox to ticket systems: opens a ticket, or tells one."""

from uuid import UUID

from django.db import transaction

from approvals.requests.services import current
from approvals.tickets import following, services
from approvals.tickets.connectors import NewTicket, Note, Seen, connector
from approvals.tickets.errors import TicketFailed
from approvals.tickets.models import Ticket, TicketUpdate
from approvals.tickets.systems import connection_of
from foundation.outbox.errors import SendFailed
from foundation.outbox.senders import Delivery, register


@register(following.KIND)
def send(delivery: Delivery) -> None:
    """
    Send one update, then put the ticket's next one into the outbox.

    :raises SendFailed: if it may not have arrived; permanently, if somebody must mend something first
    """
    update = (
        TicketUpdate.objects.select_related("ticket__system", "ticket__change_request")
        .filter(id=delivery.payload["update_id"])
        .first()
    )
    if update is None or update.sent_at is not None or update.ticket.released_at is not None:
        return
    system = update.ticket.system
    if not system.enabled:
        raise SendFailed(f"{system.name} is disabled. Enable it, then try again.", permanent=True)
    again = update.tried_at is not None
    if not again:
        # Committed before anything leaves: an attempt whose answer is lost is known to have been made.
        TicketUpdate.objects.filter(id=update.id).update(tried_at=delivery.now)
    try:
        seen = _sent(update, again=again)
    except TicketFailed as failure:
        raise SendFailed(
            f"{system.name}: {failure}", permanent=failure.permanent, retry_after=failure.retry_after
        ) from failure
    _note_sent(update_id=update.id, seen=seen, delivery=delivery)


def _sent(update: TicketUpdate, *, again: bool) -> Seen | None:
    ticket = update.ticket
    of = connector(ticket.system.product)
    connection = connection_of(ticket.system)
    if update.opens:
        return of.create(connection=connection, ticket=_new(ticket, update))
    note = Note(text=update.text, mark=update.mark, status=update.status)
    of.tell(connection=connection, external_id=ticket.external_id, note=note, again=again)
    return None


def _new(ticket: Ticket, update: TicketUpdate) -> NewTicket:
    change_request = ticket.change_request
    revision = current(change_request)
    rationale = revision.rationale
    parts = (
        str(revision.plan.get("summary", "")),
        f"Why: {rationale['justification']}" if rationale["justification"] else "",
        f"Impact: {rationale['impact']}" if rationale["impact"] else "",
        f"Rollback: {rationale['rollback']}" if rationale["rollback"] else "",
        f"Revision {revision.number}, SHA-256 {revision.digest}",
        update.text,
    )
    return NewTicket(
        correlation=ticket.id,
        summary=f"Tenure change {change_request.number}: {change_request.title}",
        description="\n\n".join(part for part in parts if part)[:20_000],
    )


@transaction.atomic
def _note_sent(*, update_id: UUID, seen: Seen | None, delivery: Delivery) -> None:
    update = TicketUpdate.objects.get(id=update_id)
    ticket = services.lock(update.ticket_id)
    update.refresh_from_db()
    if update.sent_at is not None:
        return
    update.sent_at = delivery.now
    update.save(update_fields=["sent_at"])
    ticket.told_revision = update.revision
    if seen is not None:
        services.take_over_opened(ticket, seen, delivery.now)
    ticket.save()
    following_one = TicketUpdate.objects.filter(ticket=ticket, sent_at__isnull=True).order_by("number").first()
    if following_one is not None and ticket.released_at is None:
        following.send(update=following_one, now=delivery.now)
