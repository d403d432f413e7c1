"""
The contract that every connector to a ticket system fulfills, and the registry of connectors.

Each is a package of its own that nobody but `registration` imports; all of them fail with one error, TicketFailed.
What they have in common is in exchange.py. The same tests run for all: tests/approvals/test_ticket_connectors.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from pydantic import BaseModel

from foundation.secrets.services import Secret


class Approval(StrEnum):
    """What a system says of a ticket's approval; whatever we do not know by name is unknown."""

    UNKNOWN = "unknown"
    NOT_REQUESTED = "not_requested"
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Connection:
    """Where a system is and how to sign in; `seconds` is how long one request may take."""

    base_url: str
    account: str
    secret: Secret
    settings: Mapping[str, Any]
    seconds: float = 15.0


@dataclass(frozen=True)
class Seen:
    """A ticket as its system says it is."""

    external_id: str
    key: str
    url: str
    status: str
    approval: Approval


@dataclass(frozen=True)
class NewTicket:
    """A ticket to open. `correlation` is ours and stable: the system is asked for it before a second one is made."""

    correlation: UUID
    summary: str
    description: str


@dataclass(frozen=True)
class Note:
    """
    Something to tell a ticket. `mark` stands in the text, so that a note that is there already is not written twice.

    `status` is where our change stands; the connection's settings say what becomes of the ticket then.
    """

    text: str
    mark: str
    status: str


class Connector(Protocol):
    """One product."""

    @property
    def product(self) -> str:
        """What programs call it."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def settings(self) -> type[BaseModel]:
        """The settings that a connection to it has."""

    def create(self, *, connection: Connection, ticket: NewTicket) -> Seen:
        """
        Open a ticket, or answer the one that an earlier attempt opened.

        :raises TicketFailed: if it may not have been opened
        """
        ...

    def find(self, *, connection: Connection, key: str) -> Seen:
        """
        The ticket of a key that a person typed.

        :raises TicketFailed: with `missing` if there is none
        """
        ...

    def read(self, *, connection: Connection, external_id: str) -> Seen:
        """
        The ticket as it is now.

        :raises TicketFailed: with `missing` if it is gone
        """
        ...

    def tell(self, *, connection: Connection, external_id: str, note: Note, again: bool) -> None:
        """
        Write a note on the ticket and move it as the settings say; `again`: an earlier attempt may have done so.

        :raises TicketFailed: if it may not have happened
        """
        ...


_CONNECTORS: dict[str, Connector] = {}


def register_connector(connector: Connector) -> None:
    """Make a product known."""
    _CONNECTORS[connector.product] = connector


def connector(product: str) -> Connector:
    """
    The connector of a product.

    :raises LookupError: if there is none
    """
    return _CONNECTORS[product]


def connectors() -> Mapping[str, Connector]:
    """All connectors by product."""
    return dict(_CONNECTORS)
