"""Tickets read back from their systems."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from approvals.requests import services
from approvals.tickets import reading
from approvals.tickets import services as tickets
from approvals.tickets.connectors import Approval
from approvals.tickets.errors import (
    TicketFailed,
    TicketUnreadable,
)
from approvals.tickets.models import Ticket
from audit.models import Event
from foundation.errors import Conflict, NotFound, NotPermitted
from tests import given
from tests.approvals.ticketing import NOW, add, at, fresh_ticket, opened, read
from tests.approvals.world import World


@pytest.mark.django_db
class TestReadBack:
    def test_stores_a_change_with_its_event(self, world: World, server: Any) -> None:
        add(server)
        request = world.submit()
        ticket = opened(world, request)
        server.decide(ticket.key, "approved")

        ticket = read(ticket, 3)
        read(ticket, 4)

        assert (ticket.approval, ticket.read_at) == (Approval.APPROVED, at(3))
        (event,) = Event.objects.filter(type="approvals.ticket.read")
        assert (event.data["approval"], event.data["former_approval"]) == ("approved", "not_requested")

    def test_drops_what_was_asked_earlier(self, world: World, server: Any) -> None:
        add(server)
        ticket = read(opened(world, world.submit()), 5)
        server.decide(ticket.key, "approved")

        tickets.read_back(ticket=ticket, now=at(4), seconds=2)

        assert fresh_ticket(ticket).approval == Approval.NOT_REQUESTED

    def test_forgets_the_approval_of_a_ticket_that_is_gone(self, world: World, server: Any) -> None:
        add(server)
        ticket = opened(world, world.submit())
        server.decide(ticket.key, "approved")
        ticket = read(ticket, 1)
        server.remove(ticket.key)

        assert tickets.read_back(ticket=ticket, now=at(2), seconds=2)

        ticket = fresh_ticket(ticket)
        assert (ticket.status, ticket.approval) == ("gone", Approval.UNKNOWN)
        assert "no such ticket" in ticket.problem

    def test_is_tried_again_later_and_later(self, world: World, server: Any) -> None:
        add(server)
        ticket = opened(world, world.submit())
        waits = []
        for minutes in (10, 20, 30, 40, 50):
            server.interrupt(server.failure(503))
            tickets.read_back(ticket=fresh_ticket(ticket), now=at(minutes), seconds=2)
            next_read_at = fresh_ticket(ticket).next_read_at
            assert next_read_at
            waits.append((next_read_at - at(minutes)).total_seconds() / 60)

        assert waits == [10, 20, 40, 60, 60]
        assert read(ticket, 90).failures == 0

    def test_answers_a_person_who_asks(self, world: World, server: Any) -> None:
        add(server)
        ticket = opened(world, world.submit())
        count = len(server.asked)

        tickets.refresh(ticket_id=ticket.id, user=world.first, now=NOW + timedelta(seconds=3))
        assert len(server.asked) == count
        assert tickets.refresh(ticket_id=ticket.id, user=world.first, now=at(1)).read_at == at(1)
        server.interrupt(server.failure(500))
        with pytest.raises(TicketUnreadable):
            tickets.refresh(ticket_id=ticket.id, user=world.first, now=at(2))
        with pytest.raises(NotPermitted):
            tickets.refresh(ticket_id=ticket.id, user=given.user("auditor"), now=at(3))
        with pytest.raises(NotFound):
            tickets.refresh(ticket_id=ticket.id, user=given.user("legal", everywhere=False), now=at(3))
        tickets.release(ticket_id=ticket.id, user=world.first, now=at(4))
        with pytest.raises(Conflict):
            tickets.refresh(ticket_id=ticket.id, user=world.first, now=at(5))

    def test_never_holds_a_transaction_open(self, world: World, server: Any) -> None:
        add(server)
        ticket = opened(world, world.submit())

        with pytest.raises(RuntimeError, match="transaction"), transaction.atomic():
            tickets.refresh(ticket_id=ticket.id, user=world.author, now=at(1))


@pytest.mark.django_db(transaction=True)
class TestDue:
    def test_reads_what_is_due_once(self, world: World, server: Any) -> None:
        add(server)
        ticket = opened(world, world.submit())
        server.decide(ticket.key, "requested")

        assert reading.read_due(now=at(1)) == reading.Report()
        assert reading.read_due(now=at(6)) == reading.Report(read=1)
        assert reading.read_due(now=at(6)) == reading.Report()
        assert fresh_ticket(ticket).approval == Approval.REQUESTED

    def test_leaves_a_closed_change_after_one_last_look(self, world: World, server: Any) -> None:
        add(server)
        request = world.submit()
        ticket = opened(world, request)
        services.withdraw(change_request_id=request.id, user=world.author, now=at(1))

        assert reading.read_due(now=at(1)).read == 1
        assert fresh_ticket(ticket).next_read_at is None

    def test_leaves_a_closed_change_of_a_system_that_is_away(self, world: World, server: Any) -> None:
        add(server)
        request = world.submit()
        ticket = opened(world, request)
        services.withdraw(change_request_id=request.id, user=world.author, now=at(1))
        server.interrupt(server.failure(503))

        assert reading.read_due(now=at(1)).failed == 1
        assert fresh_ticket(ticket).next_read_at is None

    def test_leaves_the_others_of_a_system_that_is_away(self, world: World, server: Any) -> None:
        add(server)
        opened(world, world.submit())
        opened(world, world.submit())
        server.interrupt(server.failure(503), server.failure(503))

        assert reading.read_due(now=at(6)) == reading.Report(failed=1)

    def test_lets_one_that_breaks_stop_no_other(
        self, world: World, server: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(server)
        first, second = opened(world, world.submit()), opened(world, world.submit())
        whole = tickets.read_back

        def broken(*, ticket: Ticket, **more: Any) -> TicketFailed | None:
            if ticket.id == first.id:
                raise ZeroDivisionError
            return whole(ticket=ticket, **more)

        monkeypatch.setattr(tickets, "read_back", broken)

        assert reading.read_due(now=at(6)) == reading.Report(read=1, failed=1)
        assert fresh_ticket(second).read_at == at(6)
