"""What approvals itself registers with audit and with its own port."""

from approvals import events
from approvals.governed import register_kinds
from approvals.policies import changes
from audit.contributors import register_event_types


def register() -> None:
    """Register this app's event types and kinds."""
    register_event_types(events.EVENT_TYPES)
    register_kinds(changes.KINDS)
