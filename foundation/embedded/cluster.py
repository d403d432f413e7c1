"""
One PostgreSQL server of a checkout: made, started and stopped without anything else on the machine.

Unix socket only; the socket's directory may be entered by its owner alone, so inside it PostgreSQL trusts.

Source: docs/decisions/0010-embedded-postgresql.md
"""

import contextlib
import fcntl
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from foundation.database import provision
from foundation.embedded import accounts, binaries, leash, processes
from foundation.embedded.accounts import Account
from foundation.embedded.binaries import Binaries
from foundation.embedded.errors import EmbeddedError
from foundation.embedded.layout import Layout, make_passable

PORT = 5432
SUPERUSER = "postgres"
DATABASE = "tenure"
START_SECONDS = 60
LOG_TAIL_LINES = 15
LOG_BYTES_KEPT = 5_000_000

COMMON_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "shared_buffers": "64MB",
    "max_connections": "100",
}
# What tests need: nothing of it outlives the machine, so nothing waits for a disk.
FLEETING_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "jit": "off",
}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """
    A server's files, the account it runs as and the programs it runs.

    `fleeting`: its data need not survive a crash of the machine.
    """

    layout: Layout
    account: Account
    binaries: Binaries
    fleeting: bool = False

    def ensure_started(self) -> bool:
        """
        Make the data directory, start the server and make roles and database, whatever of it is missing.

        Answer whether the server was started here; False if it ran already. Of two callers one waits for the other.

        :raises EmbeddedError: if it cannot be made or started; the message ends with the server's own words
        """
        with self.locked():
            if self.becomes_ready():
                return False
            self.prepare()
            self._start_detached()
            self.provision()
            return True

    def start_child(self) -> subprocess.Popen[bytes]:
        """
        Start the server as a child that stops when this process ends; answer it once it is ready.

        A server of the same data that runs already is stopped first: only a child is stopped with its parent.

        :raises EmbeddedError: if it cannot be made or started; the message ends with the server's own words
        """
        self.stop()
        with self.locked():
            self.prepare()
            child = self._spawn()
            while not self.is_listening() and child.poll() is None:
                time.sleep(0.02)
            if not self.becomes_ready():
                raise EmbeddedError(f"The embedded PostgreSQL ended as it started.\n{self.tail_log()}")
            self.provision()
        return child

    def _spawn(self) -> subprocess.Popen[bytes]:
        other = {"uid": self.account.uid, "gid": self.account.gid} if self.account.is_other else {}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        with open(self.layout.server_log, "ab") as log:
            # A group of its own: a Ctrl-C reaches it through its parent, after those who use it.
            return subprocess.Popen(  # noqa: S603 - a program of the found installation, no shell
                leash.wrap(self.command(), on_parents_end=signal.SIGINT, **other),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environment,
                process_group=0,
            )

    def prepare(self) -> None:
        """Make what a start needs and remove what a killed server left. The caller holds the lock."""
        self._refuse_other_version()
        self._make_data()
        self._clear_remains()
        self.account.make_private(self.layout.sockets)
        self._shorten_log()

    def provision(self) -> None:
        """Make the roles and the database that are missing."""
        with self.connect() as connection:
            provision.ensure_roles(connection)
            provision.ensure_database(connection, name=DATABASE)

    def stop(self) -> bool:
        """
        Stop the server, ending its connections. Answer whether it ran.

        :raises EmbeddedError: if it does not stop
        """
        with self.locked():
            if processes.read_postmaster(self.layout.data) is None or not self._postmaster_lives():
                return False
            stopped = self._run(
                "pg_ctl", "-D", str(self.layout.data), "-m", "fast", "-w", "-t", str(START_SECONDS), "stop"
            )
            if stopped.returncode != 0:
                raise EmbeddedError(f"The embedded PostgreSQL did not stop: {self._explain(stopped)}")
            return True

    def is_listening(self) -> bool:
        """Answer whether a server accepts connections on the socket, ready or not."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(5)
            try:
                probe.connect(str(self.layout.sockets / f".s.PGSQL.{PORT}"))
            except OSError:
                return False
        return True

    def becomes_ready(self, *, seconds: float = START_SECONDS) -> bool:
        """
        Answer True as soon as the server lets a connection in; False once none listens.

        :raises EmbeddedError: if it listens and lets none in within `seconds`
        """
        deadline = time.monotonic() + seconds
        while self.is_listening():
            try:
                with self.connect(database="postgres"):
                    return True
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"The embedded PostgreSQL did not answer within {seconds:.0f} s: {error}\n{self.tail_log()}"
                    ) from error
            time.sleep(0.02)
        return False

    def connect(self, *, database: str = "postgres", role: str = SUPERUSER) -> psycopg.Connection[Any]:
        """Answer a new connection in autocommit; the superuser's unless a role is named."""
        return psycopg.connect(
            host=str(self.layout.sockets), port=PORT, dbname=database, user=role, autocommit=True, connect_timeout=10
        )

    def command(self) -> list[str]:
        """Answer the command line of the server itself, in the foreground."""
        options = [part for name, value in self.settings().items() for part in ("-c", f"{name}={value}")]
        return [self.binaries.program("postgres"), "-D", str(self.layout.data), *options]

    def settings(self) -> dict[str, str]:
        """Answer the server's settings."""
        own = {"unix_socket_directories": f'"{self.layout.sockets}"'}
        if self.fleeting and self.binaries.major >= 18:
            own["io_method"] = "sync"
        return COMMON_SETTINGS | (FLEETING_SETTINGS if self.fleeting else {}) | own

    def tail_log(self) -> str:
        """Answer the last lines of the server's log."""
        try:
            return "\n".join(self.layout.server_log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        except OSError:
            return ""

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock under which the server of this checkout is made, started and stopped."""
        with open(self.layout.home / "postgresql.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start_detached(self) -> None:
        options = shlex.join(part for name, value in self.settings().items() for part in ("-c", f"{name}={value}"))
        arguments = ("-D", str(self.layout.data), "-l", str(self.layout.server_log), "-o", options)
        deadline = time.monotonic() + START_SECONDS
        while True:
            started = self._run("pg_ctl", *arguments, "-w", "-t", str(START_SECONDS), "start")
            if started.returncode == 0:
                return
            # The children of a killed server go when they notice; where they cannot be seen, wait for them.
            waits = "pre-existing shared memory block" in self.tail_log() and time.monotonic() < deadline
            if not waits:
                raise EmbeddedError(
                    f"The embedded PostgreSQL was not started. {self._explain(started)}\n{self.tail_log()}"
                )
            time.sleep(0.5)

    def _make_data(self) -> None:
        """Make the data directory aside and move it into place whole, so that an interrupted attempt leaves none."""
        if self.layout.data.exists():
            return
        for abandoned in self.layout.home.glob("initdb.*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        maker = accounts.find_initdb_account(self.account)
        aside = Path(tempfile.mkdtemp(prefix="initdb.", dir=self.layout.home))
        try:
            maker.give(aside)
            draft = aside / "data"
            made = self._run("initdb", "-D", str(draft), *self._initdb_options(), account=maker)
            if made.returncode != 0:
                raise EmbeddedError(f"PostgreSQL's data directory was not made: {self._explain(made)}")
            self.account.give(draft)
            draft.rename(self.layout.data)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _initdb_options(self) -> list[str]:
        options = ["-U", SUPERUSER, "-A", "trust", "-E", "UTF8"]
        if self.fleeting:
            options.append("--no-sync")
        if self.binaries.major >= 17:
            # The same order of texts on every machine, whatever its C library.
            return [*options, "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return [*options, "--locale=C.UTF-8"]

    def _refuse_other_version(self) -> None:
        version = self.layout.data / "PG_VERSION"
        if version.exists() and version.read_text().strip() != str(self.binaries.major):
            raise EmbeddedError(
                f"The data in {self.layout.data} was made by PostgreSQL {version.read_text().strip()}, "
                f"and the programs in {self.binaries.directory} are version {self.binaries.major}, "
                "which cannot read it. Set PG_BIN to the older programs, or remove the data with “make clean-demo”."
            )

    def _clear_remains(self) -> None:
        """Remove what is left when no server listens: a lost server, a killed one's children, a stale process id."""
        data = self.layout.data
        if self._postmaster_lives():
            # It holds no socket any more (its directory was removed): nobody can reach it, so it ends here.
            self._run("pg_ctl", "-D", str(data), "-m", "fast", "-w", "stop")
        running = processes.find_on(data)
        if running is None:
            return
        processes.end_all_on(data)
        (data / "postmaster.pid").unlink(missing_ok=True)
        for left in self.layout.sockets.glob(f".s.PGSQL.{PORT}*"):
            left.unlink(missing_ok=True)

    def _postmaster_lives(self) -> bool:
        pid = processes.read_postmaster(self.layout.data)
        running = processes.find_on(self.layout.data)
        if running is not None:
            return pid in running
        return self._run("pg_ctl", "-D", str(self.layout.data), "status").returncode == 0

    def _shorten_log(self) -> None:
        log = self.layout.server_log
        if log.exists() and log.stat().st_size > LOG_BYTES_KEPT:
            log.unlink()

    def _run(self, name: str, *arguments: str, account: Account | None = None) -> subprocess.CompletedProcess[str]:
        # A file instead of a pipe: the server inherits it from pg_ctl, and a pipe would stay open as long as it runs.
        with tempfile.TemporaryFile("w+", errors="replace") as said:
            done = subprocess.run(  # noqa: S603 - a program of the found installation, no shell
                [self.binaries.program(name), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
                text=True,
                cwd="/",
                **(account or self.account).popen_options(),
            )
            said.seek(0)
            done.stdout = said.read()
        return done

    @staticmethod
    def _explain(done: subprocess.CompletedProcess[str]) -> str:
        return f"{Path(done.args[0]).name} ended with {done.returncode}: {done.stdout.strip()}"


def prepare(layout: Layout, *, fleeting: bool = False) -> Cluster:
    """
    Make the directories of a layout and answer its cluster, not started.

    :raises EmbeddedError: if a directory cannot be made or reached, or if there is no PostgreSQL
    """
    account = accounts.choose(layout.server)
    try:
        make_passable(layout.home)
        account.make_private(layout.server)
        for private in (layout.broker, layout.broker_messages, layout.broker_queues, layout.mail):
            private.mkdir(mode=0o700, exist_ok=True)
        # For whoever finds the directory after the checkout is gone.
        (layout.home / "checkout").write_text(f"{layout.checkout}\n")
    except OSError as error:
        raise EmbeddedError(
            f"{layout.home} cannot be used ({error.strerror}). Set TENURE_HOME to a directory where you may write."
        ) from error
    refuse_unreachable(layout.server, account=account)
    found = binaries.find(account=account, copies=layout.home)
    return Cluster(layout=layout, account=account, binaries=found, fleeting=fleeting)


def refuse_unreachable(directory: Path, *, account: Account) -> None:
    """
    Refuse a directory that the account cannot enter, because one above it is closed.

    :raises EmbeddedError: if it cannot
    """
    try:
        subprocess.run(["/bin/sh", "-c", "cd ."], cwd=directory, check=True, **account.popen_options())
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedError(
            f"PostgreSQL runs as user {account.uid} and cannot enter {directory}: "
            "a directory above it is closed to others. Set TENURE_HOME to a directory in one that everybody may enter."
        ) from error
