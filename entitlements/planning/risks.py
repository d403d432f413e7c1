"""What makes a change of the registry risky: rows of level, why, and conditions over facts."""

from typing import Any

from approvals.facts import RiskLevel, RiskRule
from entitlements.catalog.aspects import Aspect


def _when(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


_SEATS_CHANGE = _when("aspects_touched", "any_of", [Aspect.SEATS.value])

RULES: tuple[RiskRule, ...] = (
    RiskRule(RiskLevel.HIGH, "somebody could be left without access", (_when("new_gaps", "is", True),)),
    RiskRule(RiskLevel.HIGH, "many people lose access", (_when("people_losing_access", "at_least", 10),)),
    RiskRule(RiskLevel.MEDIUM, "people lose access", (_when("people_losing_access", "at_least", 1),)),
    RiskRule(RiskLevel.HIGH, "nothing limits the seats", (_when("seats_unlimited", "is", True), _SEATS_CHANGE)),
    RiskRule(RiskLevel.HIGH, "nothing limits the order", (_when("quantity_unlimited", "is", True), _SEATS_CHANGE)),
    RiskRule(
        RiskLevel.HIGH,
        "seats grow by half or more within a year",
        (_when("seats_added_year_percent", "at_least", 50), _when("seats_added_year", "at_least", 100)),
    ),
    RiskRule(
        RiskLevel.MEDIUM,
        "seats grow by a fifth or more within a year",
        (_when("seats_added_year_percent", "at_least", 20), _when("seats_added_year", "at_least", 20)),
    ),
    RiskRule(
        RiskLevel.MEDIUM,
        "a fifth of the seats or more is taken away within a year",
        (_when("seats_removed_year_percent", "at_least", 20), _when("seats_removed_year", "at_least", 1)),
    ),
    RiskRule(
        RiskLevel.MEDIUM,
        "cost rises by a fifth or more within a year",
        (_when("cost_added_year_percent", "at_least", 20), _when("cost_added_year", "more_than", 0)),
    ),
    RiskRule(RiskLevel.MEDIUM, "what was agreed changes", (_when("clauses_touched", "is", True),)),
    RiskRule(
        RiskLevel.MEDIUM,
        "hosting or compliance is touched",
        (_when("aspects_touched", "any_of", [Aspect.HOSTING.value, Aspect.COMPLIANCE.value]),),
    ),
    RiskRule(RiskLevel.MEDIUM, "who is who is touched", (_when("aspects_touched", "any_of", [Aspect.IDENTITY.value]),)),
    RiskRule(RiskLevel.MEDIUM, "a trial has no end", (_when("phase", "is", "trial"), _when("open_ended", "is", True))),
    RiskRule(RiskLevel.MEDIUM, "it reaches into the past", (_when("backdated_days", "at_least", 1),)),
    RiskRule(RiskLevel.HIGH, "it is very large", (_when("records_touched", "at_least", 1_000),)),
    RiskRule(RiskLevel.MEDIUM, "it is large", (_when("records_touched", "at_least", 100),)),
)
