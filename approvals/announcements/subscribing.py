"""Making, changing, ending, following and leaving subscriptions."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from approvals import events, governed, roles
from approvals.announcements.errors import MustBeRead, SubscriptionNameTaken
from approvals.announcements.models import GREATEST_HOURS, Following, Subscription
from approvals.announcements.recording import record_subscription
from approvals.announcements.rules import named_ids
from approvals.governed import Scope
from approvals.policies import conditions as policy_conditions
from approvals.policies.changes import Condition
from approvals.records.payloads import validated
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from foundation.integrity import refine_integrity_error

MOST_SUBSCRIPTIONS = 50
MOST_CONDITIONS = 20
MOST_VALUES = 200


@dataclass(frozen=True)
class Wanted:
    """What a subscription asks for; `acknowledge_hours` only of a role."""

    name: str
    conditions: Sequence[Mapping[str, Any]] = ()
    acknowledge_hours: int | None = None


def check_may_configure(*, user: User) -> None:
    """
    Refuse to set up what roles are told of.

    :raises NotPermitted: if the user may not
    """
    if not user.is_active or not user.has_perm(roles.CONFIGURE_SUBSCRIPTIONS):
        raise NotPermitted("Administrators set up what roles are told of. Ask one, or subscribe for yourself.")


def visible_subscriptions(user: User) -> list[Subscription]:
    """The user's own ones in force and those of roles, without any that names what the user may not see."""
    if not user.is_active or not user.has_perm(roles.VIEW_REQUESTS):
        return []
    rows = Subscription.objects.in_force().of_roles_or(user).order_by("role", "name", "id")
    return [row for row in rows if _sees(user, row.conditions)]


def visible_subscription(*, user: User, subscription_id: uuid.UUID) -> Subscription:
    """
    A subscription in force that the user may see.

    :raises NotFound: if there is none
    """
    found = [row for row in visible_subscriptions(user) if row.id == subscription_id]
    if not found:
        raise NotFound("There is no such subscription.")
    return found[0]


@transaction.atomic
def subscribe(*, user: User, wanted: Wanted, now: datetime, role: str = "") -> Subscription:
    """
    Make a subscription: the user's own, or one of a role.

    :raises NotPermitted: if the user may not read change requests, or not set up what roles are told of
    :raises NotFound: if it names an account or a product that the user may not see
    :raises InvalidInput: if its conditions could not be evaluated, or something else of it does not fit
    :raises SubscriptionNameTaken: if there is one of that name
    """
    if not user.is_active or not user.has_perm(roles.VIEW_REQUESTS):
        raise NotPermitted("You may not read change requests, so none is announced to you. Ask for a role.")
    if role:
        check_may_configure(user=user)
    if role and role not in roles.ROLE_NAMES:
        raise InvalidInput(f"There is no role {role}. Use one of: {', '.join(sorted(roles.ROLE_NAMES))}.")
    checked = _checked(user, wanted, role)
    # Whoever makes two at the same moment makes them one after the other.
    User.objects.select_for_update(no_key=True).get(id=user.id)
    own = Subscription.objects.in_force().filter(**({"role": role} if role else {"owner": user}))
    if own.count() >= MOST_SUBSCRIPTIONS:
        raise InvalidInput(f"There are {MOST_SUBSCRIPTIONS} already, which is the most. End one that is not needed.")
    row = Subscription(
        owner=None if role else user,
        role=role,
        name=checked.name,
        conditions=list(checked.conditions),
        acknowledge_hours=checked.acknowledge_hours,
        created_at=now,
    )
    _save(row)
    record_subscription(type=events.SUBSCRIPTION_MADE, subscription=row, actor=user, now=now)
    return row


@transaction.atomic
def change(*, subscription_id: uuid.UUID, user: User, wanted: Wanted, now: datetime) -> Subscription:
    """
    Change what a subscription asks for, from the next announcement on. The same again changes nothing.

    :raises NotFound: if there is none, or it names what the user may not see
    :raises NotPermitted: if it is of a role and the user may not set those up
    :raises InvalidInput: if its conditions could not be evaluated, or something else of it does not fit
    :raises SubscriptionNameTaken: if there is another of that name
    """
    row = _changeable(subscription_id, user)
    checked = _checked(user, wanted, row.role)
    fields = ("name", "conditions", "acknowledge_hours")
    before = {name: getattr(row, name) for name in fields}
    row.name, row.conditions = checked.name, list(checked.conditions)
    row.acknowledge_hours = checked.acknowledge_hours
    changed = [name for name in fields if getattr(row, name) != before[name]]
    if changed:
        _save(row)
        told = ", ".join(name.replace("_", " ") for name in changed)
        record_subscription(
            type=events.SUBSCRIPTION_CHANGED, subscription=row, actor=user, now=now, fields=told, before=before
        )
    return row


@transaction.atomic
def end(*, subscription_id: uuid.UUID, user: User, now: datetime) -> Subscription:
    """
    End a subscription: nothing more is announced by it. What was announced stays.

    :raises NotFound: if there is none, or it names what the user may not see
    :raises NotPermitted: if it is of a role and the user may not set those up
    """
    row = _changeable(subscription_id, user)
    row.ended_at = now
    row.save(update_fields=["ended_at"])
    record_subscription(type=events.SUBSCRIPTION_ENDED, subscription=row, actor=user, now=now)
    return row


@transaction.atomic
def follow(*, subscription_id: uuid.UUID, user: User, follows: bool, now: datetime) -> Subscription:
    """
    Follow a role's subscription, or leave it, whatever roles the user holds. The same again changes nothing.

    :raises NotFound: if there is none, or it names what the user may not see
    :raises InvalidInput: if it is of a person
    :raises MustBeRead: if the user would leave what a role of theirs has to acknowledge
    """
    visible_subscription(user=user, subscription_id=subscription_id)
    row = Subscription.objects.select_for_update().get(id=subscription_id)
    if not row.role:
        raise InvalidInput("This subscription is your own. Change it or end it instead.")
    holds = user.groups.filter(name=row.role).exists()
    if holds and not follows and row.acknowledge_hours is not None:
        raise MustBeRead(
            f"Everybody of {roles.words(row.role)} says that they have read what “{row.name}” announces, so nobody of "
            "them leaves it."
        )
    if follows == follows_now(user=user, subscription=row):
        return row
    Following.objects.update_or_create(subscription=row, person=user, defaults={"follows": follows})
    record_subscription(
        type=events.SUBSCRIPTION_FOLLOWED,
        subscription=row,
        actor=user,
        now=now,
        what="follows" if follows else "left",
    )
    return row


def follows_now(*, user: User, subscription: Subscription) -> bool:
    """Whether a subscription reaches a user: their own, by their role, or because they follow it."""
    if not subscription.role:
        return subscription.owner_id == user.id
    holds = user.groups.filter(name=subscription.role).exists()
    if holds and subscription.acknowledge_hours is not None:
        return True
    said = Following.objects.filter(subscription=subscription, person=user).values_list("follows", flat=True).first()
    return holds if said is None else said


def may_change(*, user: User, subscription: Subscription) -> bool:
    """Whether the user may change or end a subscription that they see."""
    return subscription.owner_id == user.id or (
        bool(subscription.role) and user.has_perm(roles.CONFIGURE_SUBSCRIPTIONS)
    )


def _changeable(subscription_id: uuid.UUID, user: User) -> Subscription:
    visible_subscription(user=user, subscription_id=subscription_id)
    row = Subscription.objects.select_for_update().get(id=subscription_id)
    if row.ended_at is not None:
        raise NotFound("There is no such subscription.")
    if row.role:
        check_may_configure(user=user)
    return row


def _checked(user: User, wanted: Wanted, role: str) -> Wanted:
    """What is kept of what was asked for."""
    name = " ".join(wanted.name.split())
    if not name or len(name) > 100 or not name.isprintable():
        _refuse("name", "Give the subscription a name of at most 100 characters.")
    conditions = _conditions(wanted.conditions)
    hours = wanted.acknowledge_hours
    if hours is not None and not role:
        _refuse("acknowledge_hours", "Only what a role is told of can have to be acknowledged.")
    if hours is not None and not 1 <= hours <= GREATEST_HOURS:
        _refuse("acknowledge_hours", f"Give 1 to {GREATEST_HOURS} hours.")
    wrong = policy_conditions.check(conditions=conditions, declared=governed.declared_facts())
    if wrong:
        raise InvalidInput(" ".join(wrong), errors=[{"field": "conditions", "message": sentence} for sentence in wrong])
    if not _sees(user, conditions):
        raise NotFound("It names an account or product that is not granted to you, or that does not exist.")
    return Wanted(name, conditions, hours)


def _conditions(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows in the form that policies have."""
    if len(rows) > MOST_CONDITIONS:
        _refuse("conditions", f"{MOST_CONDITIONS} conditions are the most. Make two subscriptions of it.")
    read = [validated(Condition, dict(row)).model_dump() for row in rows]
    values = [value for row in read for value in (row["value"] if isinstance(row["value"], list) else [row["value"]])]
    if len(values) > MOST_VALUES or any(len(str(value)) > 200 or not str(value).isprintable() for value in values):
        _refuse("conditions", f"At most {MOST_VALUES} values are compared, each of at most 200 characters.")
    return read


def _refuse(field: str, sentence: str) -> None:
    raise InvalidInput(sentence, errors=[{"field": field, "message": sentence}])


def _sees(user: User, conditions: Sequence[Mapping[str, Any]]) -> bool:
    scope = Scope(named_ids(conditions, "accounts"), named_ids(conditions, "products"))
    return governed.access().may_see(scope=scope, user=user)


def _save(row: Subscription) -> None:
    taken = (SubscriptionNameTaken, f"There is a subscription “{row.name}” already. Choose another name.")
    with (
        refine_integrity_error(subscription_name_once_of_person=taken, subscription_name_once_of_role=taken),
        transaction.atomic(),
    ):
        row.save()
