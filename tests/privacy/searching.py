"""Looks for a text in everything that the database keeps: text, JSON, arrays, bytes."""

from django.db import connection

_BYTES = """
SELECT table_name, column_name FROM information_schema.columns
 WHERE table_schema = 'public' AND data_type = 'bytea'
"""


def tables_holding(*needles: str) -> dict[str, set[str]]:
    """The tables that hold any of the texts, whatever its case, each with those that it holds."""
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        cursor.execute(_BYTES)
        columns = cursor.fetchall()
        for needle in needles:
            pattern = f"%{needle}%"
            for table in tables:
                cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" entry WHERE entry::text ILIKE %s)', [pattern])
                if cursor.fetchone()[0]:
                    found.setdefault(table, set()).add(needle)
            for table, column in columns:
                cursor.execute(
                    f'SELECT EXISTS (SELECT FROM "{table}" WHERE position(%s in "{column}") > 0)', [needle.encode()]
                )
                if cursor.fetchone()[0]:
                    found.setdefault(table, set()).add(needle)
    return found
