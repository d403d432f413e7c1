"""
Applications and freezes take turns.

Note "Taking turns": whatever applies a change holds a shared lock from the moment at which it asks for freezes until it
commits; whatever writes a freeze holds it alone. So a freeze that was committed before a change asked is seen by it,
and one that comes later waits for the change that was first. Nobody asks for it alone while holding it shared: whoever
writes a freeze asks for it alone at once.
"""

from django.db import connection

_KEY = "approvals_freeze"


def hold_shared() -> None:
    """Keep freezes as they are until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext(%s))", [_KEY])


def hold_alone() -> None:
    """Wait for every application under way, and let none begin until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_KEY])
