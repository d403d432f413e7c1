"""Tickets on the page of a change."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from approvals.tickets import services
from approvals.tickets.models import Ticket
from foundation import clock
from foundation.outbox.delivery import deliver_due
from tests import given
from tests.approvals.servicenow_server import ServiceNowServer
from tests.approvals.ticketing import add, change
from tests.browser import Tab
from tests.portal.test_change_page import signed_in
from tests.portal.world import PASSWORD, Pilot

pytestmark = [pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture
def server(loopback: None, settings: Any) -> Iterator[ServiceNowServer]:
    with ServiceNowServer() as running:
        settings.HTTP_ALLOWED_INTERNAL_HOSTS = [running.host]
        yield running


def page(client: Client, number: int) -> str:
    return client.get(f"/changes/{number}/").content.decode()


def deliver() -> None:
    deliver_due(now=clock.now(), kinds=["ticket.update"])


@pytest.mark.django_db
class TestSection:
    def test_is_absent_where_there_are_no_systems(self, pilot: Pilot) -> None:
        assert 'id="tickets"' not in page(signed_in(pilot.first), pilot.submitted().number)

    def test_ties_a_ticket_and_shows_what_was_read(self, pilot: Pilot, server: ServiceNowServer) -> None:
        add(server)
        request = pilot.submitted()
        key = server.make()
        server.decide(key, "approved")
        client = signed_in(pilot.author)

        answer = client.post(f"/changes/{request.number}/tickets/tie/", {"system": "itsm", "key": key})

        assert answer["Location"] == f"/changes/{request.number}/#tickets"
        content = page(client, request.number)
        assert "Approval: approved" in content
        assert f">{key}</a>" in content
        assert 'id="ticket-system"' not in content

    def test_keeps_what_was_typed_where_it_refuses(self, pilot: Pilot, server: ServiceNowServer) -> None:
        add(server)
        request = pilot.submitted()

        answer = signed_in(pilot.author).post(
            f"/changes/{request.number}/tickets/tie/", {"system": "itsm", "key": "CHG<b>"}
        )

        assert answer.status_code == 400
        content = answer.content.decode()
        assert "Write it like CHG0030001" in content
        assert 'value="CHG&lt;b&gt;"' in content

    def test_opens_reads_and_releases(self, pilot: Pilot, server: ServiceNowServer) -> None:
        add(server)
        request = pilot.submitted()
        client = signed_in(pilot.author)
        client.post(f"/changes/{request.number}/tickets/open/", {"system": "itsm"})
        assert "Being opened" in page(client, request.number)
        deliver()
        ticket = Ticket.objects.get()
        assert "Approval: not requested" in page(client, request.number)

        address = f"/changes/{request.number}/tickets/{ticket.id}"
        assert client.post(f"{address}/read/").status_code == 302
        assert client.post(f"{address}/release/").status_code == 302

        assert "stands for this change no longer" in page(client, request.number)

    def test_says_what_to_do_when_it_was_given_up(self, pilot: Pilot, server: ServiceNowServer) -> None:
        system = add(server)
        change(system, server, secret="wrong")
        request = pilot.submitted()
        client = signed_in(pilot.author)
        client.post(f"/changes/{request.number}/tickets/open/", {"system": "itsm"})
        deliver()
        content = page(client, request.number)
        assert "Enter the account and secret again" in content
        assert "Try again" in content

        change(system, server)
        client.post(f"/changes/{request.number}/tickets/{Ticket.objects.get().id}/retry/")
        deliver()

        assert server.count() == 1
        assert "Try again" not in page(client, request.number)

    def test_does_nothing_with_a_ticket_of_another_change(self, pilot: Pilot, server: ServiceNowServer) -> None:
        add(server)
        request, another = pilot.submitted(), pilot.submitted()
        ticket = services.open_ticket(
            change_request_id=request.id, system_code="itsm", user=pilot.author, now=given.NOW
        )

        answer = signed_in(pilot.author).post(f"/changes/{another.number}/tickets/{ticket.id}/release/")

        assert answer.status_code == 404
        ticket.refresh_from_db()
        assert ticket.released_at is None

    def test_is_for_who_sees_the_change(self, pilot: Pilot, server: ServiceNowServer) -> None:
        add(server)
        request = pilot.submitted()
        stranger = signed_in(given.user("licensing", everywhere=False))

        assert stranger.post(f"/changes/{request.number}/tickets/open/", {"system": "itsm"}).status_code == 404
        auditor = signed_in(given.user("auditor"))
        assert auditor.post(f"/changes/{request.number}/tickets/open/", {"system": "itsm"}).status_code == 403
        assert 'id="ticket-key"' not in page(auditor, request.number)
        assert not Ticket.objects.exists()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestJourney:
    def test_a_ticket_is_tied_refused_opened_and_read(self, tab: Tab, pilot: Pilot, server: ServiceNowServer) -> None:
        add(server)
        add(server, code="other", name="The other desk")
        request = pilot.submitted()
        key = server.make()
        tab.sign_in("ada", PASSWORD)
        tab.open(f"/changes/{request.number}/")
        tab.check("tickets-none")
        tab.page.get_by_label("Ticket system", exact=True).select_option("itsm")
        tab.expected.add("status of 400")
        tab.page.get_by_label("Key of a ticket that exists", exact=True).fill("nonsense")
        tab.page.get_by_role("button", name="Tie this ticket").click()
        tab.page.get_by_text("Write it like CHG0030001").wait_for()
        tab.check("tickets-refused")
        tab.page.get_by_label("Key of a ticket that exists", exact=True).fill(key)
        tab.page.get_by_role("button", name="Tie this ticket").click()
        tab.page.get_by_text("is tied to this change").wait_for()
        tab.page.get_by_role("button", name="Open a new ticket").click()
        tab.page.get_by_text("Being opened").first.wait_for()
        deliver()
        server.decide(key, "approved")
        # What was read a moment ago is answered as it is, and no clock moves in this test.
        Ticket.objects.filter(key=key).update(read_at=clock.now() - timedelta(minutes=1))
        tab.page.get_by_role("button", name=f"Read now: {key}").click()
        tab.page.get_by_text("Approval: approved").wait_for()
        tab.check("tickets")
