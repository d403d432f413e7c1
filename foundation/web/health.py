"""Whether this process lives, and whether it should be given work."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from foundation import clock
from foundation.outbox.models import OutboxMessage

logger = logging.getLogger(__name__)

# Beyond this age of the oldest due message the worker is not keeping up, or not running.
GREATEST_OUTBOX_LAG = timedelta(minutes=15)


class HealthMiddleware:
    """
    Answer `/livez` and `/readyz` before anything else: an orchestrator asks by address, without cookies or a host name.

    `/livez` is 200 while the process answers at all. `/readyz` is 503, with reasons in JSON, unless the database is
    reachable as a role that owns nothing, every migration is applied and the outbox is not behind.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == "/livez":
            return HttpResponse("ok\n", content_type="text/plain")
        if request.path_info == "/readyz":
            return _answer(now=clock.now())
        return self.get_response(request)


def reasons_against(*, now: datetime) -> list[dict[str, str]]:
    """Return why this process should get no work; empty if it should."""
    try:
        return [
            {"check": check, "detail": sentence}
            for check, sentence in (
                ("role", _against_role()),
                ("migrations", _against_migrations()),
                ("outbox", _against_outbox(now=now)),
            )
            if sentence
        ]
    except DatabaseError:
        # The caller may be anyone: what the driver says goes to the log only.
        logger.exception("The readiness check could not query the database.")
        return [{"check": "database", "detail": "The database does not answer."}]


def _answer(*, now: datetime) -> HttpResponse:
    reasons = reasons_against(now=now)
    status = "unready" if reasons else "ready"
    response = JsonResponse({"status": status, "reasons": reasons}, status=503 if reasons else 200)
    response["Cache-Control"] = "no-store"
    return response


def _against_role() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid AND relkind IN ('r', 'p'))"
            " FROM pg_roles WHERE rolname = current_user"
        )
        (owns,) = cursor.fetchone()
    return "The database is reached as a role that owns tables. Serve as tenure_app." if owns else ""


def _against_migrations() -> str:
    applied = MigrationRecorder(connection).applied_migrations()
    missing = sorted(_known_migrations() - set(applied))
    return f"{len(missing)} migrations are not applied; the first is {'.'.join(missing[0])}." if missing else ""


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    # Read from disk once: the files of a running process do not change.
    loader = MigrationLoader(None)
    replaced = {key for migration in loader.replacements.values() for key in migration.replaces}
    return frozenset(key for key in loader.disk_migrations if key not in replaced)


def _against_outbox(*, now: datetime) -> str:
    oldest = OutboxMessage.objects.filter(status="pending", next_attempt_at__lte=now - GREATEST_OUTBOX_LAG)
    if not oldest.exists():
        return ""
    return (
        f"Messages wait for longer than {GREATEST_OUTBOX_LAG.total_seconds() / 60:.0f} minutes. Is the worker running?"
    )
