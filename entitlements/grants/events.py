"""What grants record, and the sentence for each."""

from audit.contributors import EventType

SEAT_TAKEN = "entitlements.seat.taken"
SEAT_RELEASED = "entitlements.seat.released"

EVENT_TYPES = (
    EventType(SEAT_TAKEN, "{actor} gave a seat of {subject} to {holder}."),
    EventType(SEAT_RELEASED, "{actor} took back the seat of {subject} from {holder}."),
)
