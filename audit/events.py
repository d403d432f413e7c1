"""What audit itself records, and the sentence for each."""

from audit.contributors import EventType

EXPORT_MADE = "audit.export.made"
LEDGER_RESTARTED = "audit.ledger.restarted"

EVENT_TYPES = (
    EventType(EXPORT_MADE, "{actor} exported {what} as {form}."),
    EventType(
        LEDGER_RESTARTED,
        "{actor} went on with an older state of the database: {lost_size} events had been signed, {kept_size} are "
        "kept. {reason}",
    ),
)
