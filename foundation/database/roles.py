"""
What the role that serves may do, said in migrations.

The first migration uses `grant_to_app`, before or after it made its tables: it covers the tables that are there and,
by default privileges, all that the owner will make. A table whose rows must never change then takes rights away with
`only_append`.

Source: docs/decisions/0012-two-roles.md
"""

from collections.abc import Iterable

from django.db import migrations

from foundation.database.provision import APP, OWNER

GRANTS = f"""
GRANT USAGE ON SCHEMA public TO {APP};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {APP};
"""

REVOKES = f"""
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public REVOKE ALL ON TABLES FROM {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public REVOKE ALL ON SEQUENCES FROM {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM {APP};
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {APP};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {APP};
"""


def grant_to_app() -> migrations.RunSQL:
    """
    Answer the operation that lets the app's role read and write every table, now and later, and own none.

    Put it first in the first migration of the first app, so that every later table is covered.
    """
    return migrations.RunSQL(sql=GRANTS, reverse_sql=REVOKES)


def only_append(tables: Iterable[str]) -> migrations.RunSQL:
    """Answer the operation that leaves the app's role SELECT and INSERT on the tables, and nothing else."""
    names = list(tables)
    return migrations.RunSQL(
        sql=[f"REVOKE ALL ON {name} FROM {APP}; GRANT SELECT, INSERT ON {name} TO {APP};" for name in names],
        reverse_sql=[f"GRANT UPDATE, DELETE ON {name} TO {APP};" for name in names],
    )


def only_read(tables: Iterable[str]) -> migrations.RunSQL:
    """Answer the operation that leaves the app's role SELECT on the tables, and nothing else."""
    names = list(tables)
    return migrations.RunSQL(
        sql=[f"REVOKE ALL ON {name} FROM {APP}; GRANT SELECT ON {name} TO {APP};" for name in names],
        reverse_sql=[f"GRANT INSERT, UPDATE, DELETE ON {name} TO {APP};" for name in names],
    )
