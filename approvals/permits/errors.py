"""What emergency permits refuse."""

from foundation.errors import Conflict, InvalidInput, NotPermitted


class NoEmergencyRole(NotPermitted):
    """Only who holds the emergency role takes and uses permits."""

    code = "no_emergency_role"
    title = "Emergency permits are for the emergency role"


class PermitNeedsReason(InvalidInput):
    """A permit says why the change can't wait for its approvals."""

    code = "permit_needs_reason"
    title = "Say why this can’t wait"


class PermitBlocked(Conflict):
    """The review of an earlier permit is overdue."""

    code = "permit_blocked"
    title = "An earlier permit waits for its review"


class PermitHeld(Conflict):
    """The human holds a permit for this revision already."""

    code = "permit_held"
    title = "You hold a permit for this already"


class PermitExpired(Conflict):
    """The permit is no longer valid."""

    code = "permit_expired"
    title = "The permit has expired"


class PermitUsed(Conflict):
    """A permit is used once."""

    code = "permit_used"
    title = "The permit was used"


class PlanMoved(Conflict):
    """A fresh plan is worse than the one that the permit was taken for, or the policies ask for more."""

    code = "plan_moved"
    title = "What would happen is no longer what you read"


class NoReviewer(NotPermitted):
    """The permit's review asks for other people."""

    code = "no_permit_reviewer"
    title = "The review asks for other people"


class AlreadyReviewed(Conflict):
    """One review per human and permit."""

    code = "already_reviewed"
    title = "You have reviewed this permit already"


class NothingToReview(Conflict):
    """The permit was not used, or its review is complete."""

    code = "nothing_to_review"
    title = "There is nothing to review"
