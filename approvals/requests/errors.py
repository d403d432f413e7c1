"""What change control refuses."""

from foundation.errors import Conflict, DomainError, InvalidInput, NotPermitted


class SelfReview(NotPermitted):
    """Nobody decides on what they wrote, under any login (INV-3)."""

    code = "self_review"
    title = "Nobody decides on their own change"


class StaleDigest(Conflict):
    """The request changed since the reader saw it (INV-2)."""

    code = "stale_digest"
    title = "The change was edited since you read it"


class AlreadyDecided(Conflict):
    """One decision per human and revision (INV-3)."""

    code = "already_decided"
    title = "You have decided on this revision already"


class NotAReviewer(NotPermitted):
    """The open stage asks for another role."""

    code = "not_a_reviewer"
    title = "The open stage asks for another role"


class CommentRequired(InvalidInput):
    """Asking for changes and rejecting need a comment."""

    code = "comment_required"
    title = "A comment is required"


class WrongState(Conflict):
    """The request's status does not allow the action."""

    code = "wrong_state"
    title = "Not possible in this state"


class IncompleteRationale(InvalidInput):
    """A request goes to review only with justification, impact, acceptance criteria and rollback."""

    code = "incomplete_rationale"
    title = "The request is not complete"


class GapWithoutWaiver(Conflict):
    """A change that would open a gap needs a waiver (INV-8)."""

    code = "gap_without_waiver"
    title = "Somebody would lose access"


class StaleBase(Conflict):
    """A record changed since the change was planned (INV-2)."""

    code = "stale_base"
    title = "A record changed since this was planned"


class FieldsConflict(Conflict):
    """Others changed the same fields of the same record: somebody says whose value holds."""

    code = "fields_conflict"
    title = "Both changed the same"


class MaterialMoved(Conflict):
    """A fresh plan is worse than the one that was approved; the review is open again."""

    code = "material_moved"
    title = "What was approved is no longer what would happen"


class PolicyStricter(Conflict):
    """The policies in force ask for more than was given; the review is open again."""

    code = "policy_stricter"
    title = "The policy asks for more approvals now"


class QuorumLost(Conflict):
    """A decider is no longer eligible, so a stage lacks its quorum; the review is open again."""

    code = "quorum_lost"
    title = "An approval no longer counts"


class UnclearLocalTime(InvalidInput):
    """A local time that the zone's clocks skip or show twice; an offset makes it one instant."""

    code = "unclear_local_time"
    title = "The local time is not one instant"


class ScheduleOver(Conflict):
    """A request whose window is over goes to no review."""

    code = "schedule_over"
    title = "The window is over"


class NotYet(Conflict):
    """The window of a scheduled request has not opened."""

    code = "not_yet"
    title = "The window has not opened yet"


class WindowClosed(Conflict):
    """The window of a scheduled request is over: it is never applied late."""

    code = "window_closed"
    title = "The window is closed"


class DigestMismatch(DomainError):
    """Stored bytes and digest disagree: somebody changed a revision behind the application's back."""

    code = "digest_mismatch"
    title = "The stored revision does not match its digest"
    status = 409


class Ungoverned(Conflict):
    """The database refused a write outside an applied change request (INV-1)."""

    code = "ungoverned"
    title = "Governed records change only through a change request"


class RulesBroken(Conflict):
    """The plan breaks the registry's rules."""

    code = "rules_broken"
    title = "The registry's rules do not hold"


class NotStandard(Conflict):
    """A change that cites a template is not inside its bounds, so it is no standard change."""

    code = "not_standard"
    title = "This is no standard change"


class StandardLost(Conflict):
    """The template was amended, retired or has expired, or no longer covers the change; the review is open again."""

    code = "standard_lost"
    title = "The standard template no longer covers this"


class StandardLimitReached(Conflict):
    """A template is applied no more often, and moves no more, than it says."""

    code = "standard_limit_reached"
    title = "The standard template's limit is reached"


class GateClosed(Conflict):
    """A freeze, a ticket or a conflict stands in the way of this step."""

    code = "gate_closed"
    title = "Something stands in the way"
