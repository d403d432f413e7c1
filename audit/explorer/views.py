"""The explorer's pages for people."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone

from audit import subjects
from audit.explorer import data, exports, filters, pages, reading
from audit.explorer.filters import Sought
from audit.sealing import proofs
from foundation.errors import InvalidInput
from foundation.identity.models import User
from foundation.web.portal import PortalPage


class _Page(PortalPage):
    @property
    def user(self) -> User:
        """Who is signed in; LoginRequiredMixin answers everybody else."""
        user = self.request.user
        assert isinstance(user, User)  # noqa: S101  see above
        return user

    @property
    def parameters(self) -> dict[str, str]:
        """What was asked."""
        return {name: str(value) for name, value in self.request.GET.items()}


class Explorer(_Page):
    """Who did what, when, to what: the events that fit, newest first."""

    template_name = "audit/explorer.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show a page of them, or say what can't be read of what was asked."""
        given, zone, refused = self.parameters, timezone.get_current_timezone(), ""
        try:
            sought = filters.parse(given, zone=zone)
            page = reading.page(user=self.user, sought=sought, cursor=given.get("cursor", ""))
        except InvalidInput as error:
            sought, page, refused = Sought(), pages.Page((), None, None), error.message
        used = {name: given[name] for name in filters.NAMES if given.get(name, "").strip()}
        return self.page(
            {
                "events": [reading.told(event) for event in page.events],
                "page": page,
                "refused": refused,
                "given": given | {"actor": filters.login_of(given.get("actor", ""))} | self._times(sought, given),
                "query": urlencode(used),
                "is_later": bool(given.get("cursor")),
                "accounts": subjects.directory().accounts(self.user),
                "kinds": list(reading.kinds()),
                "zone": zone,
            },
            status=400 if refused else 200,
        )

    def _times(self, sought: Sought, given: dict[str, str]) -> dict[str, Any]:
        zone = timezone.get_current_timezone()
        return {
            name: reading.instant_in(instant, zone) if instant else given.get(name, "")
            for name, instant in (("since", sought.since), ("until", sought.until))
        }


class OneEvent(_Page):
    """One event, whole: its data as a table, its bytes and their digest."""

    template_name = "audit/event.html"

    def get(self, request: HttpRequest, event_id: uuid.UUID) -> HttpResponse:
        """Show it."""
        event = reading.one(user=self.user, event_id=event_id)
        return self.page(
            {
                "told": reading.told(event),
                "data": data.data_of(event),
                "place": proofs.place_of(event.id),
                "content": bytes(event.content).decode(),
                "digest": reading.digest_of(event),
            }
        )


class Export(_Page):
    """The events that fit as CSV, all pages of them."""

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """Send it line by line; that it was taken is recorded first."""
        rows = exports.exported(user=self.user, parameters=self.parameters, zone=timezone.get_current_timezone())
        return csv_of(rows)


def csv_of(rows: Any) -> StreamingHttpResponse:
    """An answer that sends lines of CSV as a file."""
    headers = {
        "Content-Disposition": f'attachment; filename="{exports.FILE_NAME}"',
        "Cache-Control": "private, no-cache",
    }
    return StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8", headers=headers)
