"""The page of delegations: those that the reader gave, those given to them, and giving one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from approvals.authority import services
from approvals.authority.models import Delegation, DelegationQuerySet
from approvals.policies.eligibility import DECIDING_ROLES
from approvals.requests.schedules import instant_said
from foundation.errors import DomainError, InvalidInput
from foundation.identity.models import User

SHOWN = 50


@dataclass(frozen=True)
class ShownDelegation:
    """A delegation with its state in a word, and whether it can be revoked."""

    delegation: Delegation
    state: str
    tone: str

    @property
    def is_open(self) -> bool:
        """Whether there is something to revoke."""
        return self.state in {"In force", "To come"}


@dataclass(frozen=True)
class Delegations:
    """Everything on the page; `why_not` says why the reader can't give any."""

    given: Sequence[ShownDelegation]
    received: Sequence[ShownDelegation]
    roles: Sequence[str]
    people: Sequence[User]
    why_not: str
    posted: Mapping[str, str]


def read(*, user: User, now: datetime, posted: Mapping[str, str] | None = None) -> Delegations:
    """The reader's delegations, newest first, with what was typed and refused."""
    why_not = ""
    try:
        services.check_may_delegate(user=user)
    except DomainError as refusal:
        why_not = refusal.message
    people = User.objects.filter(is_active=True, groups__name__in=DECIDING_ROLES).exclude(human_id=user.human_id)
    return Delegations(
        given=_shown(Delegation.objects.given_by(user), now),
        received=_shown(Delegation.objects.given_to(user), now),
        roles=services.deciding_roles(user),
        people=[] if why_not else list(people.distinct().order_by("last_name", "first_name", "username", "id")),
        why_not=why_not,
        posted=posted or {},
    )


def give(*, user: User, posted: Mapping[str, str], now: datetime) -> Delegation:
    """
    Give the delegation that the form asks for.

    :raises InvalidInput: if the form does not say to whom, or until when; else as services.delegate()
    """
    key = _key(posted.get("delegate", ""))
    delegate = User.objects.filter(id=key, is_active=True).first() if key else None
    if delegate is None:
        raise InvalidInput("Choose who shall decide for you.")
    starts_at = posted.get("starts_at", "").strip()
    return services.delegate(
        delegator=user,
        delegate=delegate,
        role=posted.get("role", ""),
        starts_at=_instant(starts_at, "starts_at") if starts_at else now,
        ends_at=_instant(posted.get("ends_at", ""), "ends_at"),
        reason=posted.get("reason", ""),
        now=now,
    )


def _shown(rows: DelegationQuerySet, now: datetime) -> list[ShownDelegation]:
    found = rows.select_related("delegator", "delegate").order_by("-created_at", "id")[:SHOWN]
    return [ShownDelegation(row, *_state(row, now)) for row in found]


def _state(row: Delegation, now: datetime) -> tuple[str, str]:
    if row.revoked_at is not None:
        return "Revoked", "danger"
    if not row.is_open_at(now):
        return "Over", "neutral"
    return ("In force", "success") if row.starts_at <= now else ("To come", "info")


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _instant(text: str, field: str) -> datetime:
    """A local time of the reader's zone, as the browser writes it."""
    return instant_said(text.strip(), zone=timezone.get_current_timezone_name(), field=field)
