"""Facts and risk of changes in JSON."""

from typing import Any

from rest_framework import serializers

from approvals.facts import FactUnit, RiskLevel
from approvals.policies.risk import Raised

Read = serializers.Serializer[Any]
LEVELS = [(level.value, level.value) for level in RiskLevel]


class FactSerializer(Read):
    """A fact that policies can compare."""

    name = serializers.CharField()
    type = serializers.ChoiceField(choices=[(unit.value, unit.value) for unit in FactUnit])
    unit = serializers.CharField(allow_blank=True)
    description = serializers.CharField()


class RaisedRiskSerializer(Read):
    """The risk as its author says: raised above the computed one, never lowered."""

    level = serializers.ChoiceField(choices=LEVELS)
    reason = serializers.CharField(max_length=20_000)


class RiskReasonSerializer(Read):
    """Why the risk is at least of a level."""

    level = serializers.ChoiceField(choices=LEVELS)
    why = serializers.CharField()


class RiskSerializer(Read):
    """How risky a change is, and why."""

    level = serializers.ChoiceField(choices=LEVELS)
    computed = serializers.ChoiceField(choices=LEVELS)
    reasons = RiskReasonSerializer(many=True)
    raised = RaisedRiskSerializer(allow_null=True, help_text="By the author, above the computed one.")


def raised_from(row: dict[str, Any] | None) -> Raised | None:
    """A validated raised risk as a value."""
    return None if row is None else Raised(RiskLevel(row["level"]), row["reason"])
