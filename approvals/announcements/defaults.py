"""
Subscriptions that roles have without anybody configuring them.

The app that knows what fields belong to registers them; the first run writes them as rows, which administrators change
or end. One that was ended is not made again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from approvals import events, roles
from approvals.announcements.models import Subscription
from approvals.announcements.recording import record_subscription


@dataclass(frozen=True)
class DefaultSubscription:
    """What a role is told of at first; `key` names it for ever."""

    key: str
    role: str
    name: str
    conditions: Sequence[Mapping[str, Any]]
    acknowledge_hours: int | None = None


_DEFAULTS: dict[str, DefaultSubscription] = {}


def register_defaults(defaults: Iterable[DefaultSubscription]) -> None:
    """
    Make default subscriptions known.

    :raises ValueError: if one is for a role that there is not, or its key is another's
    """
    for default in defaults:
        if default.role not in roles.ROLE_NAMES or _DEFAULTS.get(default.key, default) != default:
            raise ValueError(f"The default subscription {default.key} is registered otherwise, or for no role.")
        _DEFAULTS[default.key] = default


def registered_defaults() -> Sequence[DefaultSubscription]:
    """All of them, in the order of registration."""
    return tuple(_DEFAULTS.values())


@transaction.atomic
def write_defaults(*, now: datetime) -> int:
    """Write the registered defaults that were never written, each with its event; how many there were."""
    known = set(Subscription.objects.filter(default_key__isnull=False).values_list("default_key", flat=True))
    missing = [default for default in _DEFAULTS.values() if default.key not in known]
    written = 0
    for default in missing:
        row = Subscription(
            role=default.role,
            name=default.name,
            conditions=list(default.conditions),
            acknowledge_hours=default.acknowledge_hours,
            default_key=default.key,
            created_at=now,
        )
        # Another worker may write the same at this moment, or somebody may have taken the name.
        Subscription.objects.bulk_create([row], ignore_conflicts=True)
        if Subscription.objects.filter(id=row.id).exists():
            record_subscription(type=events.SUBSCRIPTION_MADE, subscription=row, actor=None, now=now)
            written += 1
    return written
