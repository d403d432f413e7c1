"""A migrated database of this benchmark alone, on an embedded server that is removed afterwards."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Have Django set up on a database of its own."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    from tests.support import instance

    django.setup()
    try:
        with instance.running():
            yield
            from django.db import connections

            connections.close_all()
    finally:
        instance.remove_homes()
