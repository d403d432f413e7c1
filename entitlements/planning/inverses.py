"""
Whether taking a change back leaves anything worse than if it had never been applied.

The standard is the registry of now with the change's own values as they were before it; what others did since is in
both.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from approvals.governed import Operation, PreparedItem, Undone
from approvals.records.rows import changed_fields, row_of
from entitlements.agreements.models import OrderLine
from entitlements.grants.models import Entitlement
from entitlements.planning import costs, coverage
from entitlements.planning.registry import overlaid, touched
from foundation.canonical import jsonable

_TABLES = {model._meta.db_table: model for model in (Entitlement, OrderLine)}


def worse_than_before(*, undone: Sequence[Undone], items: Sequence[PreparedItem], now: datetime) -> tuple[str, ...]:
    """Sentences for gaps, people losing access and cost that there would not be without the change."""
    ideal = [found for one in undone for found in (_never_applied(one, now),) if found is not None]
    current = touched([*items, *ideal])
    comparison = coverage.compare(before=overlaid(current, ideal), after=overlaid(current, items), items=items, now=now)
    sentences = [
        f"a gap opens from {gap.starts_at:%Y-%m-%d %H:%M %Z} ({gap.kind}, {gap.count} affected)"
        for gap in comparison.added
    ]
    losing = len({shift.person for shift in comparison.losing})
    if losing:
        sentences.append(f"{losing} {'person loses' if losing == 1 else 'people lose'} access")
    _, without = costs.compare(items=ideal, now=now)
    present, after = costs.compare(items=items, now=now)
    for term, amount in sorted(after.items()):
        allowed = max(without.get(term, Decimal(0)), present.get(term, Decimal(0)))
        if amount > allowed:
            sentences.append(f"the cost of {term[0]} {term[1]} is {amount}, above {allowed}")
    return tuple(sentences)


def _never_applied(undone: Undone, now: datetime) -> PreparedItem | None:
    """The item that would leave a record as if the change had not touched it; None where nothing follows from it."""
    item, model = undone.item, _TABLES.get(undone.item.table)
    found = model._default_manager.filter(id=item.record_id).first() if model is not None else None
    if found is None:
        return None
    row = row_of(found)
    if item.operation is Operation.INSERT:
        if not isinstance(found, Entitlement):
            return None
        values = {"withdrawn_at": jsonable(now)}
    else:
        before = item.before or {}
        values = {name: before.get(name) for name in changed_fields(item.before, item.after)}
    effects = {"hold": item.effects.get("release", ()), "release": item.effects.get("hold", ())}
    return replace(item, operation=Operation.UPDATE, before=row, after=row | values, effects=effects)
