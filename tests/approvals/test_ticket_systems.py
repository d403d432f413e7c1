"""Ticket systems: who sets them up, and where their secrets go."""

from typing import Any

import pytest

from approvals.tickets import systems
from approvals.tickets.errors import (
    SecretNeeded,
)
from approvals.tickets.models import TicketSystem
from audit.models import Event
from foundation.errors import InvalidInput, NotPermitted
from foundation.http.errors import OutgoingRefused
from tests import given
from tests.approvals.ticket_servers import SECRET
from tests.approvals.ticketing import NOW, add, asked, change


@pytest.mark.django_db
class TestSystems:
    def test_are_set_up_by_administrators_alone(self, server: Any) -> None:
        for role in ("requester", "licensing", "it_operations", "auditor"):
            with pytest.raises(NotPermitted):
                systems.add(asked=asked(server), actor=given.user(role), now=NOW)
        assert not TicketSystem.objects.exists()

    def test_show_their_secret_to_nobody(self, server: Any) -> None:
        system = add(server)

        stored = TicketSystem.objects.values_list("secret", flat=True).get(id=system.id)
        assert SECRET not in str(stored) + repr(stored)
        (event,) = Event.objects.filter(type="approvals.ticket_system.configured")
        assert SECRET.encode() not in bytes(event.content)

    @pytest.mark.parametrize("changed", [{"base_url": "https://attacker.example"}, {"account": "another"}])
    def test_send_a_secret_nowhere_else(self, server: Any, changed: dict[str, str]) -> None:
        system = add(server)

        with pytest.raises(SecretNeeded):
            change(system, server, secret=None, **changed)
        assert change(system, server, secret=None, name="Another").name == "Another"

    @pytest.mark.parametrize(
        ("changed", "refusal"),
        [
            ({"code": "any"}, InvalidInput),
            ({"code": "Has Space"}, InvalidInput),
            ({"product": "paper"}, InvalidInput),
            ({"settings": {"nonsense": 1}}, InvalidInput),
            ({"secret": "a\nb"}, InvalidInput),
            ({"secret": None}, SecretNeeded),
            ({"account": "a:b"}, InvalidInput),
            ({"base_url": "http://169.254.169.254/"}, OutgoingRefused),
            ({"base_url": "https://10.0.0.1/"}, OutgoingRefused),
            ({"base_url": "file:///etc/passwd"}, OutgoingRefused),
            ({"name": " "}, InvalidInput),
        ],
    )
    def test_are_refused_with_a_sentence(self, server: Any, changed: dict[str, Any], refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            add(server, **changed)

    def test_keep_their_code(self, server: Any) -> None:
        system = add(server)
        with pytest.raises(systems.TicketCodeTaken):
            add(server)
        with pytest.raises(InvalidInput):
            change(system, server, code="another")
