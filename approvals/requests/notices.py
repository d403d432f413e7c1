"""Mail that change control sends by way of the outbox: to reviewers when asked, to authors when answered."""

from datetime import datetime
from typing import Any

from django.conf import settings

from approvals.authority.models import Delegation
from approvals.requests import permissions
from approvals.requests.models import ChangeRequest, Revision, Stage
from foundation.identity.models import User
from foundation.mail import services as mail


def tell_reviewers(*, change_request: ChangeRequest, revision: Revision, stage: Stage, now: datetime) -> None:
    """
    Ask everybody who may decide on the open stage, with a link to the page.

    So are those who decide for one of them by a delegation in force. Who wrote a revision, or may not see all that the
    request touches, is not asked.
    """
    reviewers = [
        user
        for user in stage.deciders().order_by("id")
        if permissions.may_review(user=user, change_request=change_request, stage=stage)
    ]
    given = Delegation.objects.in_force_at(now).filter(delegator_id__in=[user.id for user in reviewers])
    deputies = [
        row.delegate
        for row in given.select_related("delegate", "delegator").order_by("id")
        if row.covers(stage.role_of(row.delegator) or "")
        and permissions.may_stand_in(user=row.delegate, change_request=change_request)
    ]
    why = "; ".join(stage.reasons)
    mail.send(
        recipients=list(dict.fromkeys(user.id for user in (*reviewers, *deputies))),
        subject=f"Change {change_request.number} waits for {stage.whom}: {change_request.title}",
        text=f"{revision.plan['summary']}\n\nYou are asked because {why}.\n\n{_address(change_request, '#decide')}\n"
        f"{_changed(revision)}",
        now=now,
        key=f"review:{revision.id}:{stage.position}",
    )


def tell_deciders(
    *, change_request: ChangeRequest, former: Revision, revision: Revision, author: User, now: datetime
) -> None:
    """Tell those whose decision on the former revision counts no longer, with a link to what changed."""
    decisions = former.decisions.select_related("decider").order_by("decided_at", "id")
    deciders = [
        decision.decider
        for decision in decisions
        if decision.decider.human_id != author.human_id
        and permissions.sees(user=decision.decider, change_request=change_request)
    ]
    link = f"{_address(change_request)}revisions/?from={former.number}&to={revision.number}"
    mail.send(
        recipients=[user.id for user in deciders],
        subject=f"Change {change_request.number} was edited: {change_request.title}",
        text=f"{author} wrote revision {revision.number}. What you said of revision {former.number} is kept, but it "
        f"counts no longer; once the change is in review you can decide again.\n\nWhat changed:\n{link}\n",
        now=now,
        key=f"edited:{revision.id}",
    )


def tell_author(
    *,
    change_request: ChangeRequest,
    what: str,
    actor: User | None,
    now: datetime,
    comment: str = "",
    more: str = "",
) -> None:
    """Tell the author what became of the request, unless the author did it; `more` is a sentence or some."""
    author = change_request.created_by
    if author is None or (actor is not None and actor.human_id == author.human_id):
        return
    told = f"Change {change_request.number} {what}. {more}".rstrip()
    said = f"\n\n{actor or 'The system'} wrote:\n{comment.strip()}" if comment.strip() else ""
    mail.send(
        recipients=[author.id],
        subject=f"Change {change_request.number} {what}: {change_request.title}",
        text=f"{told}{said}\n\n{_address(change_request, '#decisions' if said else '')}\n",
        now=now,
    )


def _changed(revision: Revision) -> str:
    """The link to what changed since earlier revisions, if there are any."""
    if revision.number == 1:
        return ""
    return f"\nWhat changed since an earlier revision:\n{_address(revision.change_request)}revisions/\n"


def _address(change_request: ChangeRequest, section: str = "") -> str:
    """The page of a request, at one of its sections."""
    base: Any = settings.PUBLIC_URL
    return f"{base}/changes/{change_request.number}/{section}"
