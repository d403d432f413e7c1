"""Admin pages of ticket systems: saved by their service, and their secret stays here."""

from typing import Any

import pytest
from django.test import Client

from approvals.tickets.models import TicketSystem
from audit.models import Event
from foundation.identity.models import User
from tests import given

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
LIST = "/admin/approvals/ticketsystem/"
VALUES = {
    "code": "itsm",
    "name": "The service desk",
    "product": "servicenow",
    "base_url": "https://example.service-now.com",
    "account": "tenure",
    "secret_entered": "correct horse",
    "settings": "{}",
    "enabled": "on",
}


def administrator(**fields: Any) -> User:
    return given.user("administrator", is_staff=True, **fields)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


class TestPages:
    def test_set_up_and_change_a_system(self) -> None:
        client = signed_in(administrator())
        assert client.post(f"{LIST}add/", VALUES).status_code == 302
        system = TicketSystem.objects.get()
        assert system.secret.reveal() == "correct horse"
        address = f"{LIST}{system.id}/change/"
        assert "correct horse" not in client.get(address).content.decode()

        client.post(address, VALUES | {"name": "Another", "secret_entered": ""})

        system.refresh_from_db()
        assert (system.name, system.secret.reveal()) == ("Another", "correct horse")
        assert Event.objects.filter(type="approvals.ticket_system.configured").count() == 2

    def test_tell_what_the_service_refuses(self) -> None:
        client = signed_in(administrator())
        client.post(f"{LIST}add/", VALUES)
        system = TicketSystem.objects.get()
        moved = VALUES | {"base_url": "https://attacker.example", "secret_entered": ""}

        answer = client.post(f"{LIST}{system.id}/change/", moved, follow=True)

        assert "Enter the secret for it" in answer.content.decode()
        system.refresh_from_db()
        assert system.base_url == VALUES["base_url"]

    def test_are_for_administrators(self) -> None:
        client = signed_in(given.user("licensing", is_staff=True))

        assert client.get(LIST).status_code == 403
        assert client.post(f"{LIST}add/", VALUES).status_code == 403
        assert not TicketSystem.objects.exists()
