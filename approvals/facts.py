"""
Typed facts: what kinds declare of their changes, and what policies compare. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum


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
    """A fact that a kind declares: its name, type, unit (seats, days, percent, a currency …) and what it says."""

    name: str
    type: FactUnit
    unit: str
    description: str
