"""What erasing and holding people records, and the sentence for each: ids and counts, never a detail."""

from audit.contributors import EventType

DETAILS_ERASED = "entitlements.personal_details.erased"
PERSON_HELD = "entitlements.person.held"
HOLD_LIFTED = "entitlements.person.hold_lifted"

EVENT_TYPES = (
    EventType(
        DETAILS_ERASED,
        "{actor} erased the personal details of human {human_id} ({people} people of the directory, {logins} logins): "
        "{basis}.",
    ),
    EventType(PERSON_HELD, "{actor} holds human {human_id}: their personal details are not erased."),
    EventType(HOLD_LIFTED, "{actor} lifted a hold on human {human_id}."),
)
