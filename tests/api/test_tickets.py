"""Tickets and their systems over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from approvals.tickets.models import TicketSystem
from foundation import clock
from foundation.outbox.delivery import deliver_due
from tests import given
from tests.approvals.conftest import server as server
from tests.approvals.ticket_servers import SECRET
from tests.approvals.ticketing import add, asked
from tests.approvals.world import World

pytestmark = pytest.mark.django_db


def client_of(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


class TestTickets:
    def test_are_opened_read_and_released(self, world: World, server: Any) -> None:
        add(server)
        client = client_of(world.author)
        address = f"/api/v1/change-requests/{world.submit().id}/tickets"

        made = client.post(address, {"system": "itsm"}, format="json")
        assert made.status_code == 201
        assert (made.json()["key"], made.json()["approval"], made.json()["fresh"]) == ("", "unknown", False)
        deliver_due(now=clock.now(), kinds=["ticket.update"])
        (listed,) = client.get(address).json()
        assert (listed["approval"], listed["fresh"], listed["waiting"]) == ("not_requested", True, 0)
        assert client.post(f"{address}/{listed['id']}/read").json()["key"] == listed["key"]
        assert client.post(f"{address}/{listed['id']}/retry").json()["code"] == "ticket_not_given_up"
        assert client.post(f"{address}/{listed['id']}/release").json()["released_at"]

    def test_are_tied_or_refused(self, world: World, server: Any) -> None:
        add(server)
        client = client_of(world.author)
        address = f"/api/v1/change-requests/{world.submit().id}/tickets"
        key = server.make()

        unknown = client.post(address, {"system": "itsm", "key": "CHG7777777"}, format="json")
        assert (unknown.status_code, unknown.json()["code"]) == (400, "ticket_unknown")
        tied = client.post(address, {"system": "itsm", "key": key}, format="json").json()
        assert client.post(address, {"system": "itsm", "key": key}, format="json").json()["id"] == tied["id"]
        server.interrupt(server.failure(500))
        other = f"/api/v1/change-requests/{world.submit().id}/tickets"
        away = client.post(other, {"system": "itsm", "key": key}, format="json")
        assert (away.status_code, away.json()["code"]) == (424, "ticket_unreadable")
        taken = client.post(other, {"system": "itsm", "key": key}, format="json")
        assert (taken.status_code, taken.json()["code"]) == (409, "ticket_taken")
        assert client.post(f"{other}/{tied['id']}/release").status_code == 404


class TestSystems:
    def test_are_set_up_and_never_show_their_secret(self, server: Any) -> None:
        client = client_of(given.user("administrator"))
        values = dict(vars(asked(server)))

        made = client.post("/api/v1/ticket-systems", values, format="json")
        assert made.status_code == 201
        address = f"/api/v1/ticket-systems/{made.json()['id']}"
        moved = client.patch(address, {"base_url": "https://attacker.example"}, format="json")
        assert (moved.status_code, moved.json()["code"]) == (400, "ticket_secret_needed")
        assert client.patch(address, {"enabled": False}, format="json").json()["enabled"] is False

        assert TicketSystem.objects.get().secret.reveal() == SECRET
        for answer in (made, moved, client.get("/api/v1/ticket-systems")):
            assert SECRET not in answer.content.decode()
