"""
The registry's business rules on entitlements: one class a rule, whose sentence people read in plans and documentation.

Pure, over rows as JSON values. The database holds the same rules as constraints (docs/invariants.md); here they are
told before anything is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from approvals.records.rows import instant, parse_instant

Row = Mapping[str, Any]
FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """
    One entitlement as a change would leave it, with what it stands under.

    `siblings` are the other entitlements of its order line; `ancestors` its account and those above it. `held` counts
    the seats that are held after the change, `strangers` those of them that the change gives to people of accounts that
    it does not serve.
    """

    entitlement: Row
    revision: Row
    order_line: Row
    agreement: Row
    siblings: Sequence[Row]
    ancestors: frozenset[str]
    predecessor: Row | None
    predecessor_product: str | None
    product: str
    feature_codes: frozenset[str]
    held: int
    strangers: int


class Rule:
    """A rule: its sentence, the invariant it serves, and what breaks it."""

    sentence: ClassVar[str]
    invariant: ClassVar[str] = "INV-13"

    def broken(self, case: Case) -> str | None:
        """What breaks the rule, in words, or None if it holds."""
        raise NotImplementedError


class SeatsWithinSKURevision(Rule):
    """Bounds of the SKU revision."""

    sentence = "The seats lie within the smallest and largest number that the SKU revision allows."

    def broken(self, case: Case) -> str | None:
        """Seats outside the bounds, or unlimited where there is a maximum."""
        seats, least, most = case.entitlement["seats"], case.revision["seats_minimum"], case.revision["seats_maximum"]
        if seats is None:
            return None if most is None else f"unlimited seats, but the SKU revision allows at most {most}"
        if seats < least:
            return f"{seats} seats, but the SKU revision asks for at least {least}"
        return (
            f"{seats} seats, but the SKU revision allows at most {most}" if most is not None and seats > most else None
        )


class CountriesWithinSKURevision(Rule):
    """Regions of use."""

    sentence = "Every country of use is one of the SKU revision's."

    def broken(self, case: Case) -> str | None:
        """Countries beyond the revision's."""
        beyond = sorted(set(case.entitlement["countries"]) - set(case.revision["countries"]))
        return f"{', '.join(beyond)} not among the SKU revision's countries" if beyond else None


class EnvironmentsWithinSKURevision(Rule):
    """Environments."""

    sentence = "Every environment is one that the SKU revision allows."

    def broken(self, case: Case) -> str | None:
        """Environments beyond the revision's."""
        beyond = sorted(set(case.entitlement["environments"]) - set(case.revision["environments"]))
        return f"{', '.join(beyond)} not allowed by the SKU revision" if beyond else None


class FeaturesOfProduct(Rule):
    """Overrides name features."""

    sentence = "Feature overrides name features of the product."

    def broken(self, case: Case) -> str | None:
        """Overrides of unknown features."""
        unknown = sorted(set(case.entitlement["feature_overrides"]) - case.feature_codes)
        return f"no feature {', '.join(unknown)} in the product" if unknown else None


class WithinOrderLine(Rule):
    """Term of the order."""

    sentence = "The right of use lies within the term of its order line."

    def broken(self, case: Case) -> str | None:
        """A start before or an end after the line's."""
        return _outside(case.entitlement, case.order_line, f"order line {case.order_line['reference']}")


class OfOrderedSKU(Rule):
    """What was ordered."""

    sentence = "The entitlement is of the SKU that the order line ordered."

    def broken(self, case: Case) -> str | None:
        """Another SKU."""
        ordered = case.order_line.get("sku_id")
        return None if ordered in (None, case.entitlement["sku_id"]) else "the order line is for another SKU"


class OrderLineWithinAgreement(Rule):
    """Term of the agreement."""

    sentence = "The order line lies within the term of its agreement."

    def broken(self, case: Case) -> str | None:
        """A line that outlives its agreement."""
        return broken_by_line(order_line=case.order_line, agreement=case.agreement)


class AccountCovered(Rule):
    """Whom the agreement covers."""

    sentence = "The agreement covers the account."

    def broken(self, case: Case) -> str | None:
        """An account that is neither named nor below one that is."""
        covered = {case.agreement["licensee_id"], *case.agreement["covered_accounts"]}
        if case.entitlement["account_id"] in covered:
            return None
        if case.agreement["covers_descendants"] and covered & case.ancestors:
            return None
        return f"agreement {case.agreement['reference']} does not cover the account"


class QuantityOrdered(Rule):
    """How many were ordered."""

    sentence = "Together the entitlements of an order line give no more seats than it has, at any time."

    def broken(self, case: Case) -> str | None:
        """The first instant at which there are too many."""
        rows = [*case.siblings, case.entitlement]
        starts = {parse_instant(row["starts_at"]) for row in rows}
        starts |= {instant(row["ends_at"]) or FAR for row in rows} - {FAR}
        starts |= {parse_instant(period["starts_at"]) for period in case.order_line["periods"]}
        starts |= {instant(period["ends_at"]) or FAR for period in case.order_line["periods"]} - {FAR}
        for at in sorted(starts):
            in_force = _counting(rows, at)
            if not in_force:
                continue
            allowed = _quantity(case.order_line, at)
            given = [row["seats"] for row in in_force]
            if allowed == "unlimited":
                continue
            if allowed is None:
                return f"nothing was ordered for the time from {at:%Y-%m-%d %H:%M %Z}"
            total = None if None in given else sum(given)
            if total is None or total > allowed:
                said = "unlimited" if total is None else str(total)
                return f"{said} seats from {at:%Y-%m-%d %H:%M %Z}, but {allowed} were ordered for that time"
        return None


class NoOverlap(Rule):
    """One at a time."""

    sentence = "Entitlements of one account, SKU, phase and order line do not overlap in time."
    invariant = "INV-5"

    def broken(self, case: Case) -> str | None:
        """Another one in force at the same time."""
        row = case.entitlement
        for sibling in case.siblings:
            same = all(sibling[name] == row[name] for name in ("account_id", "sku_id", "phase"))
            if same and _overlap(sibling, row):
                return f"{sibling['reference']} is in force at the same time"
        return None


class SuccessorOfSameProduct(Rule):
    """Replacement."""

    sentence = "A successor replaces an entitlement of the same product."

    def broken(self, case: Case) -> str | None:
        """A predecessor of another product."""
        if case.predecessor is None or case.predecessor_product == case.product:
            return None
        return f"{case.predecessor['reference']} is an entitlement of another product"


class SeatsNotBelowUse(Rule):
    """Reduction."""

    sentence = "Under hard enforcement the seats are not fewer than those held after the change."
    invariant = "INV-6"

    def broken(self, case: Case) -> str | None:
        """More held than granted."""
        seats = case.entitlement["seats"]
        if seats is None or case.entitlement["enforcement"] != "hard" or case.held <= seats:
            return None
        return f"{case.held} seats would be held of {seats}; name people whose seats are released"


class HoldersServed(Rule):
    """Whom seats are for."""

    sentence = "Seats are given to people of accounts that the entitlement serves."

    def broken(self, case: Case) -> str | None:
        """Holders of other accounts."""
        if not case.strangers:
            return None
        return f"{case.strangers} of those given a seat belong to accounts that it does not serve"


def broken_by_line(*, order_line: Row, agreement: Row) -> str | None:
    """What breaks `OrderLineWithinAgreement` for an order line by itself, in words, or None if it holds."""
    ends_at = agreement["ends_at"] if agreement["renewal"] == "ends" else None
    return _outside(order_line, dict(agreement) | {"ends_at": ends_at}, f"agreement {agreement['reference']}")


RULES: tuple[Rule, ...] = (
    SeatsWithinSKURevision(),
    CountriesWithinSKURevision(),
    EnvironmentsWithinSKURevision(),
    FeaturesOfProduct(),
    WithinOrderLine(),
    OfOrderedSKU(),
    OrderLineWithinAgreement(),
    AccountCovered(),
    QuantityOrdered(),
    NoOverlap(),
    SuccessorOfSameProduct(),
    SeatsNotBelowUse(),
    HoldersServed(),
)


def _outside(inner: Row, outer: Row, name: str) -> str | None:
    if parse_instant(inner["starts_at"]) < parse_instant(outer["starts_at"]):
        return f"it starts before {name} does"
    if (instant(inner["ends_at"]) or FAR) > (instant(outer["ends_at"]) or FAR):
        return f"it ends after {name} does"
    return None


def _in_force(row: Row, at: datetime) -> bool:
    return parse_instant(row["starts_at"]) <= at < (instant(row["ends_at"]) or FAR)


def _overlap(one: Row, other: Row) -> bool:
    return parse_instant(one["starts_at"]) < (instant(other["ends_at"]) or FAR) and parse_instant(
        other["starts_at"]
    ) < (instant(one["ends_at"]) or FAR)


def _counting(rows: Iterable[Row], at: datetime) -> list[Row]:
    in_force = [row for row in rows if _in_force(row, at)]
    replaced = {row["replaces_id"] for row in in_force}
    return [row for row in in_force if row["id"] not in replaced]


def _quantity(order_line: Row, at: datetime) -> Any:
    for period in order_line["periods"]:
        ends_at = instant(period["ends_at"]) or instant(order_line["ends_at"]) or FAR
        if parse_instant(period["starts_at"]) <= at < ends_at:
            return "unlimited" if period["quantity"] is None else period["quantity"]
    return None
