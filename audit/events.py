"""What audit itself records, and the sentence for each."""

from audit.contributors import EventType

EXPORT_MADE = "audit.export.made"

EVENT_TYPES = (EventType(EXPORT_MADE, "{actor} exported {what} as {form}."),)
