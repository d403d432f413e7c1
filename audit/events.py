"""What audit itself records, and the sentence for each."""

from audit.contributors import EventType

PRICES_READ = "audit.prices.read"
DETAILS_READ = "audit.personal_details.read"
FILE_DOWNLOADED = "audit.file.downloaded"
EXPORT_MADE = "audit.export.made"
LEDGER_RESTARTED = "audit.ledger.restarted"

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
)
