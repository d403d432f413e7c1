"""What audit itself records, and the sentence for each."""

from audit.contributors import EventType

PRICES_READ = "audit.prices.read"
DETAILS_READ = "audit.personal_details.read"
FILE_DOWNLOADED = "audit.file.downloaded"
EXPORT_MADE = "audit.export.made"
LEDGER_RESTARTED = "audit.ledger.restarted"
PACK_REQUESTED = "audit.evidence_pack.requested"
PACK_BUILT = "audit.evidence_pack.built"
PACK_FINISHED = "audit.evidence_pack.finished"
PACK_FAILED = "audit.evidence_pack.failed"
PACK_DOWNLOADED = "audit.evidence_pack.downloaded"
PACK_EXPIRED = "audit.evidence_pack.expired"
HOLD_PLACED = "audit.legal_hold.placed"
HOLD_RELEASED = "audit.legal_hold.released"
REVIEW_OPENED = "audit.access_review.opened"
ENTRY_KEPT = "audit.access_review.entry_kept"
ENTRY_REVOKED = "audit.access_review.entry_revoked"
ENTRY_ASSIGNED = "audit.access_review.entry_assigned"
REVIEW_OVERDUE = "audit.access_review.overdue"
REVIEW_CLOSED = "audit.access_review.closed"

EVENT_TYPES = (
    EventType(PRICES_READ, "{actor} read prices of {what} in the {where}."),
    EventType(DETAILS_READ, "{actor} read names or mails of {what} in the {where}."),
    EventType(FILE_DOWNLOADED, "{actor} downloaded {what} in the {where}."),
    EventType(EXPORT_MADE, "{actor} exported {what} as {form}."),
    EventType(
        LEDGER_RESTARTED,
        "{actor} went on with an older state of the database: {lost_size} events had been signed, {kept_size} are "
        "kept. {reason}",
    ),
    EventType(PACK_REQUESTED, "{actor} asked for an evidence pack about {about}, to be kept for {keep_days} days."),
    EventType(
        PACK_BUILT, "The evidence pack about {about} was put together: {events} events; its manifest is {manifest}."
    ),
    EventType(PACK_FINISHED, "The evidence pack about {about} is ready: {size} bytes, SHA-256 {sha256}."),
    EventType(PACK_FAILED, "The evidence pack about {about} was not made: {why}"),
    EventType(PACK_DOWNLOADED, "{actor} downloaded the evidence pack about {about} in the {where}."),
    EventType(PACK_EXPIRED, "The evidence pack about {about} expired, and its bytes were removed."),
    EventType(HOLD_PLACED, "{actor} placed a legal hold on {about}: {reason}"),
    EventType(HOLD_RELEASED, "{actor} released the legal hold on {about}: {reason}"),
    EventType(REVIEW_OPENED, "{actor} opened the access review “{subject}”: {entries} rights, {owners} reviewers."),
    EventType(ENTRY_KEPT, "{actor} kept right {entry} of the access review “{subject}” ({right} of {holder})."),
    EventType(
        ENTRY_REVOKED, "{actor} revoked right {entry} of the access review “{subject}” ({right} of {holder}): {done}."
    ),
    EventType(ENTRY_ASSIGNED, "{actor} gave right {entry} of the access review “{subject}” to {reviewer}."),
    EventType(REVIEW_OVERDUE, "The access review “{subject}” is overdue: {left} rights are not decided."),
    EventType(REVIEW_CLOSED, "{actor} closed the access review “{subject}”: {kept} kept, {revoked} revoked."),
)
