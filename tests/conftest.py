"""
Fixtures of every test.

`db` and `transactional_db` are pytest-django's, on a database of this process: migrated as the owner, used as the
app. A `transaction=True` test leaves nothing: the database is put back to what migrations and first data made.
"""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import django.test
import psycopg
import pytest
import pytest_socket
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from foundation.database import provision
from tests.support import restoring, sharing
from tests.support.instance import Instance, remove_homes, running

hypothesis_settings.register_profile(
    "always", derandomize=True, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile(
    "soak", deadline=None, max_examples=2000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "always"))


def pytest_unconfigure() -> None:
    """Leave no files."""
    remove_homes()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the machine's services unless a run says that they are there."""
    if os.environ.get("TENURE_SERVICES") != "1":
        reason = "It needs the machine's services: run “make test-services”."
        for item in items:
            if item.get_closest_marker("services"):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that requires browser tests and had none; the controller of parallel runs has every report."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("TENURE_BROWSER") == "required" and reporter and not hasattr(session.config, "workerinput"):
        passed = [report for report in reporter.stats.get("passed", []) if "browser" in report.keywords]
        if not passed and session.exitstatus == pytest.ExitCode.OK:
            reporter.write_line("No browser test passed, and this run requires them: is Chromium installed?", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def chromium() -> str:
    """Answer the path of a Chromium; without one, say so and skip."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("No Chromium was found on PATH, so nothing was tried in a browser: install Debian's chromium.")


@pytest.fixture(scope="session")
def instance() -> Iterator[Instance]:
    """Have the database server of this process, with one migrated database."""
    with running() as own:
        yield own


@pytest.fixture(scope="session")
def django_db_setup(
    instance: Instance, django_test_environment: None, django_db_blocker: Any, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Replace pytest-django's: the database is there, and a test that commits is followed by a restore, not a flush."""
    with django_db_blocker.unblock():
        refuse_another_role()
    patch = pytest.MonkeyPatch()
    with instance.connect_superuser() as superuser:
        snapshot = restoring.take(superuser)
        patch.setattr(
            django.test.TransactionTestCase, "_fixture_teardown", lambda _case: restoring.restore(superuser, snapshot)
        )
        yield
        patch.undo()
    with django_db_blocker.unblock():
        django.db.connections.close_all()


def refuse_another_role() -> None:
    """
    Stop a run whose tests would not use the role that serves.

    :raises pytest.UsageError: if they would not
    """
    with django.db.connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        role, is_superuser = cursor.fetchone()
    if role != provision.APP or is_superuser:
        pytest.exit(
            f"The tests would run as {role}, who may do more than the role that serves; they prove nothing then. "
            f"Let DATABASE_URL name a server, as its superuser: the tests make and use {provision.APP} themselves.",
            returncode=4,
        )


@pytest.fixture(scope="session")
def live_server(django_db_setup: None, django_db_blocker: Any, request: pytest.FixtureRequest) -> object:
    """Extend pytest-django's, which starts before a test may use the database: the ledger is looked at on starting."""
    with django_db_blocker.unblock():
        return request.getfixturevalue("live_server")


@pytest.fixture(scope="session")
def shelf(django_db_setup: None, django_db_blocker: Any) -> Iterator[sharing.Shelf]:
    """Have what consecutive tests share."""
    held = sharing.Shelf()
    yield held
    with django_db_blocker.unblock():
        held.clear()


@pytest.fixture
def _shelf_prepared(shelf: sharing.Shelf, django_db_blocker: Any, request: pytest.FixtureRequest) -> None:
    with django_db_blocker.unblock():
        shelf.prepare(sharing.shared_by(request))


@pytest.fixture
def _django_db_helper(_shelf_prepared: None, _django_db_helper: None) -> None:
    """Extend pytest-django's, whose transactions and restores come after what a test shares is there, or is gone."""


@pytest.fixture
def owner_connection(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """Have a raw connection to the test database as the owner, in autocommit."""
    with connect(role=provision.OWNER) as connection:
        yield connection


@pytest.fixture
def app_connection(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """Have a second connection to the test database as the role that serves, in autocommit."""
    with connect(role=provision.APP) as connection:
        yield connection


def connect(*, role: str) -> psycopg.Connection[Any]:
    """Answer a raw connection to the test database, in autocommit."""
    parameters = django.db.connections["owner" if role == provision.OWNER else "default"].get_connection_params()
    names = ("host", "port", "dbname", "user", "password")
    return psycopg.connect(**{name: parameters[name] for name in names if parameters.get(name)}, autocommit=True)


@pytest.fixture
def now() -> datetime:
    """Answer the instant at which tests happen: Monday 2 March 2026, 10:00 UTC."""
    return datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def loopback() -> None:
    """Open sockets to this machine; others stay closed."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _closed_sockets(request: pytest.FixtureRequest) -> None:
    opened_by = ("enable_socket", "allow_hosts")
    if "loopback" not in request.fixturenames and not any(map(request.node.get_closest_marker, opened_by)):
        pytest_socket.disable_socket(allow_unix_socket=True)
