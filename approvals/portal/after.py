"""“After application” on the page of a change: its criteria with what was seen of them, and what can be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.announcements import reading as announcements
from approvals.announcements.models import Announcement
from approvals.announcements.reading import Reach
from approvals.portal.actions import refusal
from approvals.requests.models import ChangeRequest
from approvals.requests.services import current
from approvals.requests.states import DONE
from approvals.verification import acting_back, permissions, reads, rules
from approvals.verification.rules import Criterion
from foundation.identity.models import User


@dataclass(frozen=True)
class After:
    """What became of a change after its application, for one reader."""

    done: bool
    awaits: bool
    criteria: Sequence[Criterion]
    due_at: datetime | None
    overdue: bool
    why_not_verify: str
    reverted_by: ChangeRequest | None
    reverts: ChangeRequest | None
    filed: ChangeRequest | None
    announced: bool
    reach: Reach
    announcement: Announcement | None
    to_be_read: bool

    @property
    def met(self) -> int:
        """How many criteria are met."""
        return sum(one.state == "met" for one in self.criteria)


def read(*, change_request: ChangeRequest, user: User, now: datetime) -> After:
    """What became of a request that the reader sees."""
    revision = current(change_request)
    done = change_request.status in DONE and not change_request.system
    awaits = rules.awaits_verification(change_request)
    announcement = announcements.of_change(change_request=change_request, user=user) if done else None
    reach = announcements.reach(change_request) if done else Reach(0, 0)
    return After(
        done=done,
        awaits=awaits,
        criteria=rules.criteria(change_request=change_request, revision=revision) if done else (),
        due_at=reads.due_at(change_request),
        overdue=reads.is_overdue(change_request, now=now),
        why_not_verify=refusal(
            lambda: permissions.check_may_verify(user=user, change_request=change_request),
            lambda: rules.check_awaits(change_request=change_request),
        ),
        reverted_by=change_request.inverses.filter(status__in=DONE).order_by("number").first() if done else None,
        reverts=change_request.reverts,
        filed=acting_back.open_inverse(change_request) if awaits else None,
        announced=bool(reach.count),
        reach=reach,
        announcement=announcement,
        to_be_read=announcement is not None and announcements.is_overdue(announcement, now=now),
    )
