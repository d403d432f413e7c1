"""
Whether a change is within somebody's authority: values in, sentences out; and the limits that are in force.

Unknown is above every limit: a change without a known size, an unlimited number of seats, another currency.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from approvals.authority.errors import OverLimit
from approvals.authority.models import AuthorityLimit
from approvals.governed import Size
from approvals.policies.eligibility import deciders


@dataclass(frozen=True)
class Holding:
    """In which role somebody decides on a stage, and the limits that bind them there."""

    role: str
    limits: tuple[AuthorityLimit, ...]

    @property
    def words(self) -> str:
        """The limits, for people; empty without one."""
        return "; ".join(limit.words for limit in self.limits)


def holding(*, human_id: uuid.UUID, role: str, instant: datetime) -> Holding:
    """What binds a human who decides in a role at an instant; in every role of theirs for `""`."""
    rows = AuthorityLimit.objects.in_force_at(instant).of(human_id=human_id, role=role)
    return Holding(role, tuple(rows.order_by("starts_at", "id")))


def exceeded(*, limits: Iterable[AuthorityLimit], size: Size) -> tuple[str, ...]:
    """What of a change is above the limits, in words; nothing without limits."""
    rows = tuple(limits)
    return (*_too_many_seats(rows, size), *_too_much_money(rows, size))


def _too_many_seats(limits: Sequence[AuthorityLimit], size: Size) -> list[str]:
    most = min((limit.seats for limit in limits if limit.seats is not None), default=None)
    if most is None or (size.seats is not None and size.seats <= most):
        return []
    return [f"it adds {size.seats_words}, and the limit is {most} seats"]


def _too_much_money(limits: Sequence[AuthorityLimit], size: Size) -> list[str]:
    allowed: dict[str, Decimal] = {}
    for limit in limits:
        if limit.money is not None:
            allowed[limit.currency] = min(limit.money, allowed.get(limit.currency, limit.money))
    if not allowed:
        return []
    if size.money is None:
        return ["what it costs is not known, and the limit is an amount"]
    found = []
    for currency, amount in sorted(size.money.items()):
        if amount > 0 and currency not in allowed:
            found.append(f"it commits {amount} {currency}, and no limit is in that currency")
        elif amount > 0 and amount > allowed[currency]:
            found.append(f"it commits {amount} {currency}, and the limit is {allowed[currency]} {currency}")
    return found


def uncovered(*, limits: Iterable[AuthorityLimit], size: Size) -> tuple[str, ...]:
    """What of a change no limit speaks of, in words, where a stage demands one that covers it."""
    rows = tuple(limits)
    if not rows:
        return ("no limit is in force",)
    found = []
    if size.seats != 0 and all(limit.seats is None for limit in rows):
        found.append(f"no limit speaks of seats, and it adds {size.seats_words}")
    if all(limit.money is None for limit in rows) and (size.money is None or any(size.money.values())):
        found.append("no limit speaks of money, and it commits some")
    return tuple(found)


def check_within(*, holding: Holding, size: Size, demanded: bool, whose: str = "Your") -> None:
    """
    Refuse a decision on a change that is larger than the decider's limits in force.

    `demanded` is whether the stage asks for a limit that covers the change; without it, who has no limit is not bound.

    :raises OverLimit: saying the limit and the size
    """
    above = exceeded(limits=holding.limits, size=size)
    missing = uncovered(limits=holding.limits, size=size) if demanded else ()
    if not above and not missing:
        return
    where = f" in the role {holding.role}" if holding.role else ""
    said = holding.words or "none"
    raise OverLimit(
        f"{whose} authority{where} ({said}) does not reach this change: {'; '.join((*above, *missing))}. "
        "Somebody with a higher limit decides on it.",
        limits=[limit.words for limit in holding.limits],
        seats=size.seats,
        money=None if size.money is None else {currency: str(amount) for currency, amount in size.money.items()},
    )


def holders_with_limit(role: str, people: tuple[str, ...]) -> frozenset[uuid.UUID]:
    """The humans whom a stage asks and who have a limit in its role: who could pass one that demands it."""
    asked = frozenset(deciders(role=role, people=people).values_list("human_id", flat=True))
    rows = AuthorityLimit.objects.filter(retired_at__isnull=True, human__in=asked)
    return frozenset((rows.filter(role=role) if role else rows).values_list("human", flat=True))
