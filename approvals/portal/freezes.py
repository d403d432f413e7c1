"""The page of freezes: what lasts now, what comes, month by month."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from approvals.freezes import listing
from approvals.freezes.listing import Entry
from approvals.freezes.models import Freeze
from approvals.portal.signed_in import SignedInPage
from foundation.identity.models import User

SHOWN = 200


@dataclass(frozen=True)
class Month:
    """What begins in one month of the reader's calendar."""

    first: date
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Shown:
    """Everything on the page; `lead` says in words whether anything is frozen now."""

    lead: str
    now: Sequence[Entry]
    months: Sequence[Month]
    more: int
    quiet: Sequence[Freeze]


def read(*, user: User, now: datetime) -> Shown:
    """
    The page for one reader.

    :raises NotPermitted: if the user may not read change requests
    """
    found = listing.listing(user=user, now=now)
    return Shown(
        lead=_lead(found),
        now=found.now,
        months=list(_months(found.coming[:SHOWN])),
        more=max(len(found.coming) - SHOWN, 0),
        quiet=found.quiet,
    )


def _lead(found: listing.Listing) -> str:
    count = len(found.now)
    if count:
        return f"{count} {'freeze lasts' if count == 1 else 'freezes last'} now: what it concerns is not applied."
    return "Nothing is frozen now." if found.coming else "Nothing is frozen now, and no freeze is announced."


def _months(entries: Sequence[Entry]) -> Iterator[Month]:
    for first, some in groupby(entries, key=lambda entry: timezone.localdate(entry.span.starts_at).replace(day=1)):
        yield Month(first, list(some))


class Freezes(SignedInPage):
    """Times in which changes are not applied."""

    template_name = "changes/freezes.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        return self.page({"shown": read(user=self.user, now=self.now), "may_propose": self.user.is_staff})
