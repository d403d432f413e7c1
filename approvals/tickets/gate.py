"""The gate that keeps a change from being applied while a policy demands a ticket that is not approved."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from approvals.policies.rules import ANY_TICKET, TicketDemand
from approvals.requests import revisions
from approvals.requests.gates import Asked, Obstacle, Step
from approvals.requests.schedules import utc_text
from approvals.requests.services import current
from approvals.tickets import services
from approvals.tickets.connectors import Approval
from approvals.tickets.models import Ticket, TicketSystem

TITLE = "An approved ticket is needed"
# How far another machine's clock may be ahead of ours.
SKEW = timedelta(minutes=1)


def fresh_for() -> timedelta:
    """How long what was read of a ticket counts."""
    return timedelta(minutes=settings.TICKET_FRESH_MINUTES)


class TicketGate:
    """
    Stops the application of a change whose policies demand a ticket, unless one was read as approved lately.

    It warns before. What is not known, or was read too long ago, counts as not approved.

    Source: docs/tickets.md
    """

    def obstacles(self, asked: Asked) -> Sequence[Obstacle]:
        """One for each demand that no ticket meets."""
        if asked.change_request is None:
            demands, tickets, number = asked.demands, [], 0
        else:
            revision = current(asked.change_request)
            demands, number = revisions.demands_of(revision), revision.number
            tickets = list(
                Ticket.objects.filter(change_request=asked.change_request, released_at__isnull=True)
                .select_related("system")
                .order_by("created_at", "id")
            )
        found = (_obstacle(demand, tickets, number, asked.now) for demand in demands)
        return [obstacle for obstacle in found if obstacle is not None]


def _obstacle(demand: TicketDemand, tickets: Sequence[Ticket], revision: int, now: datetime) -> Obstacle | None:
    eligible = [ticket for ticket in tickets if demand.system in (ANY_TICKET, ticket.system.code)]
    lacking = [_lacks(ticket, revision, now) for ticket in eligible]
    if any(lack is None for lack in lacking):
        return None
    known = [lack for lack in lacking if lack is not None]
    because = f" Because {'; '.join(demand.reasons)}."
    if not known:
        what = f"{_where(demand)} must be tied to this change and approved there before it is applied."
        return Obstacle(TITLE, f"{what} Open one, or tie one, under “Tickets”.{because}", frozenset({Step.APPLICATION}))
    ends = [until for _, until in known if until is not None]
    sentence = " ".join(sentence for sentence, _ in known)
    return Obstacle(TITLE, f"{sentence}{because}", frozenset({Step.APPLICATION}), until=min(ends) if ends else None)


def _where(demand: TicketDemand) -> str:
    if demand.system == ANY_TICKET:
        return "A ticket"
    name = TicketSystem.objects.filter(code=demand.system).values_list("name", flat=True).first()
    return f"A ticket of {name or f'“{demand.system}”, a system that nobody has set up,'}"


def _lacks(ticket: Ticket, revision: int, now: datetime) -> tuple[str, datetime | None] | None:
    """What a ticket lacks, and when that may end by itself; None if it counts."""
    name = f"{ticket.key or 'The ticket'} in {ticket.system.name}"
    soon = now + services.read_interval()
    if not ticket.system.enabled:
        return f"{ticket.system.name} is disabled, so its tickets count for nothing.", None
    if ticket.read_at is None:
        return f"{name} is not opened yet.", soon
    if ticket.approval != Approval.APPROVED:
        said = str(ticket.approval).replace("_", " ")
        return f"{name} is not approved: its approval is {said}, read {utc_text(ticket.read_at)}.", None
    if not -SKEW <= now - ticket.read_at <= fresh_for():
        return f"{name} was approved when it was read {utc_text(ticket.read_at)}, which is too long ago.", soon
    if ticket.told_revision != revision:
        return f"{name} has not been told of revision {revision} yet.", soon
    return None
