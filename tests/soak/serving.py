"""A durable PostgreSQL and a real web server on it, both of which can be killed and started again."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections

from foundation.database import provision
from foundation.embedded import cluster, processes
from foundation.embedded.cluster import Cluster
from foundation.management.commands import serve
from tests.support import instance

PATIENCE_SECONDS = 60
HOST = "127.0.0.1"

# One answer for one instant: where the request stands, whether a transaction that locked it is open, and whether that
# one has begun to write. A transaction has an id from its first row lock on.
OBSERVED = f"""
    SELECT (SELECT status FROM approvals_changerequest WHERE id = %s),
           EXISTS (SELECT FROM pg_stat_activity WHERE usename = '{provision.APP}' AND backend_xid IS NOT NULL),
           EXISTS (SELECT FROM pg_locks WHERE relation = 'approvals_authorization'::regclass
                                          AND mode = 'RowExclusiveLock' AND granted)
"""
QUIET = f"""
    SELECT NOT EXISTS (SELECT FROM pg_stat_activity
                        WHERE usename = '{provision.APP}' AND (state <> 'idle' OR backend_xid IS NOT NULL))
"""


@dataclass
class Attempt:
    """One POST in a thread of its own, which may never be answered; `seconds` is how long it took."""

    thread: threading.Thread = field(init=False)
    sent: threading.Event = field(default_factory=threading.Event)
    status: int | None = None
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def wait(self) -> "Attempt":
        """Answer itself once it has ended, one way or another."""
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive(), "The web server neither answered nor closed the connection."
        return self


class Served:
    """An instance of its own in a temporary home: database, web server, and the ways to kill each."""

    def __init__(self, own: Cluster, environment: dict[str, str]) -> None:
        self.own = own
        self.environment = environment
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        self.start_postgresql()
        self.start_web()

    def start_postgresql(self) -> None:
        """Start the server as the project does, over whatever a killed one left."""
        self.database = self.own.start_child()
        self.observer: psycopg.Connection[Any] = self.own.connect(database=cluster.DATABASE)

    def start_web(self) -> None:
        """Start the web server with the command line that `manage.py serve` uses; answer when it answers."""
        with open(self.own.layout.home / "web.log", "ab") as log:
            self.web = subprocess.Popen(
                serve.web(HOST, self.port),
                cwd=instance.CHECKOUT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.answers():
            assert self.web.poll() is None, self.tail_web_log()
            assert time.monotonic() < deadline, self.tail_web_log()
            time.sleep(0.05)

    def answers(self) -> bool:
        """Answer whether the web server says that it lives."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def tail_web_log(self) -> str:
        """Answer the end of what the web server has written."""
        return (self.own.layout.home / "web.log").read_text(errors="replace")[-4000:]

    def post(self, path: str, *, token: str, key: str | None = None) -> Attempt:
        """Send a POST without a body, and go on at once."""
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        attempt = Attempt()

        def run() -> None:
            began = time.monotonic()
            connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE_SECONDS)
            try:
                connection.request("POST", path, headers=headers)
                attempt.sent.set()
                answer = connection.getresponse()
                body = answer.read()
                attempt.status = answer.status
                attempt.headers = {name.lower(): value for name, value in answer.getheaders()}
                attempt.document = json.loads(body) if body else None
            except (OSError, http.client.HTTPException, ValueError):
                # Killed in the middle of it: the sender knows nothing.
                attempt.status = None
            finally:
                attempt.seconds = time.monotonic() - began
                attempt.sent.set()
                connection.close()

        attempt.thread = threading.Thread(target=run, daemon=True)
        attempt.thread.start()
        assert attempt.sent.wait(PATIENCE_SECONDS)
        return attempt

    def observe(self, change_request_id: Any) -> str:
        """Answer where application is at this instant: `before`, `checking`, `writing` or `after`."""
        status, begun, writes = self.observer.execute(OBSERVED, [change_request_id]).fetchone()  # type: ignore[misc]
        if status == "applied":
            return "after"
        if not begun:
            return "before"
        return "writing" if writes else "checking"

    def kill_web(self) -> None:
        """Kill the web server and all its workers."""
        os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.answers():
            assert time.monotonic() < deadline, "A worker of the web server survived."

    def kill_postgresql(self) -> None:
        """Kill the postmaster and every backend before one of them notices."""
        data = self.own.layout.data
        postmaster = processes.read_postmaster(data)
        assert postmaster == self.database.pid
        for pid in (postmaster, *children_of(postmaster)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.database.wait()
        self.observer.close()

    def wait_until_quiet(self) -> None:
        """Wait for the end of transactions whose client was killed: a COMMIT that was sent still happens."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.observer.execute(QUIET).fetchone()[0]:  # type: ignore[index]
            assert time.monotonic() < deadline, "A transaction of the killed web server stays open."
            time.sleep(0.01)

    def end(self) -> None:
        """Leave nothing running."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()
        self.observer.close()
        self.own.stop()
        self.database.wait(timeout=PATIENCE_SECONDS)


def children_of(pid: int) -> list[int]:
    """Answer the children of a process, which for a postmaster are all its backends."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def served() -> Iterator[Served]:
    """Have a served instance whose commits reach the disk, in a directory that is removed afterwards."""
    of = instance.layout_of(f"run-{os.getpid()}-soak")
    own = cluster.prepare(of, fleeting=False)
    assert "fsync" not in own.settings()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "CELERY_"))}
    environment = kept | {
        "TENURE_PROFILE": "embedded",
        "TENURE_HOME": str(of.home),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PUBLIC_URL": f"http://{HOST}:8000",
        "ALLOWED_HOSTS": HOST,
    }
    try:
        with instance.locked():
            instance.copy_state(instance.keep_state(), to=own)
        serving = Served(own, environment)
        try:
            with using(own):
                yield serving
        finally:
            serving.end()
    finally:
        instance.remove_instance(of)


@contextlib.contextmanager
def using(own: Cluster) -> Iterator[None]:
    """Let this process's own services work on the instance, as the role that serves."""
    settings = connections.settings["default"]
    former = dict(settings)
    connections.close_all()
    settings.update(
        HOST=str(own.layout.sockets), PORT=str(cluster.PORT), NAME=cluster.DATABASE, USER=provision.APP, PASSWORD=""
    )
    try:
        yield
    finally:
        connections.close_all()
        settings.update(former)
