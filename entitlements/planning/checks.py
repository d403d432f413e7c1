"""
The rules of a plan: each of the registry's business rules on each entitlement that the items touch or stand under.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from approvals.governed import PreparedItem
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.grants.models import Entitlement
from entitlements.grants.rules import RULES, Case
from entitlements.planning.registry import Registry


@dataclass(frozen=True)
class Outcome:
    """One rule on one entitlement: whether it holds, or what breaks it."""

    rule: str
    sentence: str
    invariant: str
    label: str
    broken: str | None

    def row(self) -> dict[str, Any]:
        """As the plan document holds it."""
        return {
            "rule": self.rule,
            "sentence": self.sentence,
            "invariant": self.invariant,
            "item": self.label,
            "passed": self.broken is None,
            "broken": self.broken,
        }


def outcomes(*, registry: Registry, items: Sequence[PreparedItem]) -> list[Outcome]:
    """Every rule on every entitlement concerned, as the items would leave it."""
    return [
        Outcome(type(rule).__name__, rule.sentence, rule.invariant, case.entitlement["reference"], rule.broken(case))
        for case in _cases(registry, items)
        for rule in RULES
    ]


def _cases(registry: Registry, items: Sequence[PreparedItem]) -> Iterable[Case]:
    touched = {str(item.record_id) for item in items if item.table == Entitlement._meta.db_table}
    lines = {str(item.record_id) for item in items if item.table == OrderLine._meta.db_table}
    agreements = {str(item.record_id) for item in items if item.table == Agreement._meta.db_table}
    by_line: dict[str, list[str]] = {}
    for key, row in registry.entitlements.items():
        by_line.setdefault(row["order_line_id"], []).append(key)
    for key, row in registry.entitlements.items():
        line = registry.order_lines[row["order_line_id"]]
        concerned = key in touched or line["id"] in lines or line["agreement_id"] in agreements
        if concerned and row["withdrawn_at"] is None:
            yield _case(registry, key, by_line[line["id"]])


def _case(registry: Registry, key: str, on_line: Sequence[str]) -> Case:
    row = registry.entitlements[key]
    line = dict(registry.order_lines[row["order_line_id"]])
    line["sku_id"] = registry.revisions[line["sku_revision_id"]]["sku_id"]
    predecessor = registry.entitlements.get(row["replaces_id"]) if row["replaces_id"] else None
    product = registry.product_of(row)
    return Case(
        entitlement=row,
        revision=registry.revisions[row["sku_revision_id"]],
        order_line=line,
        agreement=registry.agreements[line["agreement_id"]],
        siblings=[
            registry.entitlements[other]
            for other in on_line
            if other != key and registry.entitlements[other]["withdrawn_at"] is None
        ],
        ancestors=registry.above.get(row["account_id"], frozenset()),
        predecessor=predecessor,
        predecessor_product=registry.product_of(predecessor) if predecessor else None,
        product=product,
        feature_codes=frozenset(registry.features_of(product)),
        held=len(registry.holders.get(key, ())) + registry.devices_held.get(key, 0),
    )
