"""What delegations and authority limits refuse."""

from foundation.errors import Conflict, NotPermitted


class NotADelegate(NotPermitted):
    """Nobody decides for somebody else without a delegation in force, and never more than they could themselves."""

    code = "not_a_delegate"
    title = "You may not decide for them"


class OverLimit(NotPermitted):
    """The change is larger than the decider's authority."""

    code = "over_limit"
    title = "The change is above the limit"


class DelegationOver(Conflict):
    """A delegation that is over or revoked is not revoked again."""

    code = "delegation_over"
    title = "The delegation is over"
