"""What verification refuses."""

from foundation.errors import Conflict, InvalidInput, NotPermitted


class SelfVerification(NotPermitted):
    """Nobody verifies what they wrote or applied, under any login."""

    code = "self_verification"
    title = "Nobody verifies their own change"


class EvidenceRequired(InvalidInput):
    """A criterion is ticked with evidence, or marked as not met with a reason."""

    code = "evidence_required"
    title = "Evidence is required"


class NotVerifiable(Conflict):
    """Only an applied change that is not closed awaits verification."""

    code = "not_verifiable"
    title = "The change does not await verification"


class NotInOneClick(Conflict):
    """The inverse is not what was approved with the change, or leaves something worse than before it."""

    code = "not_in_one_click"
    title = "This can't be acted back in one click"


class NothingToActBack(Conflict):
    """The change is not applied, is closed, or nothing of it is left."""

    code = "nothing_to_act_back"
    title = "There is nothing to act back"
