"""
The server that a test process uses: its own embedded one, or a database of its own on a given server.

Migrating takes seconds, so it is done once for each state of the code and kept, as a stopped data directory or a
template database; each process starts from a copy. A server for each process, because `pg_snapshot_xmin` looks at a
whole server: an open transaction in one worker's database would hold up a ledger sealed in another's.

Source: docs/decisions/0011-test-databases.md
"""

import ast
import contextlib
import dataclasses
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from foundation.database import provision
from foundation.embedded import cluster, layout
from foundation.embedded.cluster import Cluster

CHECKOUT = Path(__file__).resolve().parents[2]
APPS = ("config", "foundation", "audit", "approvals", "entitlements")
KEPT_STATES = 3
RUN_PREFIX = "tenure_test_run_"
STATE_PREFIX = "tenure_test_state_"


def prepare_environment() -> None:
    """Set the environment variables of a test process, before the settings are read."""
    # Workers inherit what the controller set, so what the caller said is kept under names of its own.
    os.environ.setdefault("TENURE_TEST_SERVER", os.environ.get("DATABASE_URL", ""))
    os.environ.setdefault("TENURE_TEST_HOME", str(layout.locate(CHECKOUT).tests))
    os.environ |= environment(home=tests_home() / f"run-{os.getpid()}", database=f"{RUN_PREFIX}{os.getpid()}")
    os.environ |= {"PUBLIC_URL": "http://testserver", "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost"}
    for name in ("SECRET_KEY", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)


def environment(*, home: Path, database: str) -> dict[str, str]:
    """Answer the variables under which the project uses an instance; empty URLs stand for the embedded server."""
    given = given_server()
    return {
        "TENURE_PROFILE": "embedded",
        "TENURE_HOME": str(home),
        "DATABASE_URL": on_server(given, role=provision.APP, database=database) if given else "",
        "DATABASE_OWNER_URL": on_server(given, role=provision.OWNER, database=database) if given else "",
    }


def given_server() -> str:
    """Answer the URL of the server to use instead of an embedded one, or nothing."""
    return os.environ["TENURE_TEST_SERVER"]


def tests_home() -> Path:
    """Answer the directory of all test instances of this checkout."""
    return Path(os.environ["TENURE_TEST_HOME"])


def on_server(url: str, *, role: str, database: str) -> str:
    """Answer the URL with another role and database."""
    parts = urlsplit(url)
    password = f":{parts.password}" if parts.password else ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{role}{password}@{host}", f"/{database}", parts.query, ""))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Instance:
    """A migrated database of this process, and how a superuser reaches it."""

    superuser_url: str

    def connect_superuser(self) -> psycopg.Connection[tuple[object, ...]]:
        """Answer a new connection in autocommit."""
        return psycopg.connect(self.superuser_url, autocommit=True)


def remove_homes() -> None:
    """Remove the files of this process, and of test processes that were killed."""
    for home in tests_home().glob("run-*"):
        pid = home.name.split("-")[1]
        if int(pid) == os.getpid() or not lives(pid):
            remove_instance(layout_of(home.name))


@contextlib.contextmanager
def running() -> Iterator[Instance]:
    """Have the instance of this process as long as the context lasts."""
    context = running_on_given_server() if given_server() else running_embedded()
    with context as instance:
        yield instance


@contextlib.contextmanager
def running_embedded(name: str = f"run-{os.getpid()}") -> Iterator[Instance]:
    """Have an embedded server with a migrated database, in a directory that is removed afterwards."""
    own = cluster.prepare(layout_of(name), fleeting=True)
    try:
        with locked():
            copy_state(keep_state(), to=own)
        child = own.start_child()
        try:
            yield Instance(superuser_url=superuser_url(own))
        finally:
            own.stop()
            child.wait(timeout=30)
    finally:
        remove_instance(own.layout)


def superuser_url(own: Cluster) -> str:
    """Answer the URL of an embedded server's superuser in the project's database."""
    host = str(own.layout.sockets).replace("/", "%2F")
    return f"postgresql://{cluster.SUPERUSER}@{host}:{cluster.PORT}/{cluster.DATABASE}"


def layout_of(name: str) -> layout.Layout:
    """Answer the layout of one instance among the tests'."""
    home = tests_home() / name
    return layout.arrange(checkout=CHECKOUT, home=home, server=home / "postgresql")


def keep_state() -> Path:
    """
    Answer a stopped data directory with the database of this state of the code. The caller holds the lock.

    It starts from one of the same migrations, if there is one: then only permissions and first data are made anew.
    """
    states = tests_home() / "states"
    state, base = states / f"code-{fingerprint()}", states / f"migrations-{fingerprint_of_migrations()}"
    if state.exists():
        os.utime(state)
        return state
    remove_instance(layout_of("build"))
    builder = cluster.prepare(layout_of("build"), fleeting=True)
    if base.exists():
        copy_state(base, to=builder)
    builder.ensure_started()
    try:
        migrate(environment(home=builder.layout.home, database=cluster.DATABASE))
    finally:
        builder.stop()
    states.mkdir(mode=0o700, exist_ok=True)
    if not base.exists():
        shutil.copytree(builder.layout.data, base, symlinks=True)
    builder.layout.data.rename(state)
    remove_instance(builder.layout)
    for kind in ("code-*", "migrations-*"):
        for old in sorted(states.glob(kind), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT_STATES:]:
            shutil.rmtree(old)
    return state


def copy_state(state: Path, *, to: Cluster) -> None:
    """Give a cluster that has no data a copy of a state."""
    shutil.copytree(state, to.layout.data, symlinks=True)
    to.account.give(to.layout.data)


@contextlib.contextmanager
def running_on_given_server() -> Iterator[Instance]:
    """Have a migrated database on the given server, dropped afterwards."""
    database = f"{RUN_PREFIX}{os.getpid()}"
    with psycopg.connect(given_server(), autocommit=True) as admin:
        with locked():
            provision.ensure_roles(admin, password=urlsplit(given_server()).password)
            template = keep_template(admin)
            drop(admin, database)
            provision.ensure_database(admin, name=database, template=template)
        superuser = urlsplit(given_server()).username or cluster.SUPERUSER
        try:
            yield Instance(superuser_url=on_server(given_server(), role=superuser, database=database))
        finally:
            drop(admin, database)


def keep_template(admin: psycopg.Connection[tuple[object, ...]]) -> str:
    """Answer the name of a template database of this state of the code, migrated if need be."""
    template = f"{STATE_PREFIX}{fingerprint()}"
    names = {str(name) for (name,) in admin.execute("SELECT datname FROM pg_database")}
    if template in names:
        return template
    build = f"{STATE_PREFIX}build"
    drop(admin, build)
    for old in names:
        if old.startswith(STATE_PREFIX) or (old.startswith(RUN_PREFIX) and not lives(old.removeprefix(RUN_PREFIX))):
            drop(admin, old)
    provision.ensure_database(admin, name=build)
    migrate(environment(home=tests_home() / "build", database=build))
    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(build), sql.Identifier(template)))
    return template


def drop(admin: psycopg.Connection[tuple[object, ...]], database: str) -> None:
    """Drop a database, ending its connections."""
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def migrate(variables: dict[str, str]) -> None:
    """Migrate as the owner, then write the first data if the project has a command for it."""
    commands = [["migrate", "--verbosity=0"]]
    if any(CHECKOUT.glob("*/management/commands/bootstrap.py")):
        commands.append(["bootstrap"])
    for command in commands:
        done = subprocess.run(
            [sys.executable, str(CHECKOUT / "manage.py"), *command],
            cwd=CHECKOUT,
            env=os.environ | variables | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"The test database was not made: manage.py {command[0]} failed.\n{done.stdout}\n{done.stderr}"
            )


def fingerprint() -> str:
    """Answer a text that differs when anything may have changed what a migrated database contains."""
    return digest_of(path for app in APPS for path in (CHECKOUT / app).rglob("*.py"))


def fingerprint_of_migrations() -> str:
    """Answer a text that differs when a migration does, or a module of the project that one imports."""
    migrations = [path for app in APPS for path in (CHECKOUT / app / "migrations").glob("*.py")]
    nodes = [node for path in migrations for node in ast.walk(ast.parse(path.read_text()))]
    names = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    imported = [CHECKOUT / f"{name.replace('.', '/')}.py" for name in names if name.split(".")[0] in APPS]
    return digest_of(path for path in (*migrations, *imported) if path.exists())


def digest_of(paths: Iterable[Path]) -> str:
    """Answer a short text that differs when a file, the locked dependencies or the server's programs do."""
    digest = hashlib.sha256(os.environ.get("PG_BIN", "").encode())
    for path in sorted({*paths, CHECKOUT / "requirements" / "runtime.txt"}):
        digest.update(str(path.relative_to(CHECKOUT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Hold the lock under which a state is built and copied."""
    layout.make_passable(tests_home())
    with open(tests_home() / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove_instance(of: layout.Layout) -> None:
    """Stop an instance's server, if it runs, and remove its files."""
    if of.data.exists():
        cluster.prepare(of, fleeting=True).stop()
    shutil.rmtree(of.sockets, ignore_errors=True)
    for _attempt in range(3):
        shutil.rmtree(of.home, ignore_errors=True)
        if not of.home.exists():
            return
        time.sleep(0.1)


def lives(pid: str) -> bool:
    """Answer whether a process with this id runs."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
