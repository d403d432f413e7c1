"""Money for people who answer for budgets: what is committed, ordered, charged, credited, and paid twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from entitlements.planning.told import Labels, amount, change, day, fact, gathered, instant, percent
from foundation.web.blocks import Block, Fact, Facts, Point, Points, Row, Section, Table
from foundation.web.instants import instant_text

JSON = Any
LINES_SHOWN = 10
ON_LINE = "Order line, in the admin or by a change of kind orderline.amend: "
ON_AGREEMENT = "Agreement, in the admin or by a change of kind agreement.amend: "


@dataclass(frozen=True)
class Pending:
    """What other open changes would commit of an agreement's budget, as of when; None if it can't be converted."""

    amount: Decimal | None
    requests: Sequence[int]


def section(
    *, document: Mapping[str, JSON], labels: Labels, pending: Mapping[str, Pending], now: datetime
) -> Section | None:
    """The money of a plan; None where no order line is concerned, or the plan is older than this section."""
    money = document.get("money", {})
    years = document.get("cost", {}).get("years", ())
    if not years and not money.get("lines"):
        return None
    blocks: list[Block] = [_by_year(years)] if years else []
    lines = money.get("lines", ())
    blocks += [_line(row) for row in lines[:LINES_SHOWN]]
    if len(lines) > LINES_SHOWN:
        blocks.append(Points([Point(f"And {len(lines) - LINES_SHOWN} more order lines, which the API lists.")]))
    if money.get("purchase_orders"):
        blocks.append(_purchase_orders(money["purchase_orders"]))
    for row in money.get("budgets", ()):
        blocks += _budget(row, pending.get(row["agreement"]), now)
    if money.get("overlaps"):
        blocks.append(_overlaps(money["overlaps"], labels))
    if money:
        blocks.append(_closed(money["closed_periods"]))
    until = money.get("until") or document.get("cost", {}).get("until")
    note = f"Net, from order lines; what is open-ended is counted to {day(until)}" if until else "Net, from order lines"
    return Section("cost", "Money", note, blocks)


def _by_year(years: Sequence[Mapping[str, JSON]]) -> Table:
    rows = []
    for row in years:
        sign = "+" if Decimal(row["change"]) > 0 else ""
        money = [amount(row[name], row["currency"]) for name in ("before", "after", "change")]
        rows.append(Row([str(row["year"]), money[0], money[1], sign + money[2]]))
    return Table("Cost by year", ("Year", "Before", "After", "Change"), rows, frozenset({1, 2, 3}))


def _line(row: Mapping[str, JSON]) -> Facts:
    currency = row["currency"]
    firm = amount(row["firm"], currency)
    if row["firm"] is not None:
        firm += f", cancelable from {day(row['cancelable_on'])}" if row["cancelable_on"] else ", to the line’s end"
    tax = f"{amount(row['tax'], currency)} at {percent(row['tax_percent'])}; {amount(row['gross'], currency)} with it"
    order = f"{row['purchase_order']}, of {day(row['purchase_order_on'])}" if row["purchase_order"] else ""
    return Facts(
        gathered(
            [
                Fact("Term", f"{instant(row['starts_at'])} to {instant(row['ends_at'], 'no end')}"),
                Fact("Total commitment, net", change(row["net_before"], row["net"], currency)),
                fact("Of it not cancelable", firm, f"{ON_LINE}may be canceled from."),
                fact("At list price", amount(row["list"], currency), f"{ON_LINE}list price."),
                fact("Discount on list", percent(row["discount_percent"]), f"{ON_LINE}list price."),
                fact("Tax", "" if row["tax"] is None else tax, f"{ON_LINE}tax percent."),
                Fact("Charged so far", amount(row["already_charged"], currency)),
                Fact("Credit by this change", amount(row["credit"], currency) if Decimal(row["credit"]) else "none"),
                fact("Credit rule", row["credit_rule"], f"{ON_LINE}credit rule."),
                Fact("Incomplete periods", "by the day" if row["proration"] == "daily" else "charged whole"),
                fact("Cost center", row["cost_center"], f"{ON_LINE}cost center."),
                fact("GL code", row["gl_code"], f"{ON_LINE}GL code."),
                fact("Purchase order", order, f"{ON_LINE}purchase order."),
            ]
        ),
        title=f"Order line {row['reference']}",
    )


def _purchase_orders(orders: Sequence[Mapping[str, JSON]]) -> Table:
    rows = []
    for row in orders:
        currency, left = row["currency"], row["left_after"]
        cells = [amount(row[name], currency) for name in ("amount", "used_before", "used_after", "left_after")]
        short = left is not None and Decimal(left) < 0
        rows.append(Row([row["number"], *cells], "danger" if short else ""))
    differ = any(row["amounts_differ"] for row in orders)
    unknown = any(row["amount"] is None for row in orders)
    note = "Lines name different amounts; the lowest is taken. " if differ else ""
    note += f"An amount that is missing: {ON_LINE}purchase order amount." if unknown else ""
    head = ("Purchase order", "Amount", "Used before", "Used after", "Left")
    return Table("Purchase order balance", head, rows, frozenset({1, 2, 3, 4}), note)


def _budget(row: Mapping[str, JSON], pending: Pending | None, now: datetime) -> list[Block]:
    currency = row["currency"]
    used = "" if row["used_after"] is None else change(row["used_before"], row["used_after"], currency)
    missing = ", ".join(row["rates_missing"])
    where = f"{ON_AGREEMENT}exchange rate of {missing}." if missing else f"{ON_AGREEMENT}currency."
    left = row["left_after"]
    facts = [
        fact("Budget", amount(row["budget"], currency), f"{ON_AGREEMENT}budget."),
        fact("Committed", used, where),
        fact("Left after this change", amount(left, currency), "It follows from budget and commitments."),
    ]
    if pending is not None and left is not None:
        facts.append(_with_pending(Decimal(left), pending, currency, now))
    facts += [
        Fact(
            f"Rate of {rate['currency']}",
            f"1 {rate['currency']} = {Decimal(rate['rate']).normalize():f} {currency}, of {day(rate['rated_on'])}"
            + (f", {rate['source']}" if rate["source"] else ""),
        )
        for rate in row["rates"]
    ]
    blocks: list[Block] = [Facts(facts, title=f"Budget of {row['reference']}")]
    if left is not None and Decimal(left) < 0:
        blocks.append(Points([Point(f"The budget is exceeded by {amount(-Decimal(left), currency)}.", "danger")]))
    return blocks


def _with_pending(left: Decimal, pending: Pending, currency: str, now: datetime) -> Fact:
    label = "Left if pending changes come too"
    if not pending.requests:
        return Fact(
            label, f"{amount(left, currency)}; no other open change that you may see, as of {instant_text(now)}"
        )
    named = ", ".join(f"#{number}" for number in pending.requests[:5])
    if pending.amount is None:
        return Fact(label, f"not known: {named} are in a currency without a rate, as of {instant_text(now)}")
    return Fact(
        label,
        f"{amount(left - pending.amount, currency)}: other open changes that you may see commit "
        f"{amount(pending.amount, currency)} ({named}), as of {instant_text(now)}",
    )


def _overlaps(overlaps: Sequence[Mapping[str, JSON]], labels: Labels) -> Table:
    rows = []
    for row in overlaps:
        same = row["predecessor_currency"] == row["successor_currency"]
        twice = min(Decimal(row["predecessor_cost"]), Decimal(row["successor_cost"])) if same else None
        rows.append(
            Row(
                [
                    f"{labels.get(row['predecessor'], 'predecessor')} and {labels.get(row['successor'], 'successor')}",
                    f"{instant(row['starts_at'])} to {instant(row['ends_at'])}",
                    amount(row["predecessor_cost"], row["predecessor_currency"]),
                    amount(row["successor_cost"], row["successor_currency"]),
                    amount(twice, row["successor_currency"]),
                ],
                "warning" if twice else "",
            )
        )
    head = ("Both in force", "When", "Predecessor costs", "Successor costs", "Paid twice")
    return Table("Double payment during overlap", head, rows, frozenset({2, 3, 4}))


def _closed(closed: Mapping[str, JSON]) -> Block:
    rows = [
        Row(
            [
                row["what"],
                row["period"],
                amount(row["change"], row["currency"]) if row["change"] is not None else "the right, not its price",
            ],
            "danger",
        )
        for row in closed["rows"]
    ]
    if rows:
        return Table("Closed periods touched", ("What", "Closed period", "Change"), rows[:200], frozenset({2}))
    return Points([Point("No closed period is touched.", "success")], title="Closed periods")
