"""
Which stages a change needs: pure, over values.

All matching policies add up and the strictest wins. No match, or a policy that cannot be evaluated, means the default
chain, never "no approval".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

JSON = Any
Facts = Mapping[str, JSON]


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


class NotEvaluable(Exception):
    """A condition names an unknown operator, or compares what cannot be compared."""


DEFAULT_CHAIN = StageRequirement(position=1, role="licensing", quorum=2, reasons=("no policy decides this change",))
DEFAULT_WAIVER_ROLE = "legal"


def _number(value: JSON) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise NotEvaluable(f"{value!r} is not a number")
    try:
        return Decimal(value)
    except ArithmeticError:
        raise NotEvaluable(f"{value!r} is not a number") from None


def _listed(value: JSON) -> list[JSON]:
    return list(value) if isinstance(value, list | tuple) else [value]


OPERATORS: Mapping[str, Callable[[JSON, JSON], bool]] = {
    "is": lambda fact, value: bool(fact == value),
    "is_not": lambda fact, value: bool(fact != value),
    "in": lambda fact, value: fact in _listed(value),
    "any_of": lambda fact, value: bool(set(_listed(fact)) & set(_listed(value))),
    "none_of": lambda fact, value: not set(_listed(fact)) & set(_listed(value)),
    "at_least": lambda fact, value: _number(fact) >= _number(value),
    "more_than": lambda fact, value: _number(fact) > _number(value),
    "at_most": lambda fact, value: _number(fact) <= _number(value),
    "less_than": lambda fact, value: _number(fact) < _number(value),
}


def holds(*, conditions: Sequence[Mapping[str, JSON]], facts: Facts) -> bool:
    """
    Whether every condition holds of one item's facts; a fact that the item does not have holds of nothing.

    :raises NotEvaluable: if a condition cannot be evaluated
    """
    for condition in conditions:
        operator = OPERATORS.get(str(condition.get("operator")))
        if operator is None or "field" not in condition or "value" not in condition:
            raise NotEvaluable(f"{condition!r} is not a condition")
        fact = facts.get(condition["field"])
        if fact is None or not operator(fact, condition["value"]):
            return False
    return True


def stages_for(
    *, policies: Iterable[PolicyRow], facts: Sequence[Facts], needs_waiver: bool
) -> tuple[StageRequirement, ...]:
    """
    The stages that a change with these items' facts must pass, in order.

    Source: docs/invariants.md INV-3; shared wording in docs/change-requests.md
    """
    demands: list[StageRequirement] = []
    waiver_roles: set[str] = set()
    for policy in policies:
        try:
            matches = any(holds(conditions=policy.conditions, facts=item) for item in facts)
            found = [_stage(policy, stage) for stage in policy.stages] if matches else []
        except (NotEvaluable, KeyError, TypeError, ValueError) as error:
            reason = f"the policy “{policy.name}” cannot be evaluated ({error}), so the default chain applies"
            demands.append(StageRequirement(1, DEFAULT_CHAIN.role, DEFAULT_CHAIN.quorum, (reason,)))
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
