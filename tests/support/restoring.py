"""
Puts a database back to what it was after migration and first data.

Tables refuse TRUNCATE, governed ones every write without an applied change request, and the app's role owns nothing.
So a superuser's connection switches triggers off for one transaction, becomes the owner, and empties and refills. The
switch is a setting of that transaction: nothing can be left disabled.

Source: docs/decisions/0011-test-databases.md
"""

import time
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from foundation.database import provision

# Where a table has grown beyond this, all are truncated: deleting row by row would take longer.
DELETED_UP_TO_BYTES = 1_000_000
QUIET_SECONDS = 3.0

TABLES = """
    SELECT c.oid::regclass::text, pg_relation_size(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname = 'public'
"""
BUSY = """
    SELECT pid, usename, state, left(query, 200) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND state <> 'idle'
"""
SEQUENCES = """
    SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value), last_value IS NOT NULL
    FROM pg_sequences WHERE schemaname = 'public'
"""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The rows of every table that has any, in COPY's format, and the state of every sequence."""

    tables: dict[str, bytes]
    sequences: list[tuple[str, int, bool]]


def take(connection: psycopg.Connection[Any]) -> Snapshot:
    """Answer what is in the database now."""
    tables = {}
    for name, _size in connection.execute(TABLES).fetchall():
        with connection.cursor() as cursor, cursor.copy(f"COPY {name} TO STDOUT") as copy:
            rows = b"".join(bytes(part) for part in copy)
        if rows:
            tables[name] = rows
    return Snapshot(tables=tables, sequences=connection.execute(SEQUENCES).fetchall())


def restore(connection: psycopg.Connection[Any], snapshot: Snapshot) -> None:
    """
    Put the database back to the snapshot, in one transaction, as the owner.

    :raises RuntimeError: if another connection still has a transaction open; it is ended
    """
    left_open = end_open_transactions(connection)
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(provision.OWNER)))
        connection.execute("SET LOCAL lock_timeout = '10s'")
        sizes = connection.execute(TABLES).fetchall()
        if any(size > DELETED_UP_TO_BYTES for _name, size in sizes):
            # All at once: a table that others refer to is not truncated without them.
            connection.execute(f"TRUNCATE {', '.join(name for name, _size in sizes)}")
        elif statements := [f"DELETE FROM {name}" for name, size in sizes if size]:
            connection.execute("; ".join(statements))
        for name, rows in snapshot.tables.items():
            with connection.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
                copy.write(rows)
        for name, value, called in snapshot.sequences:
            connection.execute("SELECT setval(%s::regclass, %s, %s)", [name, value, called])
    if left_open:
        raise RuntimeError(
            f"The test left transactions open, which were ended: {left_open}. Close or roll back each one."
        )


def end_open_transactions(connection: psycopg.Connection[Any]) -> list[Any]:
    """End the transactions that others have not ended by themselves after a moment; answer them."""
    deadline = time.monotonic() + QUIET_SECONDS
    while busy := connection.execute(BUSY).fetchall():
        if time.monotonic() > deadline:
            for pid, *_rest in busy:
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
            return busy
        time.sleep(0.02)
    return []
