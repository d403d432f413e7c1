"""The tickets on the page of a change request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.policies.rules import TicketDemand
from approvals.requests import revisions
from approvals.requests.models import ChangeRequest
from approvals.requests.services import current
from approvals.requests.states import OPEN
from approvals.tickets import services
from approvals.tickets.models import Ticket, TicketSystem
from approvals.tickets.shown import ShownTicket, shown_of
from foundation.errors import DomainError
from foundation.identity.models import User


@dataclass(frozen=True)
class TicketSection:
    """What the page says of tickets; `systems` are those that a ticket can still be of, `why_not` why nothing is."""

    tickets: Sequence[ShownTicket]
    demands: Sequence[TicketDemand]
    systems: Sequence[TicketSystem]
    why_not: str
    open: bool

    @property
    def concerns(self) -> bool:
        """Whether there is anything to say: installations without ticket systems see no section."""
        return bool(self.tickets or self.demands or self.systems)


def section(*, change_request: ChangeRequest, user: User, now: datetime) -> TicketSection:
    """The tickets of a request that the reader sees."""
    tickets = list(Ticket.objects.filter(change_request=change_request).select_related("system", "tied_by"))
    taken = {ticket.system_id for ticket in tickets if ticket.released_at is None}
    is_open = change_request.status in OPEN
    why_not = ""
    try:
        services.check_may_tie(user=user, change_request=change_request)
    except DomainError as refusal:
        why_not = refusal.message
    return TicketSection(
        tickets=shown_of(tickets, now=now),
        demands=revisions.demands_of(current(change_request)),
        systems=list(TicketSystem.objects.filter(enabled=True).exclude(id__in=taken).order_by("name"))
        if is_open
        else [],
        why_not=why_not,
        open=is_open,
    )
