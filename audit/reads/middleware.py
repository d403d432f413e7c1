"""The edge at which what a request gave out becomes events, before the answer leaves."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from audit.reads.collecting import collecting
from audit.reads.errors import ReadNotRecorded
from audit.reads.services import record_reads
from foundation import clock
from foundation.identity.models import User
from foundation.web.errors import refuse


class ReadsMiddleware:
    """
    Record sensitive reads of whoever is signed in, by page or by token.

    The answer leaves after the events are committed: if they can't be recorded, nothing is given out; nor while the
    database is older than its ledger, because then nothing may be written. A refusal, or an answer that the reader has
    already (304), gave nothing out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with collecting() as given:
            response = self.get_response(request)
        user = getattr(request, "user", None)
        if given and 200 <= response.status_code < 300 and isinstance(user, User):
            behind = getattr(request, "ledger_behind", "")
            if behind:
                why = "This shows prices, personal details or a file, and who reads that is recorded."
                return refuse(request, ReadNotRecorded(f"{why} Nothing is recorded now: {behind}"))
            record_reads(given=given, reader=user, where=surface_of(request.path_info), now=clock.now())
        return response


def surface_of(path: str) -> str:
    """The surface that a path belongs to, in a word."""
    if path.startswith("/api/"):
        return "API"
    return "admin" if path.startswith("/admin/") else "portal"
