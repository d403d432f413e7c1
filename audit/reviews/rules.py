"""What is in a campaign, and who looks at what: values in, values out."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audit.access.port import Reach, Right

GREATEST_ENTRIES = 20_000


@dataclass(frozen=True)
class Scope:
    """Roles by name, accounts (with those below) and products by id; nothing said: everything."""

    roles: frozenset[str] = frozenset()
    accounts: frozenset[uuid.UUID] = frozenset()
    products: frozenset[uuid.UUID] = frozenset()

    def holds(self, right: Right) -> bool:
        """Whether a right is within it: by its role, or by where it reaches."""
        if not (self.roles or self.accounts or self.products):
            return True
        if right.role and right.role in self.roles:
            return True
        if right.reach == Reach.ACCOUNTS and self.accounts:
            return right.everything or right.target_id in self.accounts
        if right.reach == Reach.PRODUCTS and self.products:
            return right.everything or right.target_id in self.products
        return False


@dataclass(frozen=True)
class Owner:
    """Who looks at a part of a campaign, under which login; `granted` is what they may see, None: everything."""

    login_id: uuid.UUID
    human_id: uuid.UUID
    part: Scope = field(default_factory=Scope)
    granted: Collection[uuid.UUID] | None = None

    def may_review(self, *, humans: Collection[uuid.UUID], target_id: uuid.UUID | None) -> bool:
        """Whether the right does not serve them, and they may know of where it holds."""
        sees = target_id is None or self.granted is None or target_id in self.granted
        return self.human_id not in humans and sees


def assigned(rights: Sequence[Right], owners: Sequence[Owner]) -> tuple[Mapping[tuple[str, str], Owner], list[Right]]:
    """Each right's reviewer, the first owner of its part who may; and the rights that have none."""
    found: dict[tuple[str, str], Owner] = {}
    without = []
    for right in rights:
        owner = next(
            (
                one
                for one in owners
                if one.part.holds(right) and one.may_review(humans=right.humans, target_id=right.target_id)
            ),
            None,
        )
        if owner is None:
            without.append(right)
        else:
            found[right.name] = owner
    return found, without


def is_overdue(*, due_at: datetime, closed_at: datetime | None, now: datetime) -> bool:
    """Whether its time is over and it is not closed."""
    return closed_at is None and due_at <= now
