"""
What the fields of the registry belong to, so that policies can ask the owners of each.

Every kind tells for every field; a test refuses one that is left out. Who owns which aspect is said by policies
(docs/facts.md), never here.
"""

from enum import StrEnum


class Aspect(StrEnum):
    """What a field belongs to."""

    PRICE = "price"
    TERM = "term"
    COST = "cost"
    REGIONS = "regions"
    HOSTING = "hosting"
    COMPLIANCE = "compliance"
    CLAUSES = "clauses"
    SEATS = "seats"
    FEATURES = "features"
    SUPPORT = "support"
    IDENTITY = "identity"
    DELIVERY = "delivery"


NOBODYS: tuple[str, ...] = ()
"""Declared as belonging to nothing that has an owner: names, notes, whom to ask."""
