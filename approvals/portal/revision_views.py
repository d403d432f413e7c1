"""The page of a request's revisions: what was decided on each, and what changed from one to another."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from approvals import governed
from approvals.governed import UnknownKind
from approvals.portal import reading
from approvals.portal.views import SignedInPage
from approvals.requests import rounds
from approvals.requests.differences import ItemChange
from approvals.requests.services import current
from foundation.errors import InvalidInput

ITEMS_SHOWN = 100
_WORDS = {"added": "Added", "removed": "Removed", "changed": "Asks for something else"}


class Revisions(SignedInPage):
    """All revisions, and the difference between two of them."""

    template_name = "changes/revisions.html"

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show them."""
        change_request = reading.found(number=number, user=self.user)
        latest = current(change_request).number
        older = self._number("from") or rounds.number_to_compare(change_request=change_request, user=self.user)
        newer = self._number("to") or latest
        found = rounds.difference(change_request=change_request, older=older, newer=newer)
        return self.page(
            {
                "change_request": change_request,
                "rounds": rounds.rounds_of(change_request),
                "older": older,
                "newer": newer,
                "difference": found,
                "items": _shown(found.items[:ITEMS_SHOWN]),
                "further_items": max(len(found.items) - ITEMS_SHOWN, 0),
            }
        )

    def _number(self, name: str) -> int | None:
        """
        A revision's number in the address.

        :raises InvalidInput: if it is no number
        """
        text = self.request.GET.get(name, "").strip()
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 9):
            raise InvalidInput("A revision has a number. Choose two of the list.")
        return int(text)


def _shown(items: Sequence[ItemChange]) -> list[dict[str, Any]]:
    return [
        {
            "change": _WORDS[item.change],
            "title": _title(item.kind),
            "label": item.label,
            "lines": item.lines,
            # Of what is wholly new, or wholly gone, there is no other side.
            "bare": item.change != "changed",
        }
        for item in items
    ]


def _title(kind: str) -> str:
    try:
        return governed.kind(kind).title
    except UnknownKind:
        # A revision is kept for ever; its kind may be gone.
        return kind
