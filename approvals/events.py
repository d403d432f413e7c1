"""What approvals records, and the sentence for each."""

from audit.contributors import EventType

REQUEST_PROPOSED = "approvals.change_request.proposed"
REQUEST_AMENDED = "approvals.change_request.amended"
REQUEST_SUBMITTED = "approvals.change_request.submitted"
REQUEST_APPROVAL_GIVEN = "approvals.change_request.approval_given"
REQUEST_APPROVED = "approvals.change_request.approved"
REQUEST_PREAPPROVED = "approvals.change_request.preapproved"
REQUEST_CHANGES_ASKED = "approvals.change_request.changes_asked"
REQUEST_REJECTED = "approvals.change_request.rejected"
REQUEST_WITHDRAWN = "approvals.change_request.withdrawn"
REQUEST_REOPENED = "approvals.change_request.reopened"
REQUEST_APPLIED = "approvals.change_request.applied"
REQUEST_COMMENTED = "approvals.change_request.commented"
REQUEST_FILE_ATTACHED = "approvals.change_request.file_attached"
REQUEST_SNOOZED = "approvals.change_request.snoozed"
REQUEST_SEEN = "approvals.change_request.seen"
REQUEST_ESCALATED = "approvals.change_request.escalated"
REQUEST_SCHEDULED = "approvals.change_request.scheduled"
REQUEST_MISSED = "approvals.change_request.missed"
REQUEST_FAILED = "approvals.change_request.failed"
REQUEST_EXPIRY_ANNOUNCED = "approvals.change_request.expiry_announced"
REQUEST_EXPIRED = "approvals.change_request.expired"
REQUEST_HELD = "approvals.change_request.held"
TICKET_ASKED = "approvals.ticket.asked"
TICKET_OPENED = "approvals.ticket.opened"
TICKET_TIED = "approvals.ticket.tied"
TICKET_READ = "approvals.ticket.read"
TICKET_RELEASED = "approvals.ticket.released"
TICKET_RETRIED = "approvals.ticket.retried"
TICKET_SYSTEM_CONFIGURED = "approvals.ticket_system.configured"
DELEGATION_GIVEN = "approvals.delegation.given"
DELEGATION_REVOKED = "approvals.delegation.revoked"
RIGHT_TAKEN_BACK = "approvals.right.taken_back"
REQUEST_CRITERION_MET = "approvals.change_request.criterion_met"
REQUEST_CRITERION_UNMET = "approvals.change_request.criterion_unmet"
REQUEST_VERIFIED = "approvals.change_request.verified"
REQUEST_VERIFICATION_OVERDUE = "approvals.change_request.verification_overdue"
REQUEST_REVERTED = "approvals.change_request.reverted"
PERMIT_TAKEN = "approvals.permit.taken"
PERMIT_USED = "approvals.permit.used"
PERMIT_REVIEW_GIVEN = "approvals.permit.review_given"
PERMIT_REVIEWED = "approvals.permit.reviewed"
PERMIT_REVIEW_OVERDUE = "approvals.permit.review_overdue"
REQUEST_ANNOUNCED = "approvals.change_request.announced"
REQUEST_ANNOUNCEMENT_READ = "approvals.change_request.announcement_read"
REQUEST_ANNOUNCEMENT_OVERDUE = "approvals.change_request.announcement_escalated"
SUBSCRIPTION_MADE = "approvals.subscription.made"
SUBSCRIPTION_CHANGED = "approvals.subscription.changed"
SUBSCRIPTION_ENDED = "approvals.subscription.ended"
SUBSCRIPTION_FOLLOWED = "approvals.subscription.followed"
BEARER_ISSUED = "approvals.token.issued"
BEARER_REVOKED = "approvals.token.revoked"
RECORD_CREATED = "approvals.record.created"
RECORD_CHANGED = "approvals.record.changed"

EVENT_TYPES = (
    EventType(REQUEST_PROPOSED, "{actor} proposed change {number}: {title} (revision {revision})."),
    EventType(REQUEST_AMENDED, "{actor} edited change {number}; revision {revision} replaces what was decided on."),
    EventType(REQUEST_SUBMITTED, "{actor} sent change {number}, revision {revision}, to review."),
    EventType(REQUEST_APPROVAL_GIVEN, "{actor} approved change {number} for {role}, digest {digest}."),
    EventType(REQUEST_APPROVED, "Change {number} has every approval that its policy asks for."),
    EventType(
        REQUEST_PREAPPROVED,
        "Change {number}, digest {digest}, is approved by the standard template “{template}”, version {version}.",
    ),
    EventType(REQUEST_CHANGES_ASKED, "{actor} asked for changes to change {number}: {comment}"),
    EventType(REQUEST_REJECTED, "{actor} rejected change {number}: {comment}"),
    EventType(REQUEST_WITHDRAWN, "{actor} withdrew change {number}."),
    EventType(REQUEST_REOPENED, "Change {number} was not applied and is in review again: {why}"),
    EventType(REQUEST_APPLIED, "{actor} applied change {number} by {authorization}, digest {digest}."),
    EventType(REQUEST_COMMENTED, "{actor} wrote comment {comment} on change {number}, revision {revision}."),
    EventType(
        REQUEST_FILE_ATTACHED,
        "{actor} attached {name} to change {number} as file {file}: {size} bytes, SHA-256 {file_digest}.",
    ),
    EventType(REQUEST_SNOOZED, "{actor} put off reminders of change {number} until {until}."),
    EventType(REQUEST_SEEN, "{actor} has seen that change {number} waits for them ({what})."),
    EventType(REQUEST_ESCALATED, "Change {number} is overdue: {role} did not decide, so {backup} is told."),
    EventType(REQUEST_SCHEDULED, "Change {number}, digest {digest}, is scheduled: it is applied {window}."),
    EventType(REQUEST_MISSED, "Change {number} missed its window and was not applied: {why}"),
    EventType(REQUEST_FAILED, "Change {number} was due and could not be applied: {why}"),
    EventType(
        REQUEST_EXPIRY_ANNOUNCED, "The author of change {number} is told that it expires at {expires_at} ({status})."
    ),
    EventType(REQUEST_EXPIRED, "Change {number} expired: {why}"),
    EventType(REQUEST_HELD, "Change {number} is due and held, while its window is open: {why}"),
    EventType(TICKET_ASKED, "{actor} asked for a ticket in {system} for change {number}."),
    EventType(TICKET_OPENED, "Ticket {key} was opened in {system} for change {number}: {status}, approval {approval}."),
    EventType(TICKET_TIED, "{actor} tied ticket {key} of {system} to change {number}: {status}, approval {approval}."),
    EventType(
        TICKET_READ,
        "Ticket {key} of {system} was read: {status}, approval {approval} (before: {former_status}, approval "
        "{former_approval}).",
    ),
    EventType(TICKET_RELEASED, "{actor} released ticket {key} of {system} from change {number}."),
    EventType(TICKET_RETRIED, "{actor} had {system} told again about change {number}, which had been given up."),
    EventType(TICKET_SYSTEM_CONFIGURED, "{actor} set up the ticket system {code} ({product}, {base_url}): {fields}."),
    EventType(
        DELEGATION_GIVEN, "{actor} lets {delegate} decide for {delegator} as {role}, {starts_at} to {ends_at}: {reason}"
    ),
    EventType(DELEGATION_REVOKED, "{actor} revoked that {delegate} decides for {delegator} as {role}."),
    EventType(RIGHT_TAKEN_BACK, "{actor} took {what} back from {holder}."),
    EventType(REQUEST_CRITERION_MET, "{actor} saw criterion {criterion} of change {number} met."),
    EventType(REQUEST_CRITERION_UNMET, "{actor} saw criterion {criterion} of change {number} not met."),
    EventType(REQUEST_VERIFIED, "Change {number} is verified: every acceptance criterion is met."),
    EventType(REQUEST_VERIFICATION_OVERDUE, "Change {number} was not verified by {due}; reminder {step} of {steps}."),
    EventType(REQUEST_REVERTED, "{actor} acted back on change {number} by change {inverse}."),
    EventType(PERMIT_TAKEN, "{actor} took an emergency permit for change {number}, valid until {expires}: {reason}"),
    EventType(PERMIT_USED, "{actor} used an emergency permit for change {number}; its review is due {due}: {reason}"),
    EventType(PERMIT_REVIEW_GIVEN, "{actor} reviewed the emergency of change {number} for {role}: {verdict}."),
    EventType(PERMIT_REVIEWED, "The review of the emergency of change {number} is complete: {outcome}."),
    EventType(
        PERMIT_REVIEW_OVERDUE,
        "The review of the emergency of change {number} was due {due} and misses {roles} (step {step}).",
    ),
    EventType(REQUEST_ANNOUNCED, "Change {number} was announced to {count} people (told for roles: {roles})."),
    EventType(REQUEST_ANNOUNCEMENT_READ, "{actor} has read that change {number} was applied."),
    EventType(
        REQUEST_ANNOUNCEMENT_OVERDUE,
        "Change {number} was announced, and {count} did not say in time that they have read it; administrators know.",
    ),
    EventType(SUBSCRIPTION_MADE, "{actor} subscribed {whom} to “{name}”."),
    EventType(SUBSCRIPTION_CHANGED, "{actor} changed the subscription “{name}” of {whom}: {fields}."),
    EventType(SUBSCRIPTION_ENDED, "{actor} ended the subscription “{name}” of {whom}."),
    EventType(SUBSCRIPTION_FOLLOWED, "{actor} {what} the subscription “{name}” of {whom}."),
    EventType(BEARER_ISSUED, "{actor} made the API token {token}, which expires at {expires_at}."),
    EventType(BEARER_REVOKED, "{actor} revoked the API token {token}."),
    EventType(RECORD_CREATED, "{subject} was created by change {number} ({kind})."),
    EventType(RECORD_CHANGED, "{subject} was changed by change {number} ({kind}): {fields}."),
)
