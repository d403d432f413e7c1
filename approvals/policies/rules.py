"""
Which stages a change needs: pure, over values.

All matching policies add up and the strictest wins. No match, or a policy that cannot be evaluated, means the default
chain, never "no approval".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from approvals.policies.conditions import (
    JSON,
    Declared,
    Facts,
    Item,
    NotEvaluable,
    compiled,
    explain,
    holds,
    read_item,
)


@dataclass(frozen=True)
class StageRequirement:
    """One stage: its place in the order, the role asked, how many of it, and why in words."""

    position: int
    role: str
    quorum: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class PolicyRow:
    """A policy as values: what `approvals.policies.models.Policy` holds."""

    name: str
    conditions: Sequence[Mapping[str, JSON]]
    stages: Sequence[Mapping[str, JSON]]
    waiver_role: str


DEFAULT_CHAIN = StageRequirement(position=1, role="licensing", quorum=2, reasons=("no policy decides this change",))
DEFAULT_WAIVER_ROLE = "legal"


def stages_for(
    *, policies: Iterable[PolicyRow], facts: Sequence[Facts], needs_waiver: bool, declared: Declared
) -> tuple[StageRequirement, ...]:
    """
    The stages that a change with these items' facts must pass, in order, each with its reasons in words.

    `declared` are the facts that kinds have. What was measured: docs/change-control.md, benchmarks/policies.py.

    Source: docs/invariants.md INV-3; shared wording in docs/change-requests.md
    """
    items, demands = _read_items(facts, declared)
    waiver_roles: set[str] = set()
    for policy in policies:
        try:
            found = _demands(policy, items, declared)
        except (NotEvaluable, KeyError, TypeError, ValueError) as error:
            demands.append(_default(f"the policy “{policy.name}” cannot be evaluated ({error})"))
            continue
        demands.extend(found)
        if found and policy.waiver_role:
            waiver_roles.add(policy.waiver_role)
    if not demands:
        demands.append(DEFAULT_CHAIN)
    if needs_waiver:
        last = max(demand.position for demand in demands)
        for role in sorted(waiver_roles or {DEFAULT_WAIVER_ROLE}):
            demands.append(StageRequirement(last + 1, role, 1, ("the plan opens a gap, which a waiver accepts",)))
    return _strictest(demands)


def _read_items(facts: Sequence[Facts], declared: Declared) -> tuple[list[Item], list[StageRequirement]]:
    items, demands = [], []
    for one in facts:
        try:
            items.append(read_item(facts=one, declared=declared))
        except NotEvaluable as error:
            demands.append(_default(f"an item cannot be evaluated ({error})"))
    return items, demands


def _demands(policy: PolicyRow, items: Sequence[Item], declared: Declared) -> list[StageRequirement]:
    """What a policy asks for: its stages if it matches an item, else nothing."""
    conditions = [compiled(condition=condition, declared=declared) for condition in policy.conditions]
    stages = [_stage(policy, stage) for stage in policy.stages]
    for item in items:
        if holds(conditions=conditions, values=item.values):
            because = explain(conditions=conditions, item=item)
            return [replace(stage, reasons=(_because(stage.reasons[0], because),)) for stage in stages]
    return []


def _because(why: str, explanation: str) -> str:
    return f"{why} ({explanation})" if explanation else why


def _default(why: str) -> StageRequirement:
    return StageRequirement(1, DEFAULT_CHAIN.role, DEFAULT_CHAIN.quorum, (f"{why}, so the default chain applies",))


def beyond(*, reviewed: Sequence[StageRequirement], fresh: Sequence[StageRequirement]) -> tuple[str, ...]:
    """Sentences for what the fresh chain asks beyond the reviewed one; empty if the reviewed one suffices."""
    granted: dict[str, int] = {}
    for stage in reviewed:
        granted[stage.role] = max(granted.get(stage.role, 0), stage.quorum)
    return tuple(
        f"{stage.role} must approve with {stage.quorum}, not {granted.get(stage.role, 0)}"
        for stage in fresh
        if stage.quorum > granted.get(stage.role, 0)
    )


def _stage(policy: PolicyRow, stage: Mapping[str, JSON]) -> StageRequirement:
    quorum = int(stage["quorum"])
    if quorum < 1:
        raise NotEvaluable(f"a quorum of {quorum} asks for nobody")
    why = str(stage.get("why") or f"the policy “{policy.name}” asks for it")
    return StageRequirement(int(stage["position"]), str(stage["role"]), quorum, (why,))


def _strictest(demands: Sequence[StageRequirement]) -> tuple[StageRequirement, ...]:
    merged: dict[tuple[int, str], StageRequirement] = {}
    for demand in demands:
        key = (demand.position, demand.role)
        known = merged.get(key)
        if known is None:
            merged[key] = demand
        else:
            reasons = tuple(dict.fromkeys((*known.reasons, *demand.reasons)))
            merged[key] = StageRequirement(demand.position, demand.role, max(known.quorum, demand.quorum), reasons)
    ordered = sorted(merged.values(), key=lambda stage: (stage.position, stage.role))
    return tuple(
        StageRequirement(position, stage.role, stage.quorum, stage.reasons)
        for position, stage in enumerate(ordered, start=1)
    )
