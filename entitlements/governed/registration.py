"""Everything that this app tells approvals and audit; nothing else is done here."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q

from approvals.announcements.defaults import register_defaults
from approvals.governed import (
    PreparedItem,
    register_access,
    register_discarded,
    register_kinds,
    register_planner,
    register_presenter,
    register_risks,
)
from approvals.portal.facets import register_facets
from approvals.requests.models import Item
from approvals.requests.states import OPEN
from audit.access.port import register_capabilities, register_pairs, register_source
from audit.contributors import register_event_types
from audit.packs.port import register_scope_kinds
from audit.reads.registry import Sort, declare, declare_names
from audit.subjects import register_directory, register_subjects
from entitlements.agreements import changes as agreement_changes
from entitlements.catalog import changes as catalog_changes
from entitlements.directory import changes as directory_changes
from entitlements.directory import events as directory_events
from entitlements.directory.services import discard_staged_details
from entitlements.governed.access import RegistryAccess
from entitlements.governed.announcing import DEFAULTS
from entitlements.governed.subjects import OF_PLANS, SENSITIVE, SUBJECTS, AuditDirectory
from entitlements.grants import changes as grant_changes
from entitlements.grants import errors as grant_errors
from entitlements.grants import events as grant_events
from entitlements.grants import restoring
from entitlements.packing.scopes import AccountScope, EntitlementScope
from entitlements.planning.planner import RegistryPlanner
from entitlements.planning.presentation import PlanPresenter
from entitlements.planning.risks import RULES as RISKS
from entitlements.portal.facets import FACETS
from entitlements.privacy import copies as privacy_copies
from entitlements.privacy import events as privacy_events
from entitlements.rights import sources as rights


def register() -> None:
    """Register event types, kinds, constraints, planner and access."""
    for events in (directory_events, grant_events, privacy_events):
        register_event_types(events.EVENT_TYPES)
    register_subjects(SUBJECTS)
    register_directory(AuditDirectory())
    for model, sort, fields in SENSITIVE:
        declare(model=model, sort=sort, fields=fields)
    declare_names(sort=Sort.PRICES, names=OF_PLANS)
    register_scope_kinds([EntitlementScope(), AccountScope()])
    for changes in (catalog_changes, directory_changes, agreement_changes, grant_changes, restoring):
        register_kinds(changes.KINDS)
    grant_errors.register()
    register_planner(RegistryPlanner())
    register_risks(RISKS)
    register_presenter(PlanPresenter())
    register_facets(*FACETS)
    register_access(RegistryAccess())
    register_discarded(discard_people)
    register_defaults(DEFAULTS)
    privacy_copies.register()
    for source in rights.SOURCES:
        register_source(source)
    register_capabilities(*rights.CAPABILITIES)
    register_pairs(*rights.PAIRS)


def discard_people(*, items: Sequence[PreparedItem], now: datetime) -> None:
    """
    Remove the details staged for people whom these items would have registered, unless an open request still will.
    """
    staged = {person["person_id"] for item in items for person in item.effects.get("register", [])}
    if staged:
        wanted = Item.objects.filter(
            revision=F("revision__change_request__current_revision"), revision__change_request__status__in=OPEN
        ).exclude(Q(effects__register=[]) | Q(effects__register__isnull=True))
        for registered in wanted.values_list("effects__register", flat=True):
            staged -= {person["person_id"] for person in registered}
    discard_staged_details(person_ids=[UUID(person_id) for person_id in staged])
