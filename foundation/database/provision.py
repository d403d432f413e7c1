"""
The two roles and the database, before any table: what the embedded profile and the tests run; in production
deploy/roles.sql.

`tenure_owner` owns the database and everything in it and migrates; `tenure_app` serves and owns nothing.
Without Django: the embedded server is made before the settings need a database.
"""

from typing import Any

import psycopg
from psycopg import sql

OWNER = "tenure_owner"
APP = "tenure_app"


def ensure_roles(connection: psycopg.Connection[Any], *, password: str | None = None) -> None:
    """
    Make the roles that are missing; one that is there stays as it is. The connection is a superuser's, in autocommit.

    `password` is given to roles made here.
    """
    present = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    for role in (OWNER, APP):
        if role not in present:
            clause = sql.SQL(" PASSWORD {}").format(sql.Literal(password)) if password else sql.SQL("")
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)) + clause)


def ensure_database(connection: psycopg.Connection[Any], *, name: str, template: str = "template1") -> None:
    """Make the database, owned by the owner, entered by nobody else but the app; one that is there stays as it is."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    names = {"name": sql.Identifier(name), "owner": sql.Identifier(OWNER), "app": sql.Identifier(APP)}
    connection.execute(
        sql.SQL("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}").format(
            template=sql.Identifier(template), **names
        )
    )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {name} FROM PUBLIC").format(**names))
    connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {app}").format(**names))
