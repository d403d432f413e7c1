"""
Typed facts: what kinds declare of their changes, and what policies compare. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FactUnit(StrEnum):
    """The types that facts have; policies compare values of one type only."""

    TEXT = "text"
    TEXTS = "texts"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    INSTANT = "instant"


@dataclass(frozen=True)
class FactType:
    """
    A fact that a kind declares: its name, type, unit (seats, days, percent, a currency …) and what it says.

    `says` is how an explanation tells its value, with `{value}` where it stands: “seats rise by {value} % this year”.
    Of yes or no it tells both, as “yes|no”. Without one, the fact's name and unit are told. A text that is one of a few
    names them as `choices`: a condition on another is refused, because it would never hold.
    """

    name: str
    type: FactUnit
    unit: str
    description: str
    says: str = ""
    choices: tuple[str, ...] = ()


class RiskLevel(StrEnum):
    """How risky a change is, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


RISK = "risk"
RISK_FACT = FactType(
    RISK,
    FactUnit.TEXT,
    "",
    "The risk of the whole change: low, medium or high; computed, unless its author raised it.",
    says="the risk is {value}",
    choices=tuple(level.value for level in RiskLevel),
)


@dataclass(frozen=True)
class RiskRule:
    """What makes a change risky: the level, why in words, and conditions of which all must hold of one item."""

    level: RiskLevel
    why: str
    conditions: tuple[Mapping[str, Any], ...]
