"""
When beat rings: every entry in one place, in UTC.

Only intervals of at most an hour: a task looks up what is due since the database was last told, so a bell missed
while beat was away is made good by the next one. An instant of a business rule is a column, never a schedule.
"""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    "deliver-outbox": {"task": "foundation.tasks.deliver_outbox", "schedule": 10.0},
    "sweep-outbox": {"task": "foundation.tasks.sweep_outbox", "schedule": 60.0},
    "apply-due-changes": {"task": "approvals.tasks.apply_due_changes", "schedule": 60.0},
    "expire-changes": {"task": "approvals.tasks.expire_changes", "schedule": 900.0},
    "read-due-tickets": {"task": "approvals.tasks.read_due_tickets", "schedule": 60.0},
    "escalate-unverified": {"task": "approvals.tasks.escalate_unverified", "schedule": 900.0},
    "escalate-permit-reviews": {"task": "approvals.tasks.escalate_permit_reviews", "schedule": 300.0},
    "announce": {"task": "approvals.tasks.announce", "schedule": 300.0},
    "remind": {"task": "approvals.tasks.remind", "schedule": 300.0},
    "remind-of-access-reviews": {"task": "audit.tasks.remind_of_access_reviews", "schedule": 300.0},
    "copy-checkpoints": {"task": "audit.tasks.copy_checkpoints", "schedule": 60.0},
    "build-evidence-packs": {"task": "audit.tasks.build_evidence_packs", "schedule": 30.0},
    "expire-evidence-packs": {"task": "audit.tasks.expire_evidence_packs", "schedule": 3600.0},
    "purge-expired": {"task": "foundation.tasks.purge_expired", "schedule": 3600.0},
}
