"""The revisions of a request, round by round: who decided what on each, and what changed from one to another."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from approvals import governed
from approvals.requests import given_out
from approvals.requests.differences import Difference, between
from approvals.requests.models import ChangeRequest, Decision, Revision
from approvals.requests.services import current
from foundation.errors import NotFound
from foundation.identity.models import User


@dataclass(frozen=True)
class Round:
    """One revision, without its document, and the decisions on it."""

    revision: Revision
    decisions: Sequence[Decision]
    current: bool


def rounds_of(change_request: ChangeRequest) -> list[Round]:
    """All revisions of a request, the latest first."""
    decisions: dict[object, list[Decision]] = {}
    for decision in (
        Decision.objects.filter(revision__change_request=change_request)
        .select_related("decider", "stage", "on_behalf_of__delegator")
        .order_by("decided_at", "id")
    ):
        decisions.setdefault(decision.revision_id, []).append(decision)
    return [
        Round(revision, decisions.get(revision.id, ()), revision.id == change_request.current_revision_id)
        for revision in change_request.revisions.select_related("author")
        .defer("content", "document")
        .order_by("-number")
    ]


def number_to_compare(*, change_request: ChangeRequest, user: User) -> int:
    """
    The revision that a reader would compare with the current one: the latest earlier one on which they decided or on
    which changes were asked; else the one before.
    """
    latest = current(change_request).number
    decided = (
        Decision.objects.filter(revision__change_request=change_request, revision__number__lt=latest)
        .filter(Q(decider_human_id=user.human_id) | Q(verdict=Decision.Verdict.ASK_FOR_CHANGES))
        .order_by("-revision__number")
        .values_list("revision__number", flat=True)
        .first()
    )
    return decided or max(latest - 1, 1)


def difference(*, change_request: ChangeRequest, older: int, newer: int) -> Difference:
    """
    What changed from one revision of a request to another; whoever calls has asked whether the reader sees it.

    :raises NotFound: if the request has no revision of one of the numbers
    """
    documents = {
        revision.number: revision.document
        for revision in change_request.revisions.filter(number__in=[older, newer]).defer("content")
    }
    given_out.note(change_request, *documents.values())
    missing = [number for number in (older, newer) if number not in documents]
    if missing:
        raise NotFound(f"Change {change_request.number} has no revision {missing[0]}.")
    old, new = documents[older], documents[newer]
    lines = governed.presenter().lines
    return between(
        old=old,
        new=new,
        old_lines=lines(document=old["plan"]["document"]),
        new_lines=lines(document=new["plan"]["document"]),
    )
