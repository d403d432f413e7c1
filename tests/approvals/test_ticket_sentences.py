"""Every event of tickets, acted out by a connector of this process."""

from datetime import timedelta

import pytest

from approvals.tickets import connectors, services, systems
from approvals.tickets.connectors import Approval, Connection, NewTicket, Note, Seen
from approvals.tickets.errors import TicketFailed
from approvals.tickets.servicenow import ServiceNow
from audit.models import Event
from foundation.outbox.delivery import deliver_due
from tests import given
from tests.approvals.ticketing import fresh_ticket
from tests.approvals.world import World

NOW = given.NOW


class InProcess(ServiceNow):
    """A system of this process: approved at its second reading, and refusing one note."""

    product = "in-process"
    title = "In this process"

    def __init__(self) -> None:
        self.refuses = True
        self.approval = Approval.REQUESTED

    def create(self, *, connection: Connection, ticket: NewTicket) -> Seen:
        return Seen("7", "CHG0000007", "https://tickets.example/7", "New", self.approval)

    def find(self, *, connection: Connection, key: str) -> Seen:
        return Seen("8", "CHG0000008", "https://tickets.example/8", "New", self.approval)

    def read(self, *, connection: Connection, external_id: str) -> Seen:
        return Seen("7", "CHG0000007", "https://tickets.example/7", "Open", Approval.APPROVED)

    def tell(self, *, connection: Connection, external_id: str, note: Note, again: bool) -> None:
        if self.refuses:
            raise TicketFailed("The account has no rights. Give it some.", permanent=True)


def act_out(world: World) -> None:
    """Set up, open, read, refuse, try again, tie, release."""
    own = InProcess()
    connectors.register_connector(own)
    try:
        _act_out(world, own)
    finally:
        connectors._CONNECTORS.pop(own.product)


def _act_out(world: World, own: InProcess) -> None:
    asked = systems.SystemSettings(
        code="here",
        name="Here",
        product=own.product,
        base_url="https://tickets.example",
        account="tenure",
        secret="secret",
        settings={},
    )
    systems.add(asked=asked, actor=given.user("administrator"), now=NOW)
    request, another = world.propose(), world.propose()
    ticket = services.open_ticket(change_request_id=request.id, system_code="here", user=world.author, now=NOW)
    deliver_due(now=NOW, kinds=["ticket.update"])
    services.read_back(ticket=fresh_ticket(ticket), now=NOW + timedelta(hours=1), seconds=1)
    tied = services.tie(change_request_id=another.id, system_code="here", key="CHG0000008", user=world.author, now=NOW)
    deliver_due(now=NOW, kinds=["ticket.update"])
    own.refuses = False
    services.try_again(ticket_id=tied.id, user=world.author, now=NOW)
    services.release(ticket_id=tied.id, user=world.author, now=NOW)


@pytest.mark.django_db
class TestSentences:
    def test_are_recorded_once_each(self, world: World) -> None:
        act_out(world)

        types = [event.type for event in Event.objects.filter(type__startswith="approvals.ticket")]
        assert sorted(types) == [
            "approvals.ticket.asked",
            "approvals.ticket.opened",
            "approvals.ticket.read",
            "approvals.ticket.released",
            "approvals.ticket.retried",
            "approvals.ticket.tied",
            "approvals.ticket_system.configured",
        ]
