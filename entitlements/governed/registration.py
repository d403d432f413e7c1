"""Everything that this app tells approvals and audit; nothing else is done here."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from approvals.governed import (
    PreparedItem,
    register_access,
    register_discarded,
    register_kinds,
    register_planner,
)
from audit.contributors import register_event_types
from entitlements.agreements import changes as agreement_changes
from entitlements.catalog import changes as catalog_changes
from entitlements.directory import changes as directory_changes
from entitlements.directory import events as directory_events
from entitlements.directory.services import discard_staged_details
from entitlements.governed.access import RegistryAccess
from entitlements.grants import changes as grant_changes
from entitlements.grants import errors as grant_errors
from entitlements.grants import events as grant_events
from entitlements.planning.planner import RegistryPlanner


def register() -> None:
    """Register event types, kinds, constraints, planner and access."""
    for events in (directory_events, grant_events):
        register_event_types(events.EVENT_TYPES)
    for changes in (catalog_changes, directory_changes, agreement_changes, grant_changes):
        register_kinds(changes.KINDS)
    grant_errors.register()
    register_planner(RegistryPlanner())
    register_access(RegistryAccess())
    register_discarded(discard_people)


def discard_people(*, items: Sequence[PreparedItem], now: datetime) -> None:
    """Remove the details that were staged for people whom these items would have registered."""
    discard_staged_details(
        person_ids=[UUID(person["person_id"]) for item in items for person in item.effects.get("register", [])]
    )
