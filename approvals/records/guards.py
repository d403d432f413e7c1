"""
Operations of migrations that put tables under guard.

`govern` makes a table governed: its rows change only by an applied request, and its history only grows. The functions
that the triggers call are made by migration 0003 of this app.
"""

from collections.abc import Iterable

from django.db import migrations

from foundation.database.roles import only_append

# The tables that migrations put under each guard: known once the migrations are loaded.
GOVERNED: set[str] = set()
APPEND_ONLY: set[str] = set()


def govern(tables: Iterable[str]) -> list[migrations.operations.base.Operation]:
    """
    The operations that make tables governed: a row trigger for every write, a statement trigger for TRUNCATE.

    Source: docs/invariants.md INV-1
    """
    names = list(tables)
    GOVERNED.update(names)
    return [
        migrations.RunSQL(
            sql=f"""
            CREATE TRIGGER governed_write BEFORE INSERT OR UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION governed_write();
            CREATE TRIGGER governed_truncate BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
            """,
            reverse_sql=f"""
            DROP TRIGGER governed_write ON {table};
            DROP TRIGGER governed_truncate ON {table};
            """,
        )
        for table in names
    ]


def append_only(tables: Iterable[str]) -> list[migrations.operations.base.Operation]:
    """
    The operations that leave a table only growing: by the app's rights, and by triggers for everybody else.

    Source: docs/invariants.md INV-4
    """
    names = list(tables)
    APPEND_ONLY.update(names)
    triggers = [
        migrations.RunSQL(
            sql=f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION refuse_change();
            CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
            """,
            reverse_sql=f"""
            DROP TRIGGER append_only ON {table};
            DROP TRIGGER append_only_truncate ON {table};
            """,
        )
        for table in names
    ]
    return [only_append(names), *triggers]
