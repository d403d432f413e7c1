"""What the outbox refuses, and how a sender says that it failed."""

from datetime import timedelta

from foundation.errors import Conflict


class OutsideTransaction(RuntimeError):
    """A message was written outside a transaction: it could be sent for a decision that was then rolled back."""


class UnknownMessageKind(LookupError):
    """No sender is registered for the kind: the message could never be sent."""


class LeaseLost(Conflict):
    """The lease ran out and the message was given to another worker, or finished by one."""

    code = "outbox_lease_lost"
    title = "Another worker has this message"


class KeyTaken(Conflict):
    """The key already names a message with other content."""

    code = "outbox_key_taken"
    title = "The key names another message"


class NotDead(Conflict):
    """Only a message that was given up can be sent again by hand."""

    code = "outbox_message_not_dead"
    title = "The message was not given up"


class SendFailed(Exception):
    """
    An attempt that did not succeed, in a sentence for operators.

    `permanent`: no later attempt can succeed. `retry_after`: the receiver's own wish, at least as long as the back-off.
    """

    def __init__(self, message: str, /, *, permanent: bool = False, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
