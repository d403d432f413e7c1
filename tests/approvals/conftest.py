"""Fixtures of change control."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from audit import services as audit_services
from foundation.identity.models import User
from tests import given
from tests.approvals import world as building
from tests.approvals.jira_server import JiraServer
from tests.approvals.servicenow_server import ServiceNowServer
from tests.approvals.ticket_servers import TicketServer
from tests.approvals.world import World
from tests.support.sharing import Shelf, shares

SERVERS: dict[str, type[TicketServer]] = {"servicenow": ServiceNowServer, "jira": JiraServer}


@pytest.fixture
@shares(building.make)
def world(db: None, shelf: Shelf) -> World:
    """Have an account with a trial, an order for production, and logins."""
    return shelf.copy_of(building.make)


@pytest.fixture
def holder(world: World) -> User:
    """Have somebody who holds the emergency role."""
    return given.user("emergency")


class LedgerDown(Exception):
    """What tests raise where an event would be recorded."""


@pytest.fixture
def break_ledger(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have a function after whose call no event of the named types can be recorded; without names, none at all."""

    def broken(*types: str) -> None:
        whole = audit_services._row

        def refuse(event: Any, now: Any) -> Any:
            if not types or event.type in types:
                raise LedgerDown
            return whole(event, now)

        monkeypatch.setattr(audit_services, "_row", refuse)

    return broken


@pytest.fixture(params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, loopback: None, settings: Any) -> Iterator[Any]:
    """Have a ticket system on this machine, of each product in turn."""
    with SERVERS[request.param]() as running:
        settings.HTTP_ALLOWED_INTERNAL_HOSTS = [running.host]
        yield running
