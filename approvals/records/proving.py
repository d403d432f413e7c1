"""
Comparing governed records and their history with the events that tell of them.

Each change of a record has one event with its whole row afterwards. So the row as it stands is that of its last event,
and the history has one row for each event, with those values, that request's number and that instant.

Source: docs/ledger.md
"""

from typing import Any

from django.db import connection

from approvals import events, governed
from audit.contributors import Find

MOST = 20

# What the events say of a model's records: one row for each version.
TOLD = """
    WITH told AS MATERIALIZED (
        SELECT event.subject_id AS id, event.recorded_at, (event.data ->> 'number')::bigint AS number,
               event.data -> 'after' AS row, (event.data #>> '{after,version}')::bigint AS version
          FROM audit_event event
         WHERE event.type = ANY(%(types)s) AND event.subject_type = %(model)s
    ), last AS (
        SELECT DISTINCT ON (id) * FROM told ORDER BY id, version DESC NULLS FIRST
    )
"""
RECORDS = """
    SELECT coalesce(record.id, last.id), CASE
               WHEN last.id IS NULL THEN 'is told of by no event'
               WHEN record.id IS NULL THEN 'is gone'
               ELSE 'is not as its last change left it'
           END
      FROM last FULL JOIN {table} record ON record.id = last.id
     WHERE CASE
               WHEN last.row = 'null' THEN record.id IS NOT NULL
               ELSE record.id IS NULL OR last.id IS NULL
                    OR jsonb_populate_record(record, last.row) IS DISTINCT FROM record
           END
     LIMIT %(most)s
"""
HISTORY = """
    SELECT coalesce(history.id, told.id), coalesce(history.version, told.version), CASE
               WHEN told.id IS NULL THEN 'is told of by no event'
               WHEN history.id IS NULL THEN 'is gone'
               ELSE 'says something else than its event'
           END
      FROM (SELECT * FROM told WHERE row <> 'null') told
      FULL JOIN {table} history ON history.id = told.id AND history.version = told.version
     WHERE told.id IS NULL OR history.id IS NULL
        OR jsonb_populate_record(history, told.row) IS DISTINCT FROM history
        OR history.change_request_number IS DISTINCT FROM told.number
        OR history.history_date IS DISTINCT FROM told.recorded_at
     LIMIT %(most)s
"""
# One version twice would hide behind the join.
TWICE = "SELECT id, version FROM {table} GROUP BY id, version HAVING count(*) > 1 LIMIT %(most)s"


def prove_records(find: Find) -> int:
    """Compare every governed model's rows and history with their events; answer how many rows there are."""
    models = {kind.model for kind in governed.kinds().values()}
    return sum(_prove(model, find) for model in sorted(models, key=lambda model: model._meta.db_table))


def _prove(model: Any, find: Find) -> int:
    name, table = model._meta.verbose_name, model._meta.db_table
    history = model.history.model._meta.db_table
    told = {"types": [events.RECORD_CREATED, events.RECORD_CHANGED], "model": model._meta.label_lower, "most": MOST}
    with connection.cursor() as cursor:
        cursor.execute(TOLD + RECORDS.format(table=connection.ops.quote_name(table)), told)
        for record_id, what in cursor.fetchall():
            find("record", f"The {name} {record_id} {what}.")
        quoted = connection.ops.quote_name(history)
        cursor.execute(TOLD + HISTORY.format(table=quoted), told)
        for record_id, version, what in cursor.fetchall():
            find("history", f"Version {version} of the {name} {record_id} {what}.")
        cursor.execute(TWICE.format(table=quoted), told)
        for record_id, version in cursor.fetchall():
            find("history", f"Version {version} of the {name} {record_id} is there twice.")
        cursor.execute(f"SELECT (SELECT count(*) FROM {quoted}) + (SELECT count(*) FROM {table})")  # noqa: S608  names of tables
        (count,) = cursor.fetchone()
    return int(count)
