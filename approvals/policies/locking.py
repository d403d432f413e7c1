"""
Policies do not change while a change is applied under them.

Whatever is applied holds the policies until its transaction ends; what changes them waits for that, and whatever is
applied afterwards reads them as changed. So of an application and a change of policy at the same instant one comes
first, and what came first holds.
"""

from django.db import connection

# Any number that nothing else uses: "poli" in ASCII.
_LOCK = 0x706F6C69


def hold_policies() -> None:
    """Keep the policies as they are until this transaction ends; several may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


def lock_policies() -> None:
    """Have the policies for this transaction alone, before they change; taken before `hold_policies`, never after."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
