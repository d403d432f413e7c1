"""
Where the embedded profile keeps its things. Standard library only: the settings import it before Django is set up.

An ordinary user's things are inside the checkout, under `.tenure/`. PostgreSQL refuses to run as root, so root's
server runs as a user without a name, who may not be able to enter the checkout: root's things are under
`/var/lib/tenure/`, in a directory that belongs to this checkout alone. `TENURE_HOME` overrides both.

Source: docs/decisions/0010-embedded-postgresql.md
"""

import contextlib
import hashlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

# `sockaddr_un` holds 108 bytes with its terminator; PostgreSQL appends "/.s.PGSQL.5432" and, for its lock, ".lock".
SOCKET_PATH_LIMIT = 107
SOCKET_NAME = ".s.PGSQL.5432.lock"
ROOTS_HOME = Path("/var/lib/tenure")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """
    Paths of one embedded instance. Computing them creates nothing but the checkout's own mark.

    `home` holds everything and is what `make clean-demo` removes; `server` belongs to the user that PostgreSQL runs
    as and holds its `data`, its `sockets` (elsewhere when that path would be too long) and its `server_log`.
    """

    checkout: Path
    home: Path
    server: Path
    data: Path
    sockets: Path
    server_log: Path
    broker: Path
    broker_messages: Path
    broker_queues: Path
    mail: Path
    secret_key: Path
    serve_lock: Path
    tests: Path


def locate(checkout: Path) -> Layout:
    """Answer the paths of the embedded instance of a checkout; the same ones on every call."""
    home = find_home(checkout)
    return arrange(checkout=checkout, home=home, server=home / "postgresql")


def arrange(*, checkout: Path, home: Path, server: Path) -> Layout:
    """Answer the layout with its server's files under `server` and everything else under `home`."""
    return Layout(
        checkout=checkout,
        home=home,
        server=server,
        data=server / "data",
        sockets=find_socket_directory(server),
        server_log=server / "server.log",
        broker=home / "broker",
        broker_messages=home / "broker" / "messages",
        broker_queues=home / "broker" / "queues",
        mail=home / "mail",
        secret_key=home / "secret-key",
        serve_lock=home / "serve.lock",
        tests=home / "tests",
    )


def find_home(checkout: Path) -> Path:
    """Answer the directory that holds everything of this checkout's embedded instance."""
    if override := os.environ.get("TENURE_HOME"):
        return Path(override).expanduser().resolve()
    if os.geteuid() != 0:
        return checkout / ".tenure"
    # Path and mark together: a copied checkout has another path, a fresh clone in the same place another mark.
    identity = f"{checkout.resolve()}\n{read_mark(checkout)}"
    return ROOTS_HOME / hashlib.sha256(identity.encode()).hexdigest()[:16]


def read_mark(checkout: Path) -> str:
    """
    Answer the random mark of a checkout, made on the first call.

    It is removed with the checkout, so that a later clone in the same place does not find the data of an earlier one.
    """
    mark = checkout / ".tenure" / "mark"
    if not mark.exists():
        mark.parent.mkdir(mode=0o700, exist_ok=True)
        draft = mark.with_name(f"mark.{os.getpid()}")
        draft.write_text(secrets.token_hex(16))
        # Linking instead of renaming: of two processes that start together, the first one's mark stays.
        with contextlib.suppress(FileExistsError):
            os.link(draft, mark)
        draft.unlink()
    return mark.read_text()


def find_socket_directory(server: Path) -> Path:
    """Answer `server/socket`, or a short private directory where a socket's path there would be too long."""
    beside = server / "socket"
    if len(os.fsencode(beside / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        return beside
    digest = hashlib.sha256(os.fsencode(server)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tenure-{os.geteuid()}-{digest}"


def make_passable(directory: Path) -> None:
    """
    Make a directory and those above it that are missing; what is there keeps its mode.

    Through root's, others may pass to the one that is theirs, but not list them; an ordinary user's are closed.
    """
    if directory.exists():
        return
    make_passable(directory.parent)
    with contextlib.suppress(FileExistsError):
        directory.mkdir()
        directory.chmod(0o711 if os.geteuid() == 0 else 0o700)
