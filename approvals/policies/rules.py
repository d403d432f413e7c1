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
    """
    One stage: its place in the order, who is asked, how many of them, and why in words.

    `people` are humans by id: if there are any, only they decide, and of them only holders of `role`, unless it is
    empty. With `within_limit`, they need an authority limit that covers the change. Once the stage is open for longer
    than `due_hours`, it can be escalated: holders of `backup_role` decide as well.
    """

    position: int
    role: str
    quorum: int
    reasons: tuple[str, ...]
    people: tuple[str, ...] = ()
    backup_role: str = ""
    due_hours: int | None = None
    within_limit: bool = False

    @property
    def whom(self) -> str:
        """Who is asked, in words without a name."""
        return whom(role=self.role, people=self.people)


@dataclass(frozen=True)
class PolicyRow:
    """A policy as values: what `approvals.policies.models.Policy` holds."""

    name: str
    conditions: Sequence[Mapping[str, JSON]]
    stages: Sequence[Mapping[str, JSON]]
    waiver_role: str
    ticket: str = ""


ANY_TICKET = "any"


@dataclass(frozen=True)
class TicketDemand:
    """An approved ticket that a change needs: of which system (its code, or any), and why in words."""

    system: str
    reasons: tuple[str, ...]


DEFAULT_CHAIN = StageRequirement(position=1, role="licensing", quorum=2, reasons=("no policy decides this change",))
DEFAULT_WAIVER_ROLE = "legal"


def whom(*, role: str, people: Sequence[str]) -> str:
    """Whom a stage asks, in words without a name: `legal`, `2 named people`, `2 named people of legal`."""
    if not people:
        return role
    named = f"{len(people)} named {'person' if len(people) == 1 else 'people'}"
    return f"{named} of {role}" if role else named


def read_stage(stage: Mapping[str, JSON], *, reasons: tuple[str, ...]) -> StageRequirement:
    """
    A stage of a policy or of a stored revision as a value; older ones lack the later keys.

    :raises NotEvaluable: if nobody, or nobody's approval, is asked for
    """
    quorum = int(stage["quorum"])
    if quorum < 1:
        raise NotEvaluable(f"a quorum of {quorum} asks for nobody")
    people = tuple(sorted({str(person) for person in stage.get("people") or ()}))
    role = str(stage["role"])
    if not role and not people:
        raise NotEvaluable("a stage names neither a role nor people")
    due_hours = stage.get("due_hours")
    return StageRequirement(
        position=int(stage["position"]),
        role=role,
        quorum=quorum,
        reasons=reasons,
        people=people,
        backup_role=str(stage.get("backup_role") or ""),
        due_hours=None if due_hours is None else int(due_hours),
        within_limit=bool(stage.get("within_limit")),
    )


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


def tickets_for(
    *, policies: Iterable[PolicyRow], facts: Sequence[Facts], declared: Declared
) -> tuple[TicketDemand, ...]:
    """
    The tickets that a change with these items' facts needs, by system. All matching policies add up.

    A policy that demands one and cannot be evaluated, or an item that cannot, counts as a match: unknown demands more.

    Source: docs/tickets.md
    """
    items, unread = _read_items(facts, declared)
    found: dict[str, dict[str, None]] = {}
    for policy in policies:
        if not policy.ticket:
            continue
        try:
            conditions = [compiled(condition=condition, declared=declared) for condition in policy.conditions]
            matches = bool(unread) or any(holds(conditions=conditions, values=item.values) for item in items)
        except (NotEvaluable, KeyError, TypeError, ValueError):
            matches = True
        if matches:
            found.setdefault(policy.ticket, {})[f"the policy “{policy.name}” asks for it"] = None
    return tuple(TicketDemand(system, tuple(reasons)) for system, reasons in sorted(found.items()))


def tickets_beyond(*, reviewed: Sequence[TicketDemand], fresh: Sequence[TicketDemand]) -> tuple[str, ...]:
    """Sentences for the tickets that are demanded beyond those reviewed; one of a system is also one of any."""
    known = {demand.system for demand in reviewed}
    return tuple(
        "an approved ticket is needed" + ("" if demand.system == ANY_TICKET else f" in {demand.system}")
        for demand in fresh
        if demand.system not in known and not (demand.system == ANY_TICKET and known)
    )


def review_hours(
    *, policies: Iterable[tuple[PolicyRow, int]], facts: Sequence[Facts], declared: Declared
) -> int | None:
    """
    How many hours the review of an emergency may take: the shortest of the policies that match, or None.

    A policy that cannot be evaluated counts as one that matches.
    """
    items, _defaults = _read_items(facts, declared)
    found = []
    for policy, hours in policies:
        try:
            matches = bool(_demands(policy, items, declared))
        except (NotEvaluable, KeyError, TypeError, ValueError):
            matches = True
        if matches:
            found.append(hours)
    return min(found, default=None)


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
    found = []
    for stage in fresh:
        granted = max((one.quorum for one in reviewed if _counts_for(one, stage)), default=0)
        if stage.quorum > granted:
            found.append(f"{stage.whom} must approve with {stage.quorum}, not {granted}")
    return tuple(found)


def _counts_for(given: StageRequirement, asked: StageRequirement) -> bool:
    """Whether everybody who could approve the one stage may approve the other."""
    same_people = not asked.people or (bool(given.people) and set(given.people) <= set(asked.people))
    same_role = given.role == asked.role or (not asked.role and bool(given.people))
    same_limit = given.within_limit or not asked.within_limit
    return same_role and same_people and same_limit and given.backup_role in {"", asked.backup_role}


def _stage(policy: PolicyRow, stage: Mapping[str, JSON]) -> StageRequirement:
    why = str(stage.get("why") or f"the policy “{policy.name}” asks for it")
    return read_stage(stage, reasons=(why,))


def _strictest(demands: Sequence[StageRequirement]) -> tuple[StageRequirement, ...]:
    merged: dict[tuple[int, str, tuple[str, ...]], StageRequirement] = {}
    for demand in demands:
        key = (demand.position, demand.role, demand.people)
        known = merged.get(key)
        merged[key] = demand if known is None else _stricter(known, demand)
    ordered = sorted(merged.values(), key=lambda stage: (stage.position, stage.role, stage.people))
    return tuple(replace(stage, position=position) for position, stage in enumerate(ordered, start=1))


def _stricter(one: StageRequirement, other: StageRequirement) -> StageRequirement:
    """Both demands in one: more people, sooner, within a limit if either says so, a backup only if both allow it."""
    return replace(
        one,
        quorum=max(one.quorum, other.quorum),
        reasons=tuple(dict.fromkeys((*one.reasons, *other.reasons))),
        within_limit=one.within_limit or other.within_limit,
        backup_role=one.backup_role if one.backup_role == other.backup_role else "",
        due_hours=min((hours for hours in (one.due_hours, other.due_hours) if hours is not None), default=None),
    )
