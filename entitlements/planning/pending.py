"""What other open changes would commit of the budgets that a plan touches: live, and only what the reader may see."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from approvals.governed import Occasion
from approvals.requests.models import ChangeRequest, Item
from entitlements.agreements.costs import charges, line_from_row
from entitlements.agreements.models import OrderLine
from entitlements.planning.money import converted
from entitlements.planning.told_money import Pending

JSON = Any
ITEMS_COUNTED = 2_000


def pending_changes(*, document: Mapping[str, JSON], occasion: Occasion) -> dict[str, Pending]:
    """By agreement: what order lines of other open requests would commit more, in the agreement's currency."""
    money = document.get("money", {})
    budgets = {row["agreement"]: row for row in money.get("budgets", ())}
    if not budgets:
        return {}
    open_ones = ChangeRequest.objects.visible_to(occasion.user).open()
    if occasion.change_request_id:
        open_ones = open_ones.exclude(id=occasion.change_request_id)
    items = Item.objects.filter(
        revision__in=open_ones.values("current_revision"),
        table_name=OrderLine._meta.db_table,
        after__agreement_id__in=list(budgets),
    )
    rows = items.order_by("revision__change_request__number", "position").values_list(
        "revision__change_request__number", "before", "after"
    )
    horizon = datetime.fromisoformat(money["until"])
    found: dict[str, tuple[list[int], list[Decimal | None]]] = {key: ([], []) for key in budgets}
    for number, before, after in rows[:ITEMS_COUNTED]:
        if after is None:
            continue  # the query asks for lines under these agreements: they have a row after them
        budget = budgets[after["agreement_id"]]
        rates = {rate["currency"]: rate for rate in budget["rates"]}
        more = _total(after, horizon) - (_total(before, horizon) if before else Decimal(0))
        numbers, amounts = found[after["agreement_id"]]
        numbers.append(number)
        amounts.append(converted(more, after["currency"], budget["currency"], rates))
    return {key: _pending(numbers, amounts) for key, (numbers, amounts) in found.items()}


def _pending(numbers: list[int], amounts: list[Decimal | None]) -> Pending:
    known = [amount for amount in amounts if amount is not None]
    total = sum(known, Decimal(0)) if len(known) == len(amounts) else None
    return Pending(total, list(dict.fromkeys(numbers)))


def _total(row: Mapping[str, JSON], horizon: datetime) -> Decimal:
    return sum((charge.amount for charge in charges(line=line_from_row(row), horizon=horizon)), Decimal(0))
