"""Tickets of a change: opened once, tied once, told in order."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from approvals.requests import review, services
from approvals.requests.errors import WrongState
from approvals.tickets import services as tickets
from approvals.tickets.connectors import Approval
from approvals.tickets.errors import (
    TicketNotGivenUp,
    TicketSystemDisabled,
    TicketTaken,
    TicketUnknown,
    TicketUnreadable,
)
from approvals.tickets.models import Ticket, TicketUpdate
from foundation.errors import NotFound, NotPermitted
from foundation.outbox.delivery import deliver_due
from foundation.outbox.models import OutboxMessage
from tests import given
from tests.approvals.jira_server import JiraServer
from tests.approvals.ticketing import NOW, add, at, change, deliver, fresh_ticket, opened, tie, words
from tests.approvals.world import World, approve, events_of, revision_of


@pytest.mark.django_db
class TestOpen:
    def test_opens_one_ticket_that_says_what_is_asked(self, world: World, server: Any) -> None:
        add(server)
        request = world.submit()

        ticket = opened(world, request)

        assert server.count() == 1
        assert ticket.key
        assert ticket.read_at
        assert ticket.read_at - NOW < timedelta(seconds=5)
        assert ticket.approval == Approval.NOT_REQUESTED
        sent = str([one.body for one in server.writes()])
        assert f"Tenure change {request.number}: To production" in sent
        assert revision_of(request).digest in sent
        assert f"/changes/{request.number}/" in sent
        assert {"asked", "opened"} <= set(events_of(request))

    def test_opens_no_second_one_when_the_answer_was_lost(self, world: World, server: Any) -> None:
        add(server)
        request = world.submit()
        server.lose_next_answer = True

        ticket = opened(world, request)
        assert ticket.key == ""
        deliver_due(now=at(10), kinds=["ticket.update"])

        assert server.count() == 1
        assert fresh_ticket(ticket).key

    def test_waits_until_jira_can_find_what_it_made(self, world: World, loopback: None, settings: Any) -> None:
        with JiraServer() as server:
            settings.HTTP_ALLOWED_INTERNAL_HOSTS = [server.host]
            add(server)
            server.lose_next_answer = True
            opened(world, world.submit())

            message = OutboxMessage.objects.get(kind="ticket.update")

        assert message.next_attempt_at >= NOW + timedelta(seconds=60)

    def test_is_for_people_who_write(self, world: World, server: Any) -> None:
        add(server)
        request = world.submit()

        with pytest.raises(NotPermitted):
            tickets.open_ticket(change_request_id=request.id, system_code="itsm", user=given.user("auditor"), now=NOW)
        with pytest.raises(NotFound):
            tickets.open_ticket(
                change_request_id=request.id,
                system_code="itsm",
                user=given.user("requester", everywhere=False),
                now=NOW,
            )
        assert not Ticket.objects.exists()

    def test_is_refused_twice_when_closed_or_disabled(self, world: World, server: Any) -> None:
        system = add(server)
        request = world.submit()
        opened(world, request)
        with pytest.raises(TicketTaken, match="Release it first"):
            opened(world, request)
        change(system, server, enabled=False)
        with pytest.raises(TicketSystemDisabled):
            opened(world, world.submit())
        with pytest.raises(NotFound):
            tickets.open_ticket(change_request_id=request.id, system_code="none", user=world.author, now=NOW)
        services.withdraw(change_request_id=request.id, user=world.author, now=NOW)
        with pytest.raises(WrongState):
            opened(world, request)

    def test_says_no_text_of_reviewers_and_no_names(self, world: World, server: Any) -> None:
        add(server)
        request = world.submit()
        opened(world, request)

        review.reject(
            change_request_id=request.id,
            digest=revision_of(request).digest,
            reviewer=world.first,
            now=NOW,
            comment="Secret reason.",
        )
        deliver()

        sent = str([one.body for one in server.writes()])
        assert "was rejected" in sent
        assert "Secret reason" not in sent
        assert str(world.first) not in sent


@pytest.mark.django_db
class TestTie:
    def test_reads_the_ticket_first(self, world: World, server: Any) -> None:
        add(server)
        key = server.make()
        server.decide(key, "approved")
        request = world.submit()

        ticket = tie(world, request, f" {key.lower()} ")

        assert (ticket.key, ticket.approval, ticket.read_at) == (key, Approval.APPROVED, NOW)
        deliver()
        assert f"change {request.number} in Tenure" in server.notes(key)[0]

    def test_refuses_an_unknown_key(self, world: World, server: Any) -> None:
        add(server)
        request = world.submit()

        for key in ("CHG7777777", "ITSM-777", "nonsense"):
            with pytest.raises(TicketUnknown):
                tie(world, request, key)
        assert not Ticket.objects.exists()

    def test_refuses_what_it_cannot_read(self, world: World, server: Any) -> None:
        add(server)
        key = server.make()
        server.interrupt(server.failure(500))

        with pytest.raises(TicketUnreadable):
            tie(world, world.submit(), key)
        assert not Ticket.objects.exists()

    def test_lets_a_ticket_stand_for_one_change(self, world: World, server: Any) -> None:
        add(server)
        key = server.make()
        first, second = world.submit(), world.submit()
        ticket = tie(world, first, key)
        assert tie(world, first, key) == ticket

        with pytest.raises(TicketTaken, match="stands for another change"):
            tie(world, second, key)
        with pytest.raises(IntegrityError), transaction.atomic():
            Ticket.objects.create(
                change_request=second,
                system=ticket.system,
                origin="tied",
                external_id=ticket.external_id,
                approval=Approval.UNKNOWN,
                tied_by=world.author,
                created_at=NOW,
            )

        tickets.release(ticket_id=ticket.id, user=world.author, now=NOW)
        assert tie(world, second, key).change_request_id == second.id

    def test_asks_nothing_outside_for_who_may_not(self, world: World, server: Any) -> None:
        add(server)
        request = world.submit()

        for user, refusal in ((given.user("auditor"), NotPermitted), (given.user("legal", everywhere=False), NotFound)):
            with pytest.raises(refusal):
                tickets.tie(change_request_id=request.id, system_code="itsm", key="CHG1", user=user, now=NOW)
        assert server.asked == []


@pytest.mark.django_db
class TestFollowing:
    def test_tells_each_step_in_order(self, world: World, server: Any) -> None:
        add(server)
        request = world.propose()
        ticket = opened(world, request)
        services.submit(change_request_id=request.id, author=world.author, now=NOW)
        approve(request, world.first, world.second)
        world.apply(request)

        deliver()

        told = server.notes(ticket.key)
        assert [words(one) for one in told] == [
            "is in review",
            "has every approval that its policy asks for",
            "is applied",
        ]
        assert server.status(ticket.key) in ("Review", "Done")
        assert fresh_ticket(ticket).told_revision == 1

    def test_sends_one_at_a_time(self, world: World, server: Any) -> None:
        add(server)
        request = world.propose()
        tickets.open_ticket(change_request_id=request.id, system_code="itsm", user=world.author, now=NOW)
        services.submit(change_request_id=request.id, author=world.author, now=NOW)
        approve(request, world.first, world.second)

        assert TicketUpdate.objects.count() == 3
        assert OutboxMessage.objects.filter(kind="ticket.update").count() == 1
        deliver_due(now=NOW, kinds=["ticket.update"], limit=1)
        assert OutboxMessage.objects.filter(kind="ticket.update", status="pending").count() == 1

    def test_keeps_the_order_when_one_fails(self, world: World, server: Any) -> None:
        add(server)
        request = world.propose()
        ticket = opened(world, request)
        services.submit(change_request_id=request.id, author=world.author, now=NOW)
        server.interrupt(server.failure(503))
        deliver()
        services.withdraw(change_request_id=request.id, user=world.author, now=NOW)
        deliver()
        assert server.notes(ticket.key) == []

        deliver(now=at(60))

        assert [words(one) for one in server.notes(ticket.key)] == ["is in review", "was withdrawn"]

    def test_gives_up_for_good_and_goes_on_when_told(self, world: World, server: Any) -> None:
        system = add(server)
        request = world.propose()
        ticket = opened(world, request)
        change(system, server, secret="another")
        services.submit(change_request_id=request.id, author=world.author, now=NOW)
        assert deliver().dead == 1
        given_up = tickets.messages_of([ticket.id])[ticket.id]
        assert (given_up.status, given_up.attempts) == ("dead", 1)
        assert "Enter the account and secret again" in given_up.last_error

        change(system, server)
        tickets.try_again(ticket_id=ticket.id, user=world.author, now=NOW)
        deliver()

        assert [words(one) for one in server.notes(ticket.key)] == ["is in review"]
        with pytest.raises(TicketNotGivenUp):
            tickets.try_again(ticket_id=ticket.id, user=world.author, now=NOW)

    def test_writes_nothing_for_a_step_that_is_undone(self, world: World, server: Any) -> None:
        add(server)
        request = world.propose()
        opened(world, request)
        with transaction.atomic():
            services.submit(change_request_id=request.id, author=world.author, now=NOW)
            transaction.set_rollback(True)

        assert TicketUpdate.objects.count() == 1

    def test_ends_when_the_ticket_is_released(self, world: World, server: Any) -> None:
        add(server)
        request = world.propose()
        ticket = opened(world, request)
        services.submit(change_request_id=request.id, author=world.author, now=NOW)
        tickets.release(ticket_id=ticket.id, user=world.author, now=NOW)

        deliver()

        assert server.notes(ticket.key) == []
        assert OutboxMessage.objects.filter(kind="ticket.update", status="dead").count() == 0
