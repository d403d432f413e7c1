"""What was announced to the reader, and what they and their roles are told of: the reads behind the pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import QueryDict

from approvals import governed, roles
from approvals.announcements import reading, subscribing
from approvals.announcements.models import Announcement, Subscription
from approvals.announcements.subscribing import Wanted
from approvals.announcements.words import in_words, names_in
from approvals.portal.facets import Choice, Facet, facets
from foundation.errors import InvalidInput
from foundation.identity.models import User

ROWS_PER_PAGE = 25
_SCOPES = {"account_id": "accounts", "product_id": "products"}
# What the form offers besides accounts and products: the texts of these facts, each of which has a few.
_CHOSEN = (("aspects_touched", "What changes"), ("phase", "Phase"), ("risk", "Risk"))
_LOSING = {"field": "people_losing_access", "operator": "more_than", "value": 0}


@dataclass(frozen=True)
class ShownAnnouncement:
    """An announcement as its row shows it."""

    announcement: Announcement
    overdue: bool
    read: bool


@dataclass(frozen=True)
class Listing:
    """A page of announcements; `lead` says in words what is left to read."""

    page: Page[Announcement]
    rows: Sequence[ShownAnnouncement]
    lead: str
    everything: bool


@dataclass(frozen=True)
class ShownSubscription:
    """A subscription in words, whether it reaches the reader, and what the reader can do with it."""

    row: Subscription
    whom: str
    words: str
    follows: bool
    holds: bool
    may_change: bool

    @property
    def must(self) -> bool:
        """Whether the reader can't leave it."""
        return self.holds and self.row.acknowledge_hours is not None


@dataclass(frozen=True)
class Choices:
    """One fact of which the form offers the texts."""

    name: str
    label: str
    texts: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True)
class ShownFacet:
    """Accounts or products that the form offers, with what was chosen."""

    facet: Facet
    choices: Sequence[tuple[Choice, bool]]


@dataclass(frozen=True)
class Subscriptions:
    """Everything on the page of subscriptions, with what was typed and refused."""

    own: Sequence[ShownSubscription]
    shared: Sequence[ShownSubscription]
    facets: Sequence[ShownFacet]
    choices: Sequence[Choices]
    roles: Sequence[tuple[str, str]]
    posted: Mapping[str, str]


def listing(*, user: User, parameters: Mapping[str, str], now: datetime) -> Listing:
    """A page of what was announced to the reader: what is not read, or everything, newest first."""
    everything = parameters.get("show") == "all"
    seen = Announcement.objects.visible_to(user)
    unread = seen.unread()
    found = reading.described(seen if everything else unread).order_by("-created_at", "id")
    page = Paginator(found, ROWS_PER_PAGE).get_page(parameters.get("page"))
    shown = [ShownAnnouncement(one, reading.is_overdue(one, now=now), hasattr(one, "acknowledgment")) for one in page]
    late = unread.filter(acknowledge_by__lte=now).count()
    return Listing(page, shown, _lead(unread.count(), late), everything)


def subscriptions(*, user: User, posted: QueryDict | None = None) -> Subscriptions:
    """The reader's subscriptions and those of roles."""
    rows = subscribing.visible_subscriptions(user)
    names = names_in(rows, user)
    held = set(user.groups.values_list("name", flat=True))
    shown = [_shown(row, user, held, in_words(subscription=row, names=names)) for row in rows]
    typed = posted or QueryDict()
    return Subscriptions(
        own=[one for one in shown if not one.row.role],
        # What reaches the reader comes first.
        shared=sorted((one for one in shown if one.row.role), key=lambda one: not one.follows),
        facets=[
            ShownFacet(facet, [(choice, str(choice[0]) == typed.get(facet.name)) for choice in facet.choices(user)])
            for facet in facets()
        ],
        choices=[_choices(name, label, typed) for name, label in _CHOSEN],
        roles=[(role.name, roles.words(role.name)) for role in roles.ROLES]
        if user.has_perm(roles.CONFIGURE_SUBSCRIPTIONS)
        else [],
        posted={name: str(typed.get(name, "")) for name in ("name", "role", "acknowledge_hours", "losing")},
    )


def wanted(posted: QueryDict) -> Wanted:
    """
    What the form asks for.

    :raises InvalidInput: if it gives hours that are no number
    """
    conditions: list[dict[str, Any]] = []
    for facet in facets():
        if chosen := posted.get(facet.name):
            conditions.append({"field": _SCOPES[facet.column], "operator": "any_of", "value": [chosen]})
    for name, _label in _CHOSEN:
        if texts := [text for text in posted.getlist(name) if text]:
            conditions.append({"field": name, "operator": "any_of", "value": texts})
    if posted.get("losing"):
        conditions.append(dict(_LOSING))
    hours = posted.get("acknowledge_hours", "").strip()
    if hours and not (hours.isascii() and hours.isdecimal() and len(hours) < 6):
        raise InvalidInput("Give the hours as a whole number, or leave them empty.")
    return Wanted(posted.get("name", ""), conditions, int(hours) if hours else None)


def _shown(row: Subscription, user: User, held: set[str], words: str) -> ShownSubscription:
    return ShownSubscription(
        row=row,
        whom=roles.words(row.role),
        words=words,
        follows=subscribing.follows_now(user=user, subscription=row),
        holds=row.role in held,
        may_change=subscribing.may_change(user=user, subscription=row),
    )


def _choices(name: str, label: str, typed: QueryDict) -> Choices:
    texts = {text for facts in governed.declared_facts().values() if name in facts for text in facts[name].choices}
    chosen = typed.getlist(name)
    return Choices(name, label, [(text, text.replace("_", " "), text in chosen) for text in sorted(texts)])


def _lead(unread: int, late: int) -> str:
    if not unread:
        return "You have read everything that was announced to you."
    told = f"{unread} applied {'change' if unread == 1 else 'changes'} that you have not read"
    return f"{told}; {late} of them should have been read by now." if late else f"{told}."
