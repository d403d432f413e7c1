"""What the guarded client refuses, and how it says that a request failed."""

from foundation.errors import DomainError


class OutgoingRefused(DomainError):
    """The target may not be reached from here, whatever it would answer."""

    code = "outgoing_refused"
    title = "This target may not be reached"
    status = 422


class OutgoingFailed(DomainError):
    """The target may be reached and gave no usable answer; a later attempt may get one."""

    code = "outgoing_failed"
    title = "The target gave no usable answer"
    status = 424
