"""What the directory records, and the sentence for each."""

from audit.contributors import EventType

PERSON_REGISTERED = "entitlements.person.registered"
ACCESS_GRANTED = "entitlements.access.granted"
ACCESS_REVOKED = "entitlements.access.revoked"
LOGIN_ADDED = "entitlements.login.added"
LOGIN_CHANGED = "entitlements.login.changed"

EVENT_TYPES = (
    EventType(PERSON_REGISTERED, "{actor} registered person {person_id} in account {account_id}."),
    EventType(ACCESS_GRANTED, "{actor} granted {holder} access to {sort} {subject}."),
    EventType(ACCESS_REVOKED, "{actor} took back {holder}'s access to {sort} {subject}."),
    EventType(LOGIN_ADDED, "{actor} added the login {login_id}."),
    EventType(LOGIN_CHANGED, "{actor} changed the login {login_id}: {fields}."),
)
