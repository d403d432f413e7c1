"""What approvals itself registers with audit and with its own port."""

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
from approvals.requests.gates import register_gate
from approvals.requests.recording import register_follower
from approvals.requests.standing import register_rule
from approvals.requests.undone import applied_item
from approvals.standards import changes as standards
from approvals.tickets import sending as ticket_sending
from approvals.tickets.connectors import register_connector
from approvals.tickets.following import follow as follow_with_tickets
from approvals.tickets.gate import TicketGate
from approvals.tickets.jira import Jira
from approvals.tickets.servicenow import ServiceNow
from audit.contributors import register_event_types

__all__ = ["register", "ticket_sending"]  # the import registers the sender of tickets' updates

RISKS = (
    RiskRule(
        RiskLevel.MEDIUM,
        "it changes how changes are controlled",
        ({"field": "aspects_touched", "operator": "any_of", "value": [CONTROL]},),
    ),
)


def register() -> None:
    """Register this app's event types, kinds and gates."""
    register_event_types(events.EVENT_TYPES)
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
