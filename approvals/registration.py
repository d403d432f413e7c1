"""What approvals itself registers with audit and with its own port."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from approvals import events
from approvals.authority import changes as authority_changes
from approvals.authority.limits import holders_with_limit
from approvals.facts import RiskLevel, RiskRule
from approvals.freezes import changes as freeze_changes
from approvals.freezes import periods
from approvals.freezes.conflicts import ConflictGate
from approvals.freezes.gate import FreezeGate
from approvals.governed import register_applied, register_kinds, register_risks
from approvals.policies import changes
from approvals.policies.eligibility import register_limited
from approvals.records.kinds import CONTROL
from approvals.records.proving import prove_records
from approvals.requests.gates import register_gate
from approvals.requests.proving import prove_decisions, prove_revisions
from approvals.requests.recording import register_follower
from approvals.requests.standing import register_rule
from approvals.requests.undone import applied_item
from approvals.rights import rules as rights_rules
from approvals.rights.sources import SOURCES as RIGHTS
from approvals.standards import changes as standards
from approvals.tickets import sending as ticket_sending
from approvals.tickets.connectors import register_connector
from approvals.tickets.following import follow as follow_with_tickets
from approvals.tickets.gate import TicketGate
from approvals.tickets.jira import Jira
from approvals.tickets.servicenow import ServiceNow
from audit.access import port as access
from audit.contributors import register_event_types, register_prover
from audit.subjects import NOBODYS, Requests, SubjectType, register_requests, register_subjects

__all__ = ["register", "ticket_sending"]  # the import registers the sender of tickets' updates

RISKS = (
    RiskRule(
        RiskLevel.MEDIUM,
        "it changes how changes are controlled",
        ({"field": "aspects_touched", "operator": "any_of", "value": [CONTROL]},),
    ),
)


def _page_of(_: uuid.UUID, data: Mapping[str, Any]) -> str | None:
    number = data.get("number")
    return reverse("approvals:change-request", args=[number]) if isinstance(number, int) else None


# A request belongs to all that it touches, in any revision; it speaks of the records of its current one.
_TOUCHED = """
SELECT DISTINCT coalesce(scope.account_id, scope.product_id)
  FROM approvals_revision revision
  JOIN approvals_item item ON item.revision_id = revision.id
  JOIN approvals_itemscope scope ON scope.item_id = item.id
 WHERE revision.change_request_id = ANY(%(subjects)s)
"""
_RECORDS = """
SELECT item.record_id
  FROM approvals_changerequest request
  JOIN approvals_item item ON item.revision_id = request.current_revision_id
 WHERE request.id = ANY(%(subjects)s)
 ORDER BY item.position LIMIT 100
"""
_OF_FREEZE = """
SELECT named::uuid FROM approvals_freeze lull, jsonb_array_elements_text(lull.account_ids || lull.product_ids) named
 WHERE lull.id = ANY(%(subjects)s)
"""
_OF_FILE = _TOUCHED.replace(
    "= ANY(%(subjects)s)", "IN (SELECT change_request_id FROM approvals_attachment WHERE id = ANY(%(subjects)s))"
)
SUBJECTS = (
    SubjectType("approvals.changerequest", "change request", _TOUCHED, _RECORDS, _page_of),
    SubjectType("approvals.policy", "policy", NOBODYS),
    SubjectType("approvals.freeze", "freeze", _OF_FREEZE),
    SubjectType("approvals.accountingperiod", "accounting period", NOBODYS),
    SubjectType("approvals.authoritylimit", "authority limit", NOBODYS),
    SubjectType("approvals.standardtemplate", "standard template", NOBODYS),
    SubjectType("approvals.attachment", "file", _OF_FILE),
    SubjectType("approvals.delegation", "delegation", None),
    SubjectType("approvals.ticketsystem", "ticket system", None),
    SubjectType("approvals.subscription", "subscription", None),
)
REQUESTS = Requests(
    # What was read of a request is about it and no step of it.
    number_sql=(
        "SELECT number FROM approvals_changerequest "
        "WHERE id = coalesce(audit_event.change_request_id, audit_event.subject_id)"
    ),
    id_sql="SELECT id FROM approvals_changerequest WHERE number = %s",
    address=lambda number: reverse("approvals:change-request", args=[number]),
)


def register() -> None:
    """Register this app's event types, subjects, kinds and gates."""
    register_event_types(events.EVENT_TYPES)
    register_subjects(SUBJECTS)
    register_requests(REQUESTS)
    register_prover("governed records and their history", prove_records)
    register_prover("revisions", prove_revisions)
    register_prover("decisions", prove_decisions)
    register_kinds(changes.KINDS)
    register_kinds(freeze_changes.KINDS)
    register_kinds(periods.KINDS)
    register_rule(periods.BackdatedRule())
    register_gate(FreezeGate())
    register_gate(ConflictGate())
    register_risks(RISKS)
    register_connector(ServiceNow())
    register_connector(Jira())
    register_follower(follow_with_tickets)
    register_gate(TicketGate())
    register_kinds(authority_changes.KINDS)
    register_limited(holders_with_limit)
    register_applied(applied_item)
    register_kinds(standards.KINDS)
    for source in RIGHTS:
        access.register_source(source)
    access.register_capabilities(*rights_rules.CAPABILITIES)
    access.register_pairs(*rights_rules.PAIRS)
    access.register_finder("only_reviewers", rights_rules.only_reviewers)
    access.register_limits(rights_rules.limits)
