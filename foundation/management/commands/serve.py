"""Serves Tenure on this machine: PostgreSQL, web, worker, beat and sealer, supervised."""

import contextlib
import fcntl
import hashlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from foundation.embedded import profile, supervisor
from foundation.embedded.cluster import Cluster
from foundation.embedded.errors import EmbeddedError
from foundation.embedded.layout import Layout, make_passable
from foundation.embedded.supervisor import Program
from foundation.management.commands.migrate import OWNER_ALIAS

PYTHON = [sys.executable, "-m"]
CELERY = [*PYTHON, "celery", "--quiet", "--app", "config.celery"]


class Command(BaseCommand):
    """Everything in one terminal. In production the same pieces run apart: docs/operations.md."""

    help = "Serve on this machine: PostgreSQL, web server, worker, beat and sealer. Ctrl-C stops all."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        """
        Serve until Ctrl-C.

        :raises CommandError: if this is no embedded profile, if it is served already, or if the port is taken
        """
        with served_once():
            refuse_taken(host, port)
            try:
                self.serve(host, port)
            except EmbeddedError as refusal:
                raise CommandError(str(refusal)) from refusal

    def serve(self, host: str, port: int) -> None:
        """Prepare the database and the static files, then supervise."""
        own = profile.find()
        # A server left running by another command has no leash; the one started here takes its place.
        connections.close_all()
        with profile.running():
            if migrations_are_missing():
                call_command("migrate", verbosity=0)
                call_command("bootstrap", verbosity=0)
            make_broker_folders()
            collect_static()
            connections.close_all()
        programs = [database(own)] if own else []
        programs += [
            supervisor.command("web", web(host, port)),
            supervisor.command("worker", worker()),
            supervisor.command("beat", beat()),
            supervisor.command("sealer", sealer()),
        ]
        supervisor.run(
            programs, ready=lambda: supervisor.say("serve", f"Open http://{host}:{port}/ (Ctrl-C stops all).")
        )


def migrations_are_missing() -> bool:
    """Answer whether the database lacks a migration; asking is much faster than migrating nothing."""
    executor = MigrationExecutor(connections[OWNER_ALIAS])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def make_broker_folders() -> None:
    """Make the folders of the filesystem broker, which the embedded server makes too where there is one."""
    layout = own_layout()
    for folder in (layout.broker_messages, layout.broker_queues):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def database(own: Cluster) -> Program:
    """Answer the program of the embedded server; it stops when asked to be fast, ending its connections."""
    return Program(name="postgres", start=own.start_child, stop_signal=signal.SIGINT)


def web(host: str, port: int) -> list[str]:
    """Answer the command line of the web server."""
    listen = ["--host", host, "--port", str(port), "--workers", "1", "--blocking-threads", "4"]
    return [*PYTHON, "granian", "--interface", "wsgi", "--no-ws", *listen, "config.wsgi:application"]


def worker() -> list[str]:
    """Answer the command line of the worker."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [*CELERY, "worker", "--pool", "threads", "--concurrency", "2", *quiet]


def beat() -> list[str]:
    """Answer the command line of the clock."""
    return [*CELERY, "beat", "--pidfile="]


def sealer() -> list[str]:
    """Answer the command line of the ledger's sealer."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), "seal"]


def own_layout() -> Layout:
    """
    Answer the layout of the embedded profile.

    :raises CommandError: if this is another profile
    """
    if settings.EMBEDDED_LAYOUT is None:
        raise CommandError(
            "Nothing was started: serve is for one machine, with TENURE_PROFILE=embedded. "
            "In production the web server, the worker, beat and the sealer run apart; docs/operations.md shows how."
        )
    return settings.EMBEDDED_LAYOUT


@contextlib.contextmanager
def served_once() -> Iterator[None]:
    """
    Hold the mark of the one process that serves this checkout.

    :raises CommandError: if another one holds it
    """
    path = own_layout().serve_lock
    make_passable(path.parent)
    with open(path, "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(
                f"Nothing was started: process {lock.read().strip()} serves this checkout already. Stop it first."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def refuse_taken(host: str, port: int) -> None:
    """
    Refuse a port that another program listens on.

    :raises CommandError: if one does, or if the address is not this machine's
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Nothing was started: {host}:{port} cannot be listened on ({error.strerror}). Choose another --port."
            ) from error


def collect_static() -> None:
    """Collect and compress the static files, unless none has changed since the last time."""
    root = settings.STATIC_ROOT
    root.mkdir(exist_ok=True)
    directory = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        mark = root / ".fingerprint"
        fingerprint = fingerprint_of_static()
        if mark.exists() and mark.read_text() == fingerprint:
            return
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        mark.write_text(fingerprint)
    finally:
        os.close(directory)


def fingerprint_of_static() -> str:
    """Answer a text that differs when a static file of the project or a locked dependency does."""
    digest = hashlib.sha256((settings.BASE_DIR / "requirements" / "runtime.txt").read_bytes())
    for directory in (settings.BASE_DIR / "static", *sorted(settings.BASE_DIR.glob("*/static"))):
        for path in sorted(directory.rglob("*")):
            status = path.stat()
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()
