"""Keeps a database that is older than its ledger from being written to, and says so on every page."""

import time
from collections.abc import Callable

import structlog
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponseBase

from audit.copies.errors import LedgerBehind
from audit.copies.restored import Behind, find_behind
from foundation.web.errors import refuse

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ASK_AGAIN_SECONDS = 5.0
log = structlog.get_logger(__name__)


class LedgerMiddleware:
    """
    Look once, when the process starts, whether the database is older than a head of its log outside.

    If it is, say so in the log, on every page, and to whoever would write, until it is acknowledged.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.behind: Behind | None = None
        self.looked_at: float | None = None
        self._look()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if self.looked_at is None or (self.behind and time.monotonic() - self.looked_at > ASK_AGAIN_SECONDS):
            self._look()
        if self.behind is None:
            return self.get_response(request)
        if request.method not in SAFE:
            return refuse(request, LedgerBehind(self.behind.told))
        request.ledger_behind = self.behind.told  # type: ignore[attr-defined]
        return self.get_response(request)

    def _look(self) -> None:
        try:
            self.behind = find_behind()
        except DatabaseError:
            # Nothing can be written either; the next request looks again.
            connection.close()
            return
        self.looked_at = time.monotonic()
        if self.behind:
            log.critical("ledger_behind", why=self.behind.told)
