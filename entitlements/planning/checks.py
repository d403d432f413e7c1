"""
The rules of a plan: each of the registry's business rules on each entitlement that the items touch or stand under.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals.governed import PreparedItem
from approvals.records.models import GovernedModel
from approvals.records.rows import instant
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.directory.models import Account
from entitlements.grants.models import Entitlement
from entitlements.grants.rules import FAR, RULES, Case, OrderLineWithinAgreement, broken_by_line
from entitlements.planning.capacity import serves
from entitlements.planning.registry import Registry, Row


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


def outcomes(*, registry: Registry, items: Sequence[PreparedItem], now: datetime) -> list[Outcome]:
    """Every rule on every entitlement concerned, as the items would leave it; and on order lines that have none."""
    cases = list(_cases(registry, items, now))
    rules = [
        Outcome(type(rule).__name__, rule.sentence, rule.invariant, case.entitlement["reference"], rule.broken(case))
        for case in cases
        for rule in RULES
    ]
    return rules + _line_outcomes(registry, items, {case.order_line["id"] for case in cases})


def _line_outcomes(registry: Registry, items: Sequence[PreparedItem], told: set[str]) -> list[Outcome]:
    lines = _touched(items, OrderLine)
    agreements = _touched(items, Agreement)
    rule = OrderLineWithinAgreement
    return [
        Outcome(
            rule.__name__,
            rule.sentence,
            rule.invariant,
            line["reference"],
            broken_by_line(order_line=line, agreement=registry.agreements[line["agreement_id"]]),
        )
        for key, line in registry.order_lines.items()
        if (key in lines or line["agreement_id"] in agreements) and key not in told
    ]


def _touched(items: Sequence[PreparedItem], model: type[GovernedModel]) -> set[str]:
    return {str(item.record_id) for item in items if item.table == model._meta.db_table}


def _moved(items: Sequence[PreparedItem]) -> set[str]:
    """Accounts that get another parent."""
    return {
        str(item.record_id)
        for item in items
        if item.table == Account._meta.db_table
        and item.before is not None
        and item.after is not None
        and item.before["parent_id"] != item.after["parent_id"]
    }


def _cases(registry: Registry, items: Sequence[PreparedItem], now: datetime) -> Iterable[Case]:
    touched, lines, agreements = (_touched(items, model) for model in (Entitlement, OrderLine, Agreement))
    moved = _moved(items)
    given = {str(item.record_id): item.effects.get("hold", ()) for item in items}
    by_line: dict[str, list[str]] = {}
    for key, row in registry.entitlements.items():
        by_line.setdefault(row["order_line_id"], []).append(key)
    for key, row in registry.entitlements.items():
        line = registry.order_lines[row["order_line_id"]]
        concerned = key in touched or line["id"] in lines or line["agreement_id"] in agreements
        # A right that has ended is history: moving its account today takes nothing from it.
        if not concerned and (instant(row["ends_at"]) or FAR) > now:
            concerned = bool(moved & registry.above.get(row["account_id"], frozenset()))
        if concerned and row["withdrawn_at"] is None:
            yield _case(registry, key, by_line[line["id"]], given.get(key, ()))


def _case(registry: Registry, key: str, on_line: Sequence[str], given: Sequence[str]) -> Case:
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
        strangers=_strangers(registry, row, given),
    )


def _strangers(registry: Registry, row: Row, given: Sequence[str]) -> int:
    served = serves(registry, row)
    accounts = (registry.people.get(person, {}).get("account_id") for person in given)
    return sum(1 for account in accounts if account is not None and str(account) not in served)
