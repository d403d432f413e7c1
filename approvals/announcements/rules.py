"""
What a subscription matches: values in, values out. Pure.

Source: docs/announcements.md
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from approvals.policies.conditions import (
    Condition,
    Declared,
    Facts,
    Item,
    NotEvaluable,
    compiled,
    holds,
    read_item,
)

_SCOPED = frozenset({"accounts", "products"})


@dataclass(frozen=True)
class Readable:
    """A change's items under the facts that kinds declare; `unread` if one of them is of a kind that nobody knows."""

    items: Sequence[Item]
    unread: bool
    declared: Declared


@dataclass(frozen=True)
class Wish:
    """One reason for which a human is told: the subscription's name, and within how many hours they acknowledge."""

    name: str
    hours: int | None


def readable(*, facts: Iterable[Facts], declared: Declared) -> Readable:
    """The items of a change, to be matched with many subscriptions."""
    items, unread = [], False
    for one in facts:
        try:
            items.append(read_item(facts=one, declared=declared))
        except NotEvaluable:
            unread = True
    return Readable(items, unread, declared)


def matches(*, conditions: Sequence[Condition], change: Readable) -> bool:
    """
    Whether a subscription's conditions all hold of one item of a change.

    What can't be evaluated matches: telling somebody too much is the lesser error.
    """
    try:
        read = [compiled(condition=condition, declared=change.declared) for condition in conditions]
    except (NotEvaluable, KeyError, TypeError, ValueError):
        return True
    return change.unread or any(holds(conditions=read, values=item.values) for item in change.items)


def acknowledge_by(*, wishes: Iterable[Wish], now: datetime) -> datetime | None:
    """Until when a human is to say that they have read it: the shortest time counts; None if nobody asks."""
    hours = [wish.hours for wish in wishes if wish.hours is not None]
    return now + timedelta(hours=min(hours)) if hours else None


def named_ids(conditions: Iterable[Mapping[str, object]], field: str) -> frozenset[UUID]:
    """The accounts or products that conditions name; what is no id names none."""
    found = set()
    for condition in conditions:
        if condition.get("field") != field or field not in _SCOPED:
            continue
        value = condition.get("value")
        for one in value if isinstance(value, list) else [value]:
            try:
                found.add(UUID(str(one)))
            except ValueError:
                continue
    return frozenset(found)
