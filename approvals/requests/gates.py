"""
What may stand in a change's way besides its approvals: freezes, tickets, conflicts.

A gate is registered by the package that knows it and is asked in three places: while a change is drafted, when it is
sent to review and when it is applied. Each obstacle says in a sentence what stands in the way and which steps it stops.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from approvals.governed import PreparedItem
from approvals.policies.rules import TicketDemand
from approvals.requests.errors import GateClosed
from approvals.requests.models import ChangeRequest
from approvals.requests.schedules import Schedule
from foundation.identity.models import User


class Step(StrEnum):
    """The steps that an obstacle can stop."""

    REVIEW = "review"
    APPLICATION = "application"


@dataclass(frozen=True)
class Asked:
    """
    What a gate is asked about; `change_request` is None before anything is filed.

    `step` is the step that is about to be taken, in a transaction, or None where somebody only wants to know. `reader`
    is who reads the answer; without one, nothing is named that not everybody sees. `demands` are the tickets that
    policies demand of what is not filed; of what is, they stand in its revision.
    """

    change_request: ChangeRequest | None
    items: Sequence[PreparedItem]
    schedule: Schedule | None
    now: datetime
    step: Step | None = None
    reader: User | None = None
    demands: Sequence[TicketDemand] = ()


@dataclass(frozen=True)
class Obstacle:
    """
    Something in the way: what it is, why in a sentence, and which steps it stops (none: a warning).

    `until` is when it ends by itself, if it does: what is scheduled waits for that inside its window.
    `passes_emergency` lets an emergency permit pass. `change_number` names another change that it is about.
    """

    title: str
    sentence: str
    stops: frozenset[Step] = frozenset()
    until: datetime | None = None
    passes_emergency: bool = False
    change_number: int | None = None

    @property
    def steps(self) -> list[Step]:
        """The steps that it stops, in their order."""
        return [step for step in Step if step in self.stops]

    @property
    def stops_review(self) -> bool:
        """Whether it keeps the change from review."""
        return Step.REVIEW in self.stops

    @property
    def stops_application(self) -> bool:
        """Whether it keeps the change from being applied."""
        return Step.APPLICATION in self.stops


class Gate(Protocol):
    """Tells what stands in a change's way."""

    def obstacles(self, asked: Asked) -> Sequence[Obstacle]:
        """Every obstacle that there is now; write nothing."""
        ...


_GATES: list[Gate] = []


def register_gate(gate: Gate) -> None:
    """Have a gate asked about every change."""
    if gate not in _GATES:
        _GATES.append(gate)


def obstacles(asked: Asked) -> tuple[Obstacle, ...]:
    """What every gate has to say about a change."""
    return tuple(obstacle for gate in _GATES for obstacle in gate.obstacles(asked))


def check_open(*, step: Step, asked: Asked, emergency: bool = False) -> None:
    """
    Refuse a step that an obstacle stops; `emergency` passes those that say so.

    :raises GateClosed: with each obstacle's sentence; `until` if all of them end by themselves
    """
    check_not_stopped(step=step, found=obstacles(replace(asked, step=step)), emergency=emergency)


def check_not_stopped(*, step: Step, found: Sequence[Obstacle], emergency: bool = False) -> None:
    """
    Refuse a step that one of these obstacles stops.

    :raises GateClosed: as check_open()
    """
    stopping = [
        obstacle for obstacle in found if step in obstacle.stops and not (emergency and obstacle.passes_emergency)
    ]
    if stopping:
        ends = [obstacle.until for obstacle in stopping]
        known = [end for end in ends if end is not None]
        raise GateClosed(
            " ".join(obstacle.sentence for obstacle in stopping),
            obstacles=[obstacle.title for obstacle in stopping],
            until=max(known).isoformat() if len(known) == len(ends) else None,
        )
