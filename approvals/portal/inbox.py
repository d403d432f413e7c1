"""What waits for whom: the reads behind "My work", the list of changes and the counts in the navigation."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from approvals import roles
from approvals.announcements.reading import unread_count
from approvals.permits.queries import awaiting_review_of
from approvals.portal import waits
from approvals.portal.facets import Choice, Facet, facets
from approvals.reminders.waiting import DECIDE, Waiting, waiting_for
from approvals.requests.awaiting import awaiting_decision_of
from approvals.requests.models import ChangeRequest, ChangeRequestQuerySet, Item, ItemScope
from approvals.requests.states import DONE, RETURNED, Status
from approvals.verification.reads import awaiting_verification, is_overdue
from approvals.worklists import services as worklists
from approvals.worklists.models import Opened, SavedFilter
from foundation.identity.models import User

ROWS_PER_PAGE = 25
RECENT = 8
_RETURNED_FIRST = Case(When(status__in=sorted(RETURNED), then=0), default=1)
PLAN = KeyTransform("plan", F("current_revision__document"))


@dataclass(frozen=True)
class Counts:
    """The numbers in the navigation."""

    awaiting: int
    mine: int
    unread: int


@dataclass(frozen=True)
class Section:
    """One list of "My work": its rows (at most a page of them), how many there are, and where all of them are."""

    name: str
    title: str
    rows: Sequence[ChangeRequest]
    count: int
    empty: str
    query: str
    folded: bool = False

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.rows)


@dataclass(frozen=True)
class Work:
    """Everything on "My work"; `lead` says in words what matters."""

    lead: str
    urgent: bool
    sections: Sequence[Section]
    may_propose: bool


@dataclass(frozen=True)
class ShownFacet:
    """A filter with what is chosen."""

    facet: Facet
    chosen: str
    choices: Sequence[Choice]


@dataclass(frozen=True)
class Listing:
    """A page of changes, with the filters in force."""

    page: Page[ChangeRequest]
    lead: str
    status: str
    text: str
    whose: str
    facets: Sequence[ShownFacet]
    statuses: Sequence[tuple[str, str]]
    query: str
    saved: Sequence[SavedFilter]
    chosen: str
    roles: Sequence[str]
    deciding: bool

    @property
    def opened(self) -> int:
        """How many rows of this page the reader has opened at their current revision."""
        return sum(1 for row in self.page if getattr(row, "opened", False))


def visible(user: User) -> ChangeRequestQuerySet:
    """The requests that a user may see; none without the right to read requests."""
    if not user.is_active or not user.has_perm(roles.VIEW_REQUESTS):
        return ChangeRequest.objects.none()
    return ChangeRequest.objects.visible_to(user)


def counts(user: User, now: datetime) -> Counts:
    """How many changes wait for a user's decision, how many of their own are open, how many announcements unread."""
    seen = visible(user)
    return Counts(
        awaiting=_awaiting(seen, user, now).count(),
        mine=seen.written_by(user).open().count(),
        unread=unread_count(user),
    )


def work(*, user: User, now: datetime) -> Work:
    """Everything that waits for a user, and what became of their own requests."""
    seen = visible(user)
    decisions = [one for one in waiting_for(user, now) if one.what == DECIDE]
    snoozed = [one for one in decisions if one.snoozed(now)]
    sections = [
        _waiting_section(
            "awaiting",
            "Awaiting your decision",
            [one for one in decisions if not one.snoozed(now)],
            "Nothing waits for your decision. When a stage asks you or whom you decide for, the change appears here.",
            now,
        )
    ]
    if snoozed:
        sections.append(_waiting_section("snoozed", "Put off by you", snoozed, "", now, folded=True))
    if user.has_perm(roles.APPLY):
        sections.append(
            _section(
                "to-apply",
                "Approved, to be applied",
                seen.filter(status=Status.APPROVED).order_by("approved_at", "number"),
                "No approved change waits to be applied.",
                "status=approved",
            )
        )
    sections.append(
        _section(
            "mine",
            "Your open requests",
            seen.written_by(user).open().order_by(_RETURNED_FIRST, "status", "-created_at", "-number"),
            "You have no open request. Propose one from an entitlement's page, the admin, or an import.",
            "whose=mine",
        )
    )
    if user.has_perm(roles.DECIDE) or user.has_perm(roles.APPLY):
        sections.append(
            _section(
                "to-verify",
                "Applied, to be verified",
                awaiting_verification(seen, user=user).order_by("applied_at", "number"),
                "No applied change waits for you to verify it.",
                "whose=to-verify",
            )
        )
    applied = seen.filter(status__in=DONE, system=False).order_by("-applied_at", "-number")
    sections.append(
        _section("applied", "Recently applied", applied, "No change has been applied yet.", "status=done", most=RECENT)
    )
    overdue = sum(one.overdue(now) for one in decisions)
    emergencies = len(awaiting_review_of(user=user, now=now))
    lead, urgent = _lead(sections, overdue, emergencies, now)
    return Work(lead, urgent, sections, user.has_perm(roles.PROPOSE))


def matching(
    *, user: User, parameters: Mapping[str, str], now: datetime
) -> tuple[ChangeRequestQuerySet, Sequence[ShownFacet]]:
    """The changes that a user may see, filtered by status, whose, text, and the registered facets; newest first."""
    seen = visible(user)
    status, text, whose = (parameters.get(name, "").strip() for name in ("status", "text", "whose"))
    if whose == "awaiting":
        seen = _awaiting(seen, user, now)
    elif whose == "to-verify":
        seen = awaiting_verification(seen, user=user)
    elif whose == "mine":
        seen = seen.written_by(user)
    if status == "open":
        seen = seen.open()
    elif status == "done":
        seen = seen.filter(status__in=DONE)
    elif status in Status.values:
        seen = seen.filter(status=status)
    if text:
        seen = _matching(seen, text)
    shown = []
    for facet in facets():
        chosen = parameters.get(facet.name, "").strip()
        seen = _touching(seen, facet, chosen) if chosen else seen
        shown.append(ShownFacet(facet, chosen, facet.choices(user)))
    return seen.order_by("-created_at", "-number"), shown


def listing(*, user: User, parameters: Mapping[str, str], now: datetime) -> Listing:
    """
    A page of the changes that match, with what the reader has opened of them.

    :raises NotFound: if a saved filter is named that the user has not
    """
    filtered = worklists.resolved(user=user, parameters=parameters)
    seen, shown = matching(user=user, parameters=filtered, now=now)
    opened = Opened.objects.filter(reader=user, revision=OuterRef("current_revision"))
    paginator = Paginator(described(seen).annotate(opened=Exists(opened)), ROWS_PER_PAGE)
    page = paginator.get_page(parameters.get("page"))
    statuses = [
        ("open", "Open"),
        ("done", "Applied, and what became of it"),
        *((value, label) for value, label in Status.choices if value != Status.APPLYING),
    ]
    query = {name: value for name, value in filtered.items() if name != "page" and value}
    status, text, whose = (filtered.get(name, "").strip() for name in ("status", "text", "whose"))
    return Listing(
        page=page,
        lead=_said(paginator.count, query),
        status=status,
        text=text,
        whose=whose,
        facets=shown,
        statuses=statuses,
        query=urlencode(query),
        saved=list(SavedFilter.objects.usable_by(user).select_related("owner").order_by("name", "id")),
        chosen=parameters.get("filter", "").strip(),
        roles=list(user.groups.order_by("name").values_list("name", flat=True)),
        deciding=whose == "awaiting" and user.has_perm(roles.DECIDE),
    )


def _awaiting(seen: ChangeRequestQuerySet, user: User, now: datetime) -> ChangeRequestQuerySet:
    return awaiting_decision_of(seen, user=user, now=now)


def described(requests: ChangeRequestQuerySet) -> ChangeRequestQuerySet:
    """With the plan's first line and warning, taken out of the document in the database: documents can be large."""
    return requests.select_related("created_by").annotate(
        summary=KeyTextTransform("summary", KeyTransform("document", PLAN)),
        interruption=KeyTextTransform("interruption", KeyTransform("document", PLAN)),
        new_gaps=Cast(KeyTextTransform("new_gaps", PLAN), BooleanField()),
        digest=F("current_revision__digest"),
    )


def _section(
    name: str, title: str, requests: ChangeRequestQuerySet, empty: str, query: str, most: int = ROWS_PER_PAGE
) -> Section:
    rows = list(described(requests)[: most + 1])
    count = len(rows) if len(rows) <= most else requests.count()
    return Section(name, title, rows[:most], count, empty, query)


def _waiting_section(
    name: str, title: str, waiting: Sequence[Waiting], empty: str, now: datetime, folded: bool = False
) -> Section:
    """What waits, what is due first, each with its due instant and how it can be put off."""
    shown = {one.change_request.id: waits.shown(one, now=now) for one in waiting[:ROWS_PER_PAGE]}
    rows = {row.id: row for row in described(ChangeRequest.objects.filter(id__in=list(shown)))}
    for key, row in rows.items():
        row.waiting = shown[key]  # type: ignore[attr-defined]  # for the template, beside the annotations
    return Section(name, title, [rows[key] for key in shown], len(waiting), empty, "whose=awaiting", folded)


def _lead(sections: Sequence[Section], overdue: int, emergencies: int, now: datetime) -> tuple[str, bool]:
    by_name = {section.name: section for section in sections}
    awaiting, to_apply = by_name["awaiting"], by_name.get("to-apply")
    mine = by_name["mine"]
    said = []
    harmful = [row for row in awaiting.rows if _would_interrupt(row)]
    if awaiting.count:
        text = f"{_number(awaiting.count, 'change waits', 'changes wait')} for your decision"
        if harmful and awaiting.count == 1:
            text += ", and it would interrupt somebody’s access"
        elif harmful:
            text += f"; {len(harmful)} of them would interrupt somebody’s access"
        said.append(text)
    for count, one, many in (
        (overdue, "decision is overdue", "decisions are overdue"),
        (emergencies, "emergency waits for your review", "emergencies wait for your review"),
    ):
        if count:
            said.append(_number(count, one, many))
    if to_apply and to_apply.count:
        said.append(f"{_number(to_apply.count, 'approved change waits', 'approved changes wait')} to be applied")
    if (to_verify := by_name.get("to-verify")) and to_verify.count:
        late = sum(is_overdue(row, now=now) for row in to_verify.rows)
        text = f"{_number(to_verify.count, 'applied change waits', 'applied changes wait')} to be verified"
        said.append(f"{text}, {late} of them overdue" if late else text)
    for status, one, many in (
        (Status.MISSED, "request of yours missed its window", "requests of yours missed their window"),
        (Status.FAILED, "request of yours failed when it was due", "requests of yours failed when they were due"),
        (
            Status.CHANGES_REQUESTED,
            "request of yours came back with questions",
            "requests of yours came back with questions",
        ),
    ):
        count = sum(row.status == status for row in mine.rows)
        if count:
            said.append(_number(count, one, many))
    return ("; ".join(said) or "Nothing waits for you") + ".", bool(harmful)


def _would_interrupt(row: ChangeRequest) -> bool:
    """Whether the plan of a described row warns of an interruption or opens a gap."""
    return bool(getattr(row, "interruption", None) or getattr(row, "new_gaps", False))


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _said(count: int, query: Mapping[str, str]) -> str:
    what = "change" if count == 1 else "changes"
    if query:
        return (
            f"{count} {what} {'matches' if count == 1 else 'match'} your filters."
            if count
            else ("No change matches your filters.")
        )
    return (
        f"{count} {what} that you may see, newest first." if count else "No change that you may see has been proposed."
    )


def _matching(requests: ChangeRequestQuerySet, text: str) -> ChangeRequestQuerySet:
    found = Q(title__icontains=text) | Q(
        Exists(Item.objects.filter(revision=OuterRef("current_revision"), label__icontains=text))
    )
    number = text.removeprefix("#")
    if number.isdecimal() and len(number) < 18:
        found |= Q(number=int(number))
    return requests.filter(found)


def _touching(requests: ChangeRequestQuerySet, facet: Facet, chosen: str) -> ChangeRequestQuerySet:
    try:
        key = uuid.UUID(chosen)
    except ValueError:
        return requests.none()
    touched = ItemScope.objects.filter(item__revision=OuterRef("current_revision"), **{facet.column: key})
    return requests.filter(Exists(touched))
