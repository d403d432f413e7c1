"""
The embedded server of this process's settings, for commands that need a database.

In production, or where DATABASE_URL names a server, there is nothing to start and every function here does nothing.
"""

import contextlib
from collections.abc import Iterator

from django.conf import settings

from foundation.embedded import cluster
from foundation.embedded.cluster import Cluster


def find() -> Cluster | None:
    """
    Answer the embedded cluster that the settings' default database is on; None if it is on another server.

    :raises EmbeddedError: if its directories cannot be made, or if there is no PostgreSQL
    """
    layout = settings.EMBEDDED_LAYOUT
    if layout is None or settings.DATABASES["default"]["HOST"] != str(layout.sockets):
        return None
    return cluster.prepare(layout)


def ensure_started() -> None:
    """
    Start the embedded server if it is ours to start; it then runs on after this process.

    :raises EmbeddedError: if it cannot be started
    """
    if own := find():
        own.ensure_started()


@contextlib.contextmanager
def running() -> Iterator[None]:
    """
    Have the embedded server as long as the context lasts; one that ran before goes on running.

    :raises EmbeddedError: if it cannot be started
    """
    own = find()
    started = own is not None and own.ensure_started()
    try:
        yield
    finally:
        if own is not None and started:
            own.stop()
