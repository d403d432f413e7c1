"""Saved filters; what a reader opened; approving several requests that were opened, each on its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from django.db import transaction
from django.utils.text import slugify

from approvals.requests import permissions, review
from approvals.requests.models import ChangeRequest, Revision
from approvals.worklists.models import Opened, SavedFilter
from foundation.errors import Conflict, DomainError, InvalidInput, NotFound
from foundation.identity.models import User

MOST_FILTERS = 50
MOST_AT_ONCE = 50
LONGEST_QUERY = 2_000
LONGEST_COMMENT = 1_000
# What is not part of a filter.
LEFT_OUT = frozenset({"page", "filter"})


class NotOpened(Conflict):
    """The reader has not seen this revision."""

    code = "not_opened"
    title = "You have not opened this revision"


@dataclass(frozen=True)
class Chosen:
    """A request that was ticked, and the digest that was beside it."""

    number: int
    digest: str


@dataclass(frozen=True)
class Outcome:
    """What became of one of several requests: approved, or why not."""

    number: int
    title: str
    approved: bool
    told: str


@transaction.atomic
def save(*, owner: User, name: str, parameters: Mapping[str, str], role: str, now: datetime) -> SavedFilter:
    """
    Keep a filter under a name; the same name of the same owner is replaced, and keeps its address.

    :raises InvalidInput: if it has no name, filters nothing, is too long, or is shared with a role of somebody else
    """
    said = " ".join(name.split())
    query = urlencode(sorted((key, value) for key, value in parameters.items() if value and key not in LEFT_OUT))
    if not said or len(said) > 100 or "\x00" in said:
        raise InvalidInput("Give the filter a name of at most 100 characters.")
    if not query or len(query) > LONGEST_QUERY or "%00" in query:
        raise InvalidInput("Choose what to filter by, then save it.")
    if role and not owner.groups.filter(name=role).exists():
        raise InvalidInput("A filter is shared with a role that you have.")
    known = SavedFilter.objects.select_for_update().filter(owner=owner)
    former = known.filter(name=said).first()
    if former is not None:
        former.query, former.role = query, role
        former.save(update_fields=["query", "role"])
        return former
    if known.count() >= MOST_FILTERS:
        raise InvalidInput(f"You have {MOST_FILTERS} filters. Remove one that you do not use.")
    return SavedFilter.objects.create(
        owner=owner, name=said, slug=_free_slug(said), query=query, role=role, created_at=now
    )


def _free_slug(name: str) -> str:
    base = slugify(name)[:100] or "filter"
    taken = set(SavedFilter.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


@transaction.atomic
def remove(*, owner: User, slug: str) -> str:
    """
    Remove one of the owner's filters and return its name.

    :raises NotFound: if the owner has none of this address
    """
    found = SavedFilter.objects.select_for_update().filter(owner=owner, slug=slug).first()
    if found is None:
        raise NotFound("You have no such filter.")
    found.delete()
    return found.name


def resolved(*, user: User, parameters: Mapping[str, str]) -> dict[str, str]:
    """
    The parameters with those of the saved filter that they name; what is given besides comes first.

    :raises NotFound: if there is no such filter, or it is not shared with the user
    """
    given = {name: value for name, value in parameters.items() if name != "filter"}
    slug = parameters.get("filter", "").strip()
    if not slug:
        return given
    found = SavedFilter.objects.usable_by(user).filter(slug=slug).first()
    if found is None:
        raise NotFound("There is no such filter, or it is not shared with you.")
    return dict(parse_qsl(found.query)) | given


def note_opened(*, reader: User, revision: Revision, now: datetime) -> None:
    """Keep that a reader was shown a revision; the first time counts."""
    Opened.objects.bulk_create([Opened(reader=reader, revision=revision, opened_at=now)], ignore_conflicts=True)


def approve_opened(*, reviewer: User, chosen: Sequence[Chosen], comment: str, now: datetime) -> list[Outcome]:
    """
    Approve several requests that the reviewer opened at their current digest, each in a transaction of its own.

    What is refused is told beside what is approved; nothing is rolled back for it.

    :raises InvalidInput: if none or too many are chosen, or the comment cannot be kept
    """
    if not chosen or len(chosen) > MOST_AT_ONCE:
        raise InvalidInput(f"Choose one to {MOST_AT_ONCE} changes that you have opened.")
    if len(comment) > LONGEST_COMMENT or "\x00" in comment:
        raise InvalidInput(f"Write a comment of at most {LONGEST_COMMENT:,} characters, without control characters.")
    return [_approved(reviewer, one, comment, now) for one in dict.fromkeys(chosen)]


def _approved(reviewer: User, one: Chosen, comment: str, now: datetime) -> Outcome:
    title = ""
    try:
        key = ChangeRequest.objects.filter(number=one.number).values_list("id", flat=True).first()
        if key is None:
            raise NotFound("There is no such change request, or it touches what is not granted to you.")
        request = permissions.visible_request(user=reviewer, change_request_id=key)
        title = request.title
        if not Opened.objects.filter(
            reader=reviewer, revision__change_request=request, revision__digest=one.digest
        ).exists():
            raise NotOpened("You have not opened this revision. Open it, read it, and decide then.")
        review.approve(change_request_id=key, digest=one.digest, reviewer=reviewer, now=now, comment=comment)
    except DomainError as refusal:
        return Outcome(one.number, title, False, refusal.message)
    return Outcome(one.number, title, True, "Your approval is recorded.")
