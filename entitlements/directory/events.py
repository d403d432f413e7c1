"""What the directory records, and the sentence for each."""

from audit.contributors import EventType

PERSON_REGISTERED = "entitlements.person.registered"
PERSON_LEFT = "entitlements.person.left"
DETAILS_ERASED = "entitlements.personal_details.erased"

EVENT_TYPES = (
    EventType(PERSON_REGISTERED, "{actor} registered person {person_id} in account {account_id}."),
    EventType(PERSON_LEFT, "{actor} recorded that person {person_id} left."),
    EventType(DETAILS_ERASED, "{actor} erased the personal details of person {person_id}."),
)
