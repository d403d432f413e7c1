"""
How risky a change is, and why: pure, over facts.

Rules are rows like those of policies: a level, why, and conditions over typed facts, all of which must hold of an item.
The highest level that any rule gives is the risk; where none holds it is low. A rule or an item that cannot be
evaluated makes it high. Its author may raise it by hand with a reason; nobody lowers what was computed.

Source: docs/facts.md
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals.facts import RISK, RiskLevel, RiskRule
from approvals.policies.conditions import Declared, Facts, Item, NotEvaluable, compiled, explain, holds, read_item

JSON = Any


@dataclass(frozen=True)
class Reason:
    """Why the risk is at least of a level, in words."""

    level: RiskLevel
    why: str


@dataclass(frozen=True)
class Raised:
    """The level to which the author raised the risk, and why."""

    level: RiskLevel
    reason: str


@dataclass(frozen=True)
class Risk:
    """What was computed, with its reasons, highest first; and what the author raised it to, if they did."""

    computed: RiskLevel
    reasons: tuple[Reason, ...] = ()
    raised: Raised | None = None

    @property
    def level(self) -> RiskLevel:
        """The risk of the change: the computed one, unless it was raised above it."""
        return self.computed if self.raised is None else max(self.computed, self.raised.level, key=_rank)

    @property
    def is_lowered(self) -> bool:
        """Whether the author says less than was computed, which changes nothing."""
        return self.raised is not None and _rank(self.raised.level) < _rank(self.computed)

    def as_document(self) -> dict[str, JSON]:
        """The risk as a revision holds it."""
        return {
            "level": self.level,
            "computed": self.computed,
            "reasons": [{"level": reason.level, "why": reason.why} for reason in self.reasons],
            "raised": None if self.raised is None else {"level": self.raised.level, "reason": self.raised.reason},
        }


def assess(
    *, rules: Iterable[RiskRule], facts: Sequence[Facts], declared: Declared, raised: Raised | None = None
) -> Risk:
    """The risk of a change with these items' facts; `declared` are the facts that kinds have."""
    known = {kind: {name: fact for name, fact in own.items() if name != RISK} for kind, own in declared.items()}
    items: list[Item] = []
    reasons: list[Reason] = []
    for one in facts:
        try:
            items.append(read_item(facts=one, declared=known))
        except NotEvaluable as error:
            reasons.append(Reason(RiskLevel.HIGH, f"an item cannot be weighed ({error})"))
    for rule in rules:
        reasons += _reasons(rule, items, known)
    ordered = sorted(dict.fromkeys(reasons), key=lambda reason: -_rank(reason.level))
    return Risk(ordered[0].level if ordered else RiskLevel.LOW, tuple(ordered), raised)


def raised_of(document: Mapping[str, JSON]) -> Raised | None:
    """What the author of a stored revision raised the risk to."""
    raised = (document["risk"] or {}).get("raised")
    return None if raised is None else Raised(RiskLevel(raised["level"]), raised["reason"])


def _reasons(rule: RiskRule, items: Sequence[Item], declared: Declared) -> list[Reason]:
    """Why a rule holds, of the first item of which it does; nothing if it holds of none."""
    try:
        conditions = [compiled(condition=condition, declared=declared) for condition in rule.conditions]
    except NotEvaluable as error:
        return [Reason(RiskLevel.HIGH, f"“{rule.why}” cannot be weighed ({error})")]
    for item in items:
        if holds(conditions=conditions, values=item.values):
            because = explain(conditions=conditions, item=item)
            return [Reason(rule.level, f"{rule.why} ({because})" if because else rule.why)]
    return []


def _rank(level: RiskLevel) -> int:
    return list(RiskLevel).index(level)
