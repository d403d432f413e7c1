"""
What the role that serves may really do, against what the migrations say: read from the database's own catalog.

Source: docs/decisions/0012-two-roles.md
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from approvals.records import guards
from foundation.database.provision import OWNER

ROLE = """
    SELECT current_user, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication,
           EXISTS (SELECT FROM pg_class WHERE relowner = role.oid AND relnamespace = 'public'::regnamespace),
           EXISTS (SELECT FROM pg_proc WHERE proowner = role.oid AND pronamespace = 'public'::regnamespace),
           has_schema_privilege('public', 'CREATE'),
           EXISTS (SELECT FROM pg_roles WHERE rolname = %s AND pg_has_role(current_user, oid, 'MEMBER'))
      FROM pg_roles AS role WHERE rolname = current_user
"""
POWERS = (
    "is a superuser", "may make roles", "may make databases", "passes row security", "may replicate", "owns tables",
    "owns functions", "may make tables", "may become the owner",
)  # fmt: skip
TABLES = """
    SELECT relname,
           ARRAY(SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER'])
                                       AS privilege WHERE has_table_privilege(oid, privilege)
                 OR (privilege IN ('UPDATE', 'INSERT', 'SELECT') AND has_any_column_privilege(oid, privilege))),
           ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgenabled IN ('O', 'A'))
      FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY relname
"""


@dataclass(frozen=True)
class Row:
    """One table: its sort, what the role may do with it, and what does not fit."""

    table: str
    sort: str
    privileges: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Grants:
    """The role, what it is beyond what it should be, and every table."""

    role: str
    powers: tuple[str, ...]
    rows: Sequence[Row]

    @property
    def problems(self) -> list[str]:
        """Everything that does not fit, as sentences."""
        told = [f"{self.role} {power}." for power in self.powers]
        return told + [f"{row.table}: {problem}." for row in self.rows for problem in row.problems]


def read() -> Grants:
    """Read what is so, on the connection that serves."""
    MigrationLoader(None)
    with connection.cursor() as cursor:
        cursor.execute(ROLE, [OWNER])
        role, *powers = cursor.fetchone()
        cursor.execute(TABLES)
        rows = [_row(*found) for found in cursor.fetchall()]
    found = {row.table for row in rows}
    rows += [
        Row(table, "record" if table in guards.APPEND_ONLY else "governed", (), ("it is not there",))
        for table in sorted((guards.APPEND_ONLY | guards.GOVERNED) - found)
    ]
    return Grants(role, tuple(told for told, has in zip(POWERS, powers, strict=True) if has), rows)


def _row(table: str, privileges: Sequence[str], triggers: Sequence[str]) -> Row:
    wanted: tuple[str, ...] = ()
    refused = {"TRUNCATE", "TRIGGER"}
    sort = "operational"
    if table in guards.APPEND_ONLY:
        sort, wanted, refused = "record", ("append_only", "append_only_truncate"), refused | {"UPDATE", "DELETE"}
    elif table in guards.GOVERNED:
        sort, wanted = "governed", ("governed_write", "governed_truncate")
    problems = [f"the role may {privilege}" for privilege in privileges if privilege in refused]
    problems += [f"the trigger {name} is gone or switched off" for name in wanted if name not in triggers]
    return Row(table, sort, tuple(privileges), tuple(problems))
