"""Campaigns as people and programs read them: how far they are, their entries, what was granted again; as evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, Q, QuerySet

from audit.access.population import Population
from audit.access.port import REGISTRY
from audit.reads.collecting import gave_export
from audit.reviews import permissions
from audit.reviews.models import AccessReview, AccessReviewQuerySet, ReviewDecision, ReviewEntry
from audit.reviews.rules import is_overdue
from foundation.identity.models import User
from foundation.identity.naming import mentioned, named, names_of
from foundation.web.spreadsheets import lines

HEAD = (
    "Entry", "Login", "Name", "Role", "Sort of right", "Right", "On", "Ended or ends", "Last used", "Reviewer",
    "Decision", "Why", "Decided at", "Decided by", "Done", "Granted again",
)  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """A campaign and how far it is."""

    review: AccessReview
    count: int
    decided: int
    revoked: int
    is_overdue: bool

    @property
    def state(self) -> str:
        """In a word."""
        if self.review.closed_at is not None:
            return "Closed"
        return "Overdue" if self.is_overdue else "Open"

    @property
    def tone(self) -> str:
        """The tone of its badge."""
        return {"Closed": "success", "Overdue": "danger", "Open": "info"}[self.state]


@dataclass(frozen=True)
class ShownEntry:
    """An entry with what became of it; `again` if it was revoked and stands now."""

    entry: ReviewEntry
    words: str
    sort: str
    decision: ReviewDecision | None
    is_mine: bool
    again: bool


def progress(reviews: AccessReviewQuerySet, *, now: datetime) -> list[Progress]:
    """How far campaigns are."""
    counted = reviews.annotate(
        count=Count("entries"),
        decided=Count("entries__decision"),
        revoked=Count("entries__decision", filter=Q(entries__decision__verdict="revoke")),
    )
    return [
        Progress(
            one,
            one.count,  # type: ignore[attr-defined]  # annotated above
            one.decided,  # type: ignore[attr-defined]
            one.revoked,  # type: ignore[attr-defined]
            is_overdue(due_at=one.due_at, closed_at=one.closed_at, now=now),
        )
        for one in counted.select_related("opened_by", "closed_by")
    ]


def entries_of(review: AccessReview, *, user: User) -> QuerySet[ReviewEntry]:
    """The entries of a campaign that a user may see, in order: all for whoever opens campaigns, else their own."""
    found = review.entries.all() if permissions.may_open(user) else review.entries.of_reviewer(user)
    return found.select_related("holder", "reviewer", "decision", "decision__decided_by").order_by("position")


def shown(entries: Sequence[ReviewEntry], *, user: User, now: datetime) -> list[ShownEntry]:
    """Entries with what became of them."""
    revoked = [one for one in entries if (said := _decision(one)) and said.verdict == "revoke"]
    names = names_of(mentioned(one.words for one in entries))
    standing = Population.read(now).by_name if revoked else {}
    return [
        ShownEntry(
            entry=one,
            words=named(one.words, names=names),
            sort=REGISTRY.sources[one.source].words if one.source in REGISTRY.sources else one.source,
            decision=_decision(one),
            is_mine=one.reviewer_human_id == user.human_id and user.human_id not in one.humans,
            again=one in revoked and (one.source, one.key) in standing,
        )
        for one in entries
    ]


def as_csv(*, review: AccessReview, user: User, now: datetime) -> Iterator[str]:
    """
    Every entry of a campaign with what became of it, as CSV; the export is noted.

    :raises NotPermitted: if the user does not open campaigns
    """
    permissions.check_may_open(user)
    gave_export(f"the access review “{review.name}”", "CSV", review=str(review.id))
    rows = shown(list(entries_of(review, user=user)), user=user, now=now)
    return lines(HEAD, (_cells(row) for row in rows))


def _cells(row: ShownEntry) -> tuple[object, ...]:
    entry, said = row.entry, row.decision
    done = "" if said is None or said.was_there is None else ("taken back" if said.was_there else "gone already")
    return (
        entry.position,
        entry.holder.get_username() if entry.holder else "",
        entry.holder.get_full_name() if entry.holder else f"everybody of {entry.role}",
        entry.role,
        row.sort,
        row.words,
        entry.target_words,
        _utc(entry.ends_at),
        _utc(entry.used_at),
        entry.reviewer,
        said.verdict if said else "",
        said.reason if said else "",
        _utc(said.decided_at) if said else "",
        said.decided_by if said else "",
        done,
        "yes" if row.again else "",
    )


def _decision(entry: ReviewEntry) -> ReviewDecision | None:
    return getattr(entry, "decision", None)


def _utc(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(UTC).isoformat()
