"""
Comparing revisions and decisions with the events that name them.

The event of each step names a revision by number and digest; the digest is that of the revision's bytes. So who knows
the events knows whether the bytes of a revision are those that were decided on.

Source: docs/ledger.md
"""

import json
from typing import Any

from django.db import connection

from approvals import events
from audit.contributors import Find

MOST = 20
VERDICTS = {
    "approve": events.REQUEST_APPROVAL_GIVEN,
    "ask_for_changes": events.REQUEST_CHANGES_ASKED,
    "reject": events.REQUEST_REJECTED,
}

REVISIONS = """
    WITH told AS (
        SELECT DISTINCT event.change_request_id, (event.data ->> 'revision')::int AS number,
               event.data ->> 'digest' AS digest
          FROM audit_event event
         WHERE event.subject_type = 'approvals.changerequest' AND event.data ? 'digest' AND event.data ? 'revision'
    )
    SELECT coalesce(revision.change_request_id, told.change_request_id), coalesce(revision.number, told.number),
           CASE
               WHEN told.number IS NULL THEN 'is told of by no event'
               WHEN revision.id IS NULL THEN 'is gone'
               ELSE 'is not what its digest says'
           END
      FROM told FULL JOIN approvals_revision revision
        ON revision.change_request_id = told.change_request_id AND revision.number = told.number
     WHERE told.number IS NULL OR revision.id IS NULL OR revision.digest <> told.digest
        OR encode(sha256(revision.content), 'hex') <> told.digest
        OR convert_from(revision.content, 'UTF8')::jsonb IS DISTINCT FROM revision.document
     LIMIT %(most)s
"""
DECISIONS = """
    WITH told AS (
        SELECT event.change_request_id, event.actor_id, event.data ->> 'digest' AS digest, event.type,
               event.recorded_at, event.data ->> 'comment' AS comment
          FROM audit_event event
         WHERE event.type = ANY(%(types)s)
    ), decided AS (
        SELECT revision.change_request_id, decision.decider_id, decision.digest, decision.decided_at, decision.comment,
               (%(verdicts)s::jsonb ->> decision.verdict) AS type
          FROM approvals_decision decision JOIN approvals_revision revision ON revision.id = decision.revision_id
    )
    SELECT coalesce(decided.change_request_id, told.change_request_id),
           CASE WHEN told.type IS NULL THEN 'is told of by no event' ELSE 'is gone, or is not what its event says' END
      FROM told FULL JOIN decided
        ON decided.change_request_id = told.change_request_id AND decided.decider_id = told.actor_id
       AND decided.digest = told.digest AND decided.type = told.type AND decided.decided_at = told.recorded_at
       AND decided.comment = told.comment
     WHERE told.type IS NULL OR decided.type IS NULL
     LIMIT %(most)s
"""


def prove_revisions(find: Find) -> int:
    """Compare every revision's bytes with the digests that events name; answer how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(REVISIONS, {"most": MOST})
        for request_id, number, what in cursor.fetchall():
            find("revision", f"Revision {number} of the change request {request_id} {what}.")
        cursor.execute("SELECT count(*) FROM approvals_revision")
        (count,) = cursor.fetchone()
    return int(count)


def prove_decisions(find: Find) -> int:
    """Compare every decision with its event; answer how many there are."""
    with connection.cursor() as cursor:
        told: dict[str, Any] = {"types": list(VERDICTS.values()), "verdicts": json.dumps(VERDICTS), "most": MOST}
        cursor.execute(DECISIONS, told)
        for request_id, what in cursor.fetchall():
            find("decision", f"A decision on the change request {request_id} {what}.")
        cursor.execute("SELECT count(*) FROM approvals_decision")
        (count,) = cursor.fetchone()
    return int(count)
