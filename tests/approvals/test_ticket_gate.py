"""A policy demands an approved ticket."""

from dataclasses import replace
from typing import Any

import pytest

from approvals.requests import application, services
from approvals.requests.errors import GateClosed, PolicyStricter
from approvals.requests.gates import Asked, Step, obstacles
from approvals.requests.models import ChangeRequest
from approvals.requests.schedules import Schedule
from approvals.requests.states import Status
from approvals.tickets import services as tickets
from approvals.tickets.models import Ticket
from tests import given
from tests.approvals.ticketing import NOW, add, at, change, deliver, demanding, opened, read
from tests.approvals.world import World, approve, fresh, revision_of


@pytest.mark.django_db
class TestGate:
    def tied(self, world: World, server: Any, approval: str = "approved") -> tuple[ChangeRequest, Ticket]:
        """An approved request with a ticket in some state, told of everything."""
        add(server)
        demanding()
        request = world.submit()
        ticket = opened(world, request)
        server.decide(ticket.key, approval)
        approve(request, world.first, world.second)
        deliver()
        return request, read(ticket, 1)

    def applied(self, world: World, request: ChangeRequest, minutes: float) -> ChangeRequest:
        return application.apply(change_request_id=request.id, user=world.operator, now=at(minutes))

    def test_lets_a_change_with_an_approved_ticket_through(self, world: World, server: Any) -> None:
        request, _ = self.tied(world, server)

        assert self.applied(world, request, 2).status == Status.APPLIED

    def test_stops_a_change_without_one_and_warns_at_review(self, world: World) -> None:
        demanding()
        request = world.approved()

        with pytest.raises(GateClosed, match="must be tied to this change and approved there"):
            self.applied(world, request, 0)
        assert fresh(request).status == Status.APPROVED
        (found,) = obstacles(Asked(change_request=fresh(request), items=(), schedule=None, now=NOW))
        assert found.stops == {Step.APPLICATION}
        assert "“Tickets” asks for it" in found.sentence

    @pytest.mark.parametrize("approval", ["not_requested", "requested", "rejected", "waved through"])
    def test_stops_what_is_not_approved(self, world: World, server: Any, approval: str) -> None:
        request, _ = self.tied(world, server, approval)

        with pytest.raises(GateClosed, match="is not approved"):
            self.applied(world, request, 2)

    def test_stops_an_approval_that_was_read_too_long_ago(self, world: World, server: Any) -> None:
        request, ticket = self.tied(world, server)

        with pytest.raises(GateClosed, match="too long ago") as caught:
            self.applied(world, request, 16.1)
        assert caught.value.context["until"]

        read(ticket, 17)
        assert self.applied(world, request, 18).status == Status.APPLIED

    def test_stops_an_approval_that_was_taken_back(self, world: World, server: Any) -> None:
        request, ticket = self.tied(world, server)
        server.decide(ticket.key, "rejected")
        read(ticket, 2)

        with pytest.raises(GateClosed):
            self.applied(world, request, 3)

    def test_stops_what_was_read_in_the_future(self, world: World, server: Any) -> None:
        request, ticket = self.tied(world, server)
        read(ticket, 10)

        with pytest.raises(GateClosed):
            self.applied(world, request, 2)

    def test_stops_until_the_ticket_was_told_of_the_revision(self, world: World, server: Any) -> None:
        request, _ = self.tied(world, server)
        services.amend(
            change_request_id=request.id,
            author=world.author,
            now=NOW,
            rationale=replace(given.RATIONALE, impact="More."),
        )
        services.submit(change_request_id=request.id, author=world.author, now=NOW)
        approve(request, world.first, world.second)

        with pytest.raises(GateClosed, match="has not been told of revision 2"):
            self.applied(world, request, 2)
        deliver(now=at(2))
        assert self.applied(world, request, 3).status == Status.APPLIED

    def test_stops_released_tickets_and_disabled_systems(self, world: World, server: Any) -> None:
        request, ticket = self.tied(world, server)
        change(ticket.system, server, enabled=False)
        with pytest.raises(GateClosed, match="is disabled"):
            self.applied(world, request, 2)
        change(ticket.system, server)
        tickets.release(ticket_id=ticket.id, user=world.author, now=NOW)
        with pytest.raises(GateClosed, match="must be tied"):
            self.applied(world, request, 2)

    def test_stops_a_ticket_of_another_system(self, world: World, server: Any) -> None:
        add(server)
        demanding("elsewhere")
        request = world.submit()
        ticket = opened(world, request)
        server.decide(ticket.key, "approved")
        approve(request, world.first, world.second)
        deliver()
        read(ticket, 1)

        with pytest.raises(GateClosed, match="a system that nobody has set up"):
            self.applied(world, request, 2)

    def test_is_under_the_digest(self, world: World) -> None:
        demanding("any")

        revision = revision_of(world.propose())

        assert revision.document["demands"] == [{"system": "any", "reasons": ["the policy “Tickets” asks for it"]}]
        assert b'"demands"' in bytes(revision.content)

    def test_counts_when_the_policy_came_after_the_review(self, world: World) -> None:
        request = world.approved()
        demanding()

        with pytest.raises(PolicyStricter, match="an approved ticket is needed in itsm"):
            self.applied(world, request, 0)

        assert fresh(request).status == Status.IN_REVIEW
        assert revision_of(request).document["demands"]

    def test_stops_the_clock_too(self, world: World) -> None:
        demanding()
        schedule = Schedule(opens_at=at(60), closes_at=at(120), zone="UTC")
        request = world.approved(world.grant(), schedule=schedule)

        with pytest.raises(GateClosed):
            application.apply_scheduled(change_request_id=request.id, now=at(61))
