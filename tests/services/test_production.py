"""The production profile on the machine's own PostgreSQL, from an empty database to a web server that is ready."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
import pytest

from foundation.database import provision
from foundation.management.commands import serve
from tests.services import environment
from tests.support import instance

PATIENCE_SECONDS = 60

pytestmark = pytest.mark.services


@dataclass
class Production:
    """An empty database on the given server, and the environment of processes that use it."""

    superuser_url: str
    variables: dict[str, str]

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=instance.CHECKOUT,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.superuser_url) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def production(loopback: None) -> Iterator[Production]:
    given = instance.given_server()
    if not given:
        pytest.skip("DATABASE_URL names no server, so nothing was tried with it.")
    name = f"{instance.RUN_PREFIX}{os.getpid()}_production"
    urls = {
        role: instance.on_server(given, role=role, database=name)
        for role in (provision.APP, provision.OWNER, "postgres")
    }
    variables = environment.production(database=urls[provision.APP], broker=environment.REDIS_URL)
    with psycopg.connect(given, autocommit=True) as admin:
        provision.ensure_roles(admin, password=urlsplit(given).password)
        instance.drop(admin, name)
        provision.ensure_database(admin, name=name)
        try:
            superuser = instance.on_server(given, role=urlsplit(given).username or "postgres", database=name)
            yield Production(superuser, variables | {"DATABASE_OWNER_URL": urls[provision.OWNER]})
        finally:
            instance.drop(admin, name)


@contextlib.contextmanager
def web(of: Production) -> Iterator[int]:
    """Have the web server as the role that serves, who knows nothing of the owner; answer its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    variables = {name: value for name, value in of.variables.items() if name != "DATABASE_OWNER_URL"}
    process = subprocess.Popen(
        serve.web("127.0.0.1", port),
        cwd=instance.CHECKOUT,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def status_of(port: int, path: str) -> int:
    """The status of an answer, or 0 as long as nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": "tenure.example"})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


class TestProduction:
    def test_is_migrated_by_the_owner_and_served_by_a_role_that_owns_nothing(self, production: Production) -> None:
        production.manage("migrate", "--verbosity=0")
        owners = production.rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert owners == [(provision.OWNER,)]
        with web(production) as port:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while (status := status_of(port, "/readyz")) != 200:
                assert time.monotonic() < deadline, f"/readyz answers {status}"
                time.sleep(0.1)
            assert status_of(port, "/api/v1/change-requests") == 301, "Plain HTTP is sent to HTTPS."
