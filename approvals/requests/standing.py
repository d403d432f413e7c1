"""
Standing rules: approvals that a change needs by what it is, whatever the policies say; like the stage of a waiver.

A rule is registered by the package that knows it and is asked wherever policies are: when a change is planned, and
again when it is applied.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from approvals.governed import PreparedItem
from approvals.policies.rules import StageRequirement


@dataclass(frozen=True)
class Demand:
    """One approval of a role, and why in words."""

    role: str
    why: str


class StandingRule(Protocol):
    """Tells what a change needs."""

    def demands(self, items: Sequence[PreparedItem]) -> Sequence[Demand]:
        """The approvals that these items need, in the order in which they are asked; write nothing."""
        ...


_RULES: list[StandingRule] = []


def register_rule(rule: StandingRule) -> None:
    """Have a rule asked about every change."""
    if rule not in _RULES:
        _RULES.append(rule)


def demands_on(items: Sequence[PreparedItem]) -> tuple[Demand, ...]:
    """What the rules demand of these items, whatever the policies say."""
    return tuple(demand for rule in _RULES for demand in rule.demands(items))


def with_demands(stages: Sequence[StageRequirement], *, items: Sequence[PreparedItem]) -> tuple[StageRequirement, ...]:
    """The stages with what the rules demand: as a reason of a stage of the role, else as a stage of its own, last."""
    chain = list(stages)
    for demand in demands_on(items):
        plain = StageRequirement(position=0, role=demand.role, quorum=1, reasons=())
        # Of the whole role and of nobody else: a stage of named people, or with a backup, is another one.
        bare = [replace(stage, position=0, quorum=1, reasons=(), due_hours=None) for stage in chain]
        at = next((at for at, stage in enumerate(bare) if stage == plain), None)
        if at is None:
            position = max((stage.position for stage in chain), default=0) + 1
            chain.append(StageRequirement(position, demand.role, 1, (demand.why,)))
        elif demand.why not in chain[at].reasons:
            chain[at] = replace(chain[at], reasons=(*chain[at].reasons, demand.why))
    return tuple(chain)
