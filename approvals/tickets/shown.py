"""Tickets as people and programs meet them: what was read, how old it is, and how telling them stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from approvals.tickets import services
from approvals.tickets.connectors import Approval
from approvals.tickets.gate import SKEW, fresh_for
from approvals.tickets.models import Ticket, TicketUpdate
from foundation.outbox.models import Status as Delivery

TONES = {
    Approval.APPROVED: ("success", "✓"),
    Approval.REJECTED: ("danger", "✕"),
    Approval.REQUESTED: ("info", "◐"),
    Approval.NOT_REQUESTED: ("neutral", "○"),
    Approval.UNKNOWN: ("warning", "?"),
}


@dataclass(frozen=True)
class ShownTicket:
    """A ticket, and what stands in the way of telling or reading it, if anything."""

    ticket: Ticket
    fresh: bool
    problem: str
    given_up: bool
    waiting: int

    @property
    def tone(self) -> str:
        """The tone of its approval."""
        return TONES[Approval(self.ticket.approval)][0]

    @property
    def mark(self) -> str:
        """The mark of its approval: never color alone."""
        return TONES[Approval(self.ticket.approval)][1]

    @property
    def approval(self) -> str:
        """The approval in words."""
        return str(self.ticket.approval).replace("_", " ")


def shown_of(tickets: Sequence[Ticket], *, now: datetime) -> list[ShownTicket]:
    """Tickets in the order in which they were tied, released ones last; in as many queries however many they are."""
    ids: list[UUID] = [ticket.id for ticket in tickets]
    messages = services.messages_of(ids)
    unsent = TicketUpdate.objects.filter(ticket_id__in=ids, sent_at__isnull=True)
    waiting = dict(unsent.values_list("ticket_id").annotate(Count("id")))
    shown = []
    for ticket in sorted(tickets, key=lambda one: (one.released_at is not None, one.created_at, one.id)):
        message = messages.get(ticket.id) if ticket.released_at is None else None
        shown.append(
            ShownTicket(
                ticket=ticket,
                fresh=ticket.read_at is not None and -SKEW <= now - ticket.read_at <= fresh_for(),
                problem=(message.last_error if message else "") or ticket.problem,
                given_up=message is not None and message.status == Delivery.DEAD,
                waiting=waiting.get(ticket.id, 0),
            )
        )
    return shown
