"""
The sweep that announces what was applied.

Note "Marked once": the mark of a change, its announcements and the event are one transaction, and the mark is unique. A
run that is killed leaves nothing, one that is repeated finds the mark, and a second worker waits at it and goes on.

Source: docs/announcements.md
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from approvals import events, governed, roles
from approvals.announcements.defaults import write_defaults
from approvals.announcements.models import AnnouncedChange, Announcement, Following, Subscription
from approvals.announcements.rules import Readable, Wish, acknowledge_by, matches, readable
from approvals.facts import RISK
from approvals.policies.conditions import Facts
from approvals.policies.eligibility import holders_of
from approvals.requests.models import ChangeRequest, ChangeRequestQuerySet, Revision
from approvals.requests.recording import record_step
from approvals.requests.services import current
from approvals.requests.states import DONE
from foundation.identity.models import User

logger = logging.getLogger(__name__)


@dataclass
class Audience:
    """Whom subscriptions reach, read once for a run: holders of roles, who follows or left what, owners."""

    subscriptions: Sequence[Subscription]
    followings: Mapping[UUID, Sequence[Following]]
    holders: dict[str, Sequence[User]] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "Audience":
        """Everybody as they are now."""
        rows = list(Subscription.objects.in_force().select_related("owner").order_by("role", "name", "id"))
        followings: dict[UUID, list[Following]] = {}
        of_rows = Following.objects.filter(subscription__in=[row.id for row in rows])
        for one in of_rows.select_related("person").order_by("id"):
            followings.setdefault(one.subscription_id, []).append(one)
        return cls(rows, followings)

    def of(self, subscription: Subscription) -> Iterable[tuple[User, Wish]]:
        """Whom a subscription reaches, each with why; only holders of its role are asked to acknowledge."""
        name = str(subscription)
        if subscription.owner is not None:
            yield subscription.owner, Wish(name, None)
            return
        said = {one.person_id: one for one in self.followings.get(subscription.id, ())}
        held = self._holders(subscription.role)
        for user in held:
            left = user.id in said and not said[user.id].follows
            # What a role has to acknowledge is not left, whenever somebody left it.
            if not left or subscription.acknowledge_hours is not None:
                yield user, Wish(name, subscription.acknowledge_hours)
        known = {user.id for user in held}
        for one in said.values():
            if one.follows and one.person_id not in known:
                yield one.person, Wish(name, None)

    def _holders(self, role: str) -> Sequence[User]:
        if role not in self.holders:
            self.holders[role] = list(holders_of(role).order_by("id"))
        return self.holders[role]


def unannounced() -> ChangeRequestQuerySet:
    """What people or the clock applied and nobody was told of yet, in the order in which it was applied."""
    marked = AnnouncedChange.objects.filter(change_request=OuterRef("pk"))
    found = ChangeRequest.objects.filter(~Exists(marked), status__in=DONE, system=False)
    return found.order_by("applied_at", "number")


def announce(*, now: datetime) -> int:
    """
    Announce every applied change that was not, each in a transaction of its own; how many there were.

    What one change meets stops no other.
    """
    write_defaults(now=now)
    waiting = list(unannounced().values_list("id", flat=True))
    audience = Audience.read() if waiting else None
    announced = 0
    for key in waiting:
        try:
            with transaction.atomic():
                announced += audience is not None and _announce(key, audience, now)
        except Exception:
            # One change may break in any way, and the others were applied all the same.
            logger.exception("Change %s was to be announced and broke; it is tried again at the next run.", key)
    return announced


def _announce(key: UUID, audience: Audience, now: datetime) -> bool:
    change_request = ChangeRequest.objects.get(id=key)
    mark = AnnouncedChange(change_request=change_request, announced_at=now)
    AnnouncedChange.objects.bulk_create([mark], ignore_conflicts=True)
    if not AnnouncedChange.objects.filter(id=mark.id).exists():
        return False
    revision = current(change_request)
    told, names = _told(change_request, facts_of(revision), audience)
    Announcement.objects.bulk_create(
        Announcement(
            change_request=change_request,
            human_id=reader.human_id,
            reader=reader,
            reasons=[wish.name for wish in wishes],
            acknowledge_by=acknowledge_by(wishes=wishes, now=now),
            created_at=now,
        )
        for reader, wishes in told
    )
    record_step(
        type=events.REQUEST_ANNOUNCED,
        change_request=change_request,
        actor=None,
        now=now,
        revision=revision,
        count=len(told),
        roles=names,
    )
    return True


def _told(
    change_request: ChangeRequest, facts: Sequence[Facts], audience: Audience
) -> tuple[list[tuple[User, list[Wish]]], list[str]]:
    """Each human who is told, at one login that sees the change, with why; and the roles whose subscriptions match."""
    change: Readable = readable(facts=facts, declared=governed.declared_facts())
    wishes: dict[UUID, list[Wish]] = {}
    logins: dict[UUID, dict[UUID, User]] = {}
    names: dict[str, None] = {}
    for subscription in audience.subscriptions:
        if not matches(conditions=subscription.conditions, change=change):
            continue
        if subscription.role:
            names[roles.words(subscription.role)] = None
        for user, wish in audience.of(subscription):
            if _may_see(user, change_request):
                logins.setdefault(user.human_id, {})[user.id] = user
                wishes.setdefault(user.human_id, []).append(wish)
    found = [
        (logins[human][min(logins[human])], list(dict.fromkeys(wishes[human]))) for human in sorted(wishes, key=str)
    ]
    return found, list(names)


def _may_see(user: User, change_request: ChangeRequest) -> bool:
    if not user.is_active or not user.has_perm(roles.VIEW_REQUESTS):
        return False
    return ChangeRequest.objects.filter(id=change_request.id).visible_to(user).exists()


def facts_of(revision: Revision) -> list[Facts]:
    """The facts of each item of a stored revision: its kind's, the plan's, and the risk of the whole."""
    document = revision.document
    plan, items = document["plan"], document["items"]
    added = plan.get("item_facts") or [{}] * len(items)
    risk = (document.get("risk") or {}).get("level")
    whole = (plan.get("facts") or {}) | ({RISK: risk} if risk else {})
    return [{**whole, **item["facts"], **more} for item, more in zip(items, added, strict=True)]
