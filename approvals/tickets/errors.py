"""What tickets refuse, and how a connector says that it failed."""

from datetime import timedelta

from foundation.errors import Conflict, DomainError, InvalidInput


class TicketFailed(Exception):
    """
    A connector's attempt that did not succeed, in a sentence that says what to do.

    `permanent`: no later attempt succeeds unless somebody mends something. `retry_after`: the system's own wish.
    `missing`: the system says that there is no such ticket.
    """

    def __init__(
        self,
        message: str,
        /,
        *,
        permanent: bool = False,
        retry_after: timedelta | None = None,
        missing: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.missing = missing


class TicketUnreadable(DomainError):
    """The ticket could not be read from its system."""

    code = "ticket_unreadable"
    title = "The ticket could not be read"
    status = 424


class TicketUnknown(InvalidInput):
    """The system has no ticket of this key."""

    code = "ticket_unknown"
    title = "There is no such ticket"


class TicketTaken(Conflict):
    """A ticket stands for one change at a time."""

    code = "ticket_taken"
    title = "The ticket is tied to a change already"


class TicketSystemDisabled(Conflict):
    """The system is not in use."""

    code = "ticket_system_disabled"
    title = "The ticket system is disabled"


class TicketNotGivenUp(Conflict):
    """Only a message that was given up is sent again."""

    code = "ticket_not_given_up"
    title = "Nothing was given up"


class SecretNeeded(InvalidInput):
    """A stored secret is not sent to another address or account than it was entered for."""

    code = "ticket_secret_needed"
    title = "Enter the secret again"
