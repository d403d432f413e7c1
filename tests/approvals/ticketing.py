"""What tests of tickets do again and again."""

from datetime import datetime, timedelta
from typing import Any

from approvals.requests.models import ChangeRequest
from approvals.tickets import services as tickets
from approvals.tickets import systems
from approvals.tickets.models import Ticket, TicketSystem
from approvals.tickets.systems import SystemSettings
from foundation.outbox.delivery import Report, deliver_due
from tests import given
from tests.approvals.ticket_servers import ACCOUNT, SECRET, TicketServer
from tests.approvals.world import World

NOW = given.NOW


def asked(server: TicketServer, **changed: Any) -> SystemSettings:
    values: dict[str, Any] = {
        "code": "itsm",
        "name": "The service desk",
        "product": server.product,
        "base_url": server.url,
        "account": ACCOUNT,
        "secret": SECRET,
        "settings": server.settings(),
    }
    return SystemSettings(**(values | changed))


def add(server: TicketServer, **changed: Any) -> TicketSystem:
    return systems.add(asked=asked(server, **changed), actor=given.user("administrator"), now=NOW)


def change(system: TicketSystem, server: TicketServer, **changed: Any) -> TicketSystem:
    return systems.change(
        system_id=system.id, asked=asked(server, **changed), actor=given.user("administrator"), now=NOW
    )


def deliver(now: datetime = NOW) -> Report:
    """What the workers do with tickets' updates."""
    total = Report()
    while (report := deliver_due(now=now + timedelta(seconds=1), kinds=["ticket.update"])).attempts:
        total.done += report.done
        total.retried += report.retried
        total.dead += report.dead
        if not report.done:
            break
    return total


def opened(world: World, request: ChangeRequest) -> Ticket:
    """The ticket that was opened for a request."""
    ticket = tickets.open_ticket(change_request_id=request.id, system_code="itsm", user=world.author, now=NOW)
    deliver()
    ticket.refresh_from_db()
    return ticket


def tie(world: World, request: ChangeRequest, key: str) -> Ticket:
    return tickets.tie(change_request_id=request.id, system_code="itsm", key=key, user=world.author, now=NOW)


def read(ticket: Ticket, minutes: float) -> Ticket:
    """The ticket, read so many minutes after NOW."""
    assert tickets.read_back(ticket=fresh_ticket(ticket), now=at(minutes), seconds=2) is None
    return fresh_ticket(ticket)


def fresh_ticket(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("system", "change_request").get(id=ticket.id)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def demanding(system: str = "itsm") -> None:
    """A policy in force that demands an approved ticket for everything."""
    given.record(
        "policy.create",
        name="Tickets",
        conditions=[],
        stages=[{"position": 1, "role": "licensing", "quorum": 2}],
        ticket=system,
    )


def words(note: str) -> str:
    """What a note says of the change, without number, digest and address."""
    return note.split(" in Tenure ")[1].split(" (revision")[0]
