"""Deciding on entries, giving them to somebody else, closing a campaign."""

import hashlib
import uuid
from datetime import datetime

from django.db import transaction

from audit import events
from audit.access.port import source_of
from audit.reviews import permissions, recording
from audit.reviews.errors import (
    EntryDecided,
    NoReviewer,
    NotRevoked,
    NotTheReviewer,
    ReviewClosed,
    ReviewUndecided,
)
from audit.reviews.models import LONGEST_REASON, AccessReview, ReviewDecision, ReviewEntry
from audit.reviews.opening import owner_of
from foundation.errors import DomainError, InvalidInput, NotFound
from foundation.identity.models import User
from foundation.identity.naming import mention

Verdict = ReviewDecision.Verdict


@transaction.atomic
def decide(
    *, review_id: uuid.UUID, entry_id: uuid.UUID, user: User, verdict: str, reason: str, now: datetime
) -> ReviewDecision:
    """
    Keep a right, or take it back in this transaction.

    :raises NotFound: if there is no such entry that the user may see
    :raises NotTheReviewer: if somebody else looks at it, or it serves the user
    :raises ReviewClosed: if the campaign is closed
    :raises EntryDecided: if it was decided before
    :raises InvalidInput: if the verdict is none, or there is no reason
    :raises NotRevoked: if it can't be taken back; then nothing is decided

    Source: docs/access-review.md
    """
    review = _locked(review_id, user)
    entry = _entry(review, entry_id, user)
    if entry.reviewer_human_id != user.human_id or user.human_id in entry.humans:
        raise NotTheReviewer("Somebody else reviews this right. Nobody reviews what they have themselves.")
    _check_open(review)
    if ReviewDecision.objects.filter(entry=entry).exists():
        raise EntryDecided("This right was decided on already. What was decided stays.")
    if verdict not in Verdict.values:
        raise _refused("verdict", f"Say one of {', '.join(Verdict.values)}.")
    why = _checked(reason)
    was_there = _taken_back(entry, user, now) if verdict == Verdict.REVOKE else None
    decision = ReviewDecision.objects.create(
        entry=entry,
        verdict=verdict,
        reason=why,
        was_there=was_there,
        decided_by=user,
        decided_human_id=user.human_id,
        decided_at=now,
    )
    recording.record_review(
        events.ENTRY_REVOKED if verdict == Verdict.REVOKE else events.ENTRY_KEPT,
        review,
        user,
        now,
        entry=entry.position,
        entry_id=str(entry.id),
        right=entry.source,
        holder=mention(entry.holder) if entry.holder else f"everybody of the role {entry.role}",
        done="" if was_there is None else ("taken back" if was_there else "gone already"),
        reason_digest=hashlib.sha256(why.encode()).hexdigest(),
    )
    return decision


@transaction.atomic
def assign(*, review_id: uuid.UUID, entry_id: uuid.UUID, user: User, login: str, now: datetime) -> ReviewEntry:
    """
    Give an entry that is not decided to another reviewer.

    :raises NotFound: if there is no such entry
    :raises NotPermitted: if the user does not open campaigns
    :raises ReviewClosed: if the campaign is closed
    :raises EntryDecided: if it is decided
    :raises InvalidInput: if nobody active signs in so
    :raises NoReviewer: if the right serves them, or they may not see what it is about
    """
    permissions.check_may_open(user)
    review = _locked(review_id, user)
    entry = _entry(review, entry_id, user)
    _check_open(review)
    if ReviewDecision.objects.filter(entry=entry).exists():
        raise EntryDecided("This right was decided on already, so nobody else reviews it.")
    owner = owner_of(login, user=user)
    if not owner.may_review(humans=entry.humans, target_id=entry.target_id):
        raise NoReviewer("They have this right themselves, under some login, or may not see what it is about.")
    if owner.login_id != entry.reviewer_id:
        entry.reviewer_id, entry.reviewer_human_id = owner.login_id, owner.human_id
        entry.save(update_fields=["reviewer", "reviewer_human_id"])
        recording.record_review(
            events.ENTRY_ASSIGNED, review, user, now, entry=entry.position, reviewer=f"user {owner.login_id}"
        )
    return entry


@transaction.atomic
def close(*, review_id: uuid.UUID, user: User, now: datetime) -> AccessReview:
    """
    Close a campaign in which everything is decided.

    :raises NotFound: if there is none
    :raises NotPermitted: if the user does not open campaigns
    :raises ReviewClosed: if it is closed
    :raises ReviewUndecided: while something is not decided
    """
    permissions.check_may_open(user)
    review = _locked(review_id, user)
    _check_open(review)
    left = review.entries.undecided().count()
    if left:
        raise ReviewUndecided(f"{left:,} rights are not decided yet. Ask their reviewers, or give them to others.")
    review.closed_at, review.closed_by = now, user
    review.save(update_fields=["closed_at", "closed_by"])
    decided = ReviewDecision.objects.filter(entry__review=review)
    recording.record_review(
        events.REVIEW_CLOSED,
        review,
        user,
        now,
        kept=decided.filter(verdict=Verdict.KEEP).count(),
        revoked=decided.filter(verdict=Verdict.REVOKE).count(),
    )
    return review


def _taken_back(entry: ReviewEntry, user: User, now: datetime) -> bool:
    """Take the right back by the app that owns it; what it raises undoes the whole decision."""
    try:
        return source_of(entry.source).revoke(key=entry.key, actor=user, now=now)
    except DomainError as refusal:
        raise NotRevoked(f"It could not be taken back, so nothing was decided: {refusal.message}") from refusal
    except LookupError as error:
        raise NotRevoked(
            "It could not be taken back, so nothing was decided: nobody knows this sort of right."
        ) from error


def _locked(review_id: uuid.UUID, user: User) -> AccessReview:
    permissions.visible_review(user=user, review_id=review_id)
    return AccessReview.objects.select_for_update().get(id=review_id)


def _entry(review: AccessReview, entry_id: uuid.UUID, user: User) -> ReviewEntry:
    found = ReviewEntry.objects.filter(review=review, id=entry_id)
    if not permissions.may_open(user):
        found = found.of_reviewer(user)
    entry = found.select_for_update(of=("self",)).select_related("holder").first()
    if entry is None:
        raise NotFound("There is no such entry in this review, or it is not yours.")
    return entry


def _check_open(review: AccessReview) -> None:
    if review.closed_at is not None:
        raise ReviewClosed("This access review is closed. Open another one.")


def _checked(reason: str) -> str:
    why = " ".join(reason.split())
    if not why or len(why) > LONGEST_REASON or not why.isprintable():
        raise _refused("reason", f"Say in at most {LONGEST_REASON} characters why.")
    return why


def _refused(name: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors=[{"field": name, "message": sentence}])
