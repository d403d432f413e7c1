"""The planner that approvals asks: what a set of items would do to people, cost and coverage."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from approvals.governed import Operation, Plan, PreparedItem, Size, Undone
from entitlements.grants.models import Entitlement
from entitlements.planning import (
    checks,
    consequences,
    costs,
    coverage,
    facts,
    history,
    inverses,
    lines,
    material,
    money,
    sentences,
    terms,
)
from entitlements.planning.coverage import Comparison
from entitlements.planning.registry import Registry, overlaid, touched
from entitlements.planning.tables import label_records
from foundation.canonical import jsonable

JSON = Any


class RegistryPlanner:
    """Plans items against the registry as it stands; writes nothing."""

    facts = facts.FACTS

    def hold(self, *, items: Sequence[PreparedItem]) -> None:
        """Lock the agreements under which the items add up."""
        history.hold(items)

    def plan(self, *, items: Sequence[PreparedItem], now: datetime) -> Plan:
        """What the items would do, together: see docs/plan-document.md."""
        before = touched(items)
        after = overlaid(before, items)
        comparison = coverage.compare(before=before, after=after, items=items, now=now)
        outcomes = checks.outcomes(registry=after, items=items, now=now)
        cost_before, cost_after = costs.compare(items=items, now=now)
        seat_rows = coverage.seat_map(before=before, after=after, items=items, now=now)
        stranded = coverage.without_seat(rows=seat_rows, after=after)
        broken = [f"{outcome.label}: {outcome.broken}" for outcome in outcomes if outcome.broken]
        losers = _losers(comparison, stranded, after)
        document: dict[str, JSON] = {
            "counts": _counts(items),
            "changes": _changes(items, before, after),
            "cost": costs.section(before=cost_before, after=cost_after, now=now),
            "seats": _seats(items, seat_rows),
            "people": {"lose": losers, "gain": _gainers(comparison, items, after)},
            "coverage": coverage.section(comparison),
            "rules": [outcome.row() for outcome in outcomes],
            "delivery": {"enforcement_points": []},
            "labels": _labels(items, before, after),
        }
        document |= {
            "as_of": now,
            "money": money.section(items=items, before=before, after=after, horizon=costs.until(now), now=now),
            "agreements": terms.section(items=items, before=before, after=after, now=now),
            "hosting": terms.hosting(items=items, after=after),
        }
        document["permanent"] = consequences.permanent(items=items, document=document, now=now)
        document["interruption"] = sentences.interruption(
            losers=losers, gaps=document["coverage"]["new_gaps"], remaining=document["coverage"]["gaps_after"]
        )
        document["summary"] = sentences.summary(counts=document["counts"], interruption=document["interruption"])
        document["sentence"] = consequences.sentence(
            items=items,
            after=after,
            labels=document["labels"],
            money=_money_told(cost_before, cost_after, now),
            ending=document["interruption"] or "nobody loses access",
        )
        weighed = material.material_of(
            gaps=comparison.refused,
            losers=[(str(row["person"]), str(row["account"]), str(row["product"])) for row in losers],
            costs=cost_after,
            failed=broken,
        )
        new_gaps = bool(comparison.refused or stranded)
        return Plan(
            document=jsonable(document),
            material=jsonable(weighed),
            new_gaps=new_gaps,
            failures=tuple(broken),
            facts=jsonable(facts.of_change(items=items, people=document["people"], new_gaps=new_gaps, now=now)),
            item_facts=jsonable(facts.of_items(items=items, now=now)),
            size=Size(_seats_added(items), _committed(cost_after)),
        )

    def moved(self, *, reviewed: Mapping[str, JSON], fresh: Mapping[str, JSON]) -> tuple[str, ...]:
        """What is worse in the fresh plan."""
        return material.moved(reviewed=reviewed, fresh=fresh)

    def worse_than_before(
        self, *, undone: Sequence[Undone], items: Sequence[PreparedItem], now: datetime
    ) -> tuple[str, ...]:
        """Gaps, people losing access and cost that there would not be, had the change not been applied."""
        return inverses.worse_than_before(undone=undone, items=items, now=now)


def _money_told(before: costs.Years, after: costs.Years, now: datetime) -> str:
    return consequences.money_told(before=before, after=after, until=costs.until(now))


def _seats_added(items: Sequence[PreparedItem]) -> int | None:
    """Seats that entitlements get more of, without what others get fewer of; None if one becomes unlimited."""
    added = 0
    for item in items:
        if item.table != Entitlement._meta.db_table or item.after is None:
            continue
        seats, former = item.after["seats"], item.before["seats"] if item.before else 0
        if seats is None and former is not None:
            return None
        added += max(seats - former, 0) if seats is not None and former is not None else 0
    return added


def _committed(after: costs.Years) -> dict[str, Decimal]:
    """What the touched order lines cost after the change, by currency, until the horizon of costs."""
    total: dict[str, Decimal] = {}
    for (_year, currency), amount in sorted(after.items()):
        total[currency] = total.get(currency, Decimal(0)) + amount
    return total


def _counts(items: Sequence[PreparedItem]) -> dict[str, int]:
    """Entitlements granted, amended and retired, and other records changed."""
    counts = {"granted": 0, "amended": 0, "retired": 0, "other": 0}
    for item in items:
        if item.table != Entitlement._meta.db_table:
            counts["other"] += 1
        elif item.operation is Operation.INSERT:
            counts["granted"] += 1
        else:
            counts["retired" if item.kind == "entitlement.retire" else "amended"] += 1
    return counts


def _changes(items: Sequence[PreparedItem], before: Registry, after: Registry) -> list[dict[str, JSON]]:
    labels = _labels(items, before, after)
    return [
        {
            "position": position,
            "kind": item.kind,
            "operation": item.operation,
            "record_id": item.record_id,
            "label": item.label,
            "lines": lines.lines_of(item, labels) + lines.seat_lines(item),
        }
        for position, item in enumerate(items)
    ]


def _seats(items: Sequence[PreparedItem], rows: list[dict[str, JSON]]) -> dict[str, JSON]:
    return {
        "moved": sum(1 for row in rows if row["to"] is not None),
        "without": sum(1 for row in rows if row["to"] is None),
        "rows": rows,
        "held": sum(len(item.effects.get("hold", ())) for item in items),
        "released": sum(len(item.effects.get("release", ())) for item in items),
    }


def _losers(comparison: Comparison, stranded: Sequence[Mapping[str, JSON]], after: Registry) -> list[dict[str, JSON]]:
    """
    People who lose access by the change: by coverage, by a hole in a succession, or for want of a successor's seat.
    """
    rows = [coverage.shift_row(shift) for shift in comparison.losing]
    seen = {(str(row["person"]), str(row["product"])) for row in rows}
    for gap in comparison.refused:
        for person in gap.people:
            if (str(person), str(gap.place.product_id)) not in seen and gap.kind != "grace":
                seen.add((str(person), str(gap.place.product_id)))
                rows.append(
                    {
                        "person": person,
                        "account": gap.place.account_id,
                        "product": gap.place.product_id,
                        "at": gap.starts_at,
                        "until": gap.ends_at,
                        "kind": gap.kind,
                    }
                )
    for row in stranded:
        entitlement = after.entitlements[row["from"]]
        product = after.product_of(entitlement)
        if (row["person"], product) not in seen:
            seen.add((row["person"], product))
            rows.append(
                {
                    "person": row["person"],
                    "account": entitlement["account_id"],
                    "product": product,
                    "at": row["at"],
                    "until": None,
                    "kind": "no_seat",
                }
            )
    return rows


def _gainers(comparison: Comparison, items: Sequence[PreparedItem], after: Registry) -> list[dict[str, JSON]]:
    """People who gain access: by coverage, or by a seat that they did not have before."""
    rows = [coverage.shift_row(shift) for shift in comparison.gaining]
    seen = {(str(row["person"]), str(row["product"])) for row in rows}
    had = {(str(need.person), str(need.product_id)) for need in comparison.before.needs}
    for item in items:
        if item.table != Entitlement._meta.db_table or item.after is None:
            continue
        product = after.product_of(item.after)
        for person in item.effects.get("hold", ()):
            if (person, product) not in had | seen:
                seen.add((person, product))
                rows.append(
                    {
                        "person": person,
                        "account": item.after["account_id"],
                        "product": product,
                        "at": item.after["starts_at"],
                        "until": item.after["ends_at"],
                        "kind": "seat",
                    }
                )
    return rows


def _labels(items: Sequence[PreparedItem], before: Registry, after: Registry) -> dict[str, str]:
    """Names for the ids of accounts, products, entitlements and whatever else the items refer to; never people's."""
    labels = {str(item.record_id): item.label for item in items}
    for registry in (before, after):
        labels |= {key: row["name"] for key, row in {**registry.accounts, **registry.products}.items()}
        labels |= {
            key: row["reference"]
            for key, row in {**registry.entitlements, **registry.order_lines, **registry.agreements}.items()
        }
        labels |= {key: row["code"] for key, row in registry.skus.items()}
        labels |= {
            key: f"{registry.skus[row['sku_id']]['code']} r{row['number']}"
            for key, row in registry.revisions.items()
            if row["sku_id"] in registry.skus
        }
    unknown = {key for key in lines.named_in(items) | _parties(after) if str(key) not in labels}
    return labels | label_records(unknown)


def _parties(registry: Registry) -> set[UUID]:
    """Accounts and owners that the agreements concerned name."""
    found: set[UUID] = set()
    for row in registry.agreements.values():
        found |= {UUID(str(key)) for key in (row["licensee_id"], row["owner_id"], *row["covered_accounts"]) if key}
    return found
