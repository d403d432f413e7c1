"""How agreements and order lines change: payloads and kinds."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from approvals.governed import Kind, Operation, Preparation, PreparedItem, Scope
from approvals.records.kinds import AmendKind, CreateKind, RecordKind, RetireKind, known, referred_row
from approvals.records.payloads import Code, Currency, Name, Payload, Text, partial
from approvals.records.rows import instant, parse_instant
from approvals.records.undoing import RestoreKind
from entitlements.agreements import facts
from entitlements.agreements.facts import AGREEMENT_ASPECTS, AGREEMENT_FACTS, ORDER_LINE_ASPECTS, ORDER_LINE_FACTS
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.changes import Money, product_of_sku
from entitlements.catalog.models import SKURevision
from entitlements.catalog.regions import check_currency, expand
from foundation.canonical import digest, jsonable
from foundation.errors import InvalidInput

Row = Mapping[str, Any]
Percent = Annotated[Decimal, Field(ge=0, le=1000, max_digits=6, decimal_places=3)]
Quantity = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Document(Payload):
    """A document of the agreement: where it is and what its content was (SHA-256, hex)."""

    name: Name
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | Literal[""] = ""
    url: Text = ""


class Clause(Payload):
    """A clause: its text with its digest (SHA-256 of its UTF-8 bytes, computed if left out), and our reading of it."""

    number: Text
    title: Name
    text: Text = ""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | Literal[""] = ""
    interpretation: Text = ""
    interpreted_by: Text = ""
    interpreted_on: date | None = None


class Consent(Payload):
    """A consent: to what, who gave it when, and the document that shows it."""

    to: Name
    given_by: Name
    given_on: date
    document: Text = ""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | Literal[""] = ""


class Screening(Payload):
    """A check for export control or data residency: of what, with which outcome, when and by whom."""

    matter: Literal["export", "residency"]
    subject: Name
    outcome: Literal["clear", "pending", "objection"]
    screened_on: date
    screened_by: Text = ""
    reference: Text = ""


class ExchangeRate(Payload):
    """A dated rate: how much of the agreement's currency one unit of `currency` is."""

    currency: Currency
    rate: Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=8)]
    rated_on: date
    source: Text = ""


class AgreementPayload(Payload):
    """An agreement; `bridge_countries` takes countries and region groups."""

    reference: Code
    title: Name
    side: Literal["licensor", "licensee", "reseller"]
    licensor: Name
    licensee_id: UUID
    purchaser: Text = ""
    reseller: Text = ""
    covered_accounts: list[UUID] = []
    covers_descendants: bool = False
    assignability: Annotated[str, Field(max_length=200)] = ""
    documents: list[Document] = []
    clauses: list[Clause] = []
    consents: list[Consent] = []
    screenings: list[Screening] = []
    exchange_rates: list[ExchangeRate] = []
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    renewal: Literal["ends", "auto", "evergreen"] = "ends"
    renewal_months: Annotated[int, Field(ge=1, le=600)] | None = None
    notice_days: Annotated[int, Field(ge=0, le=3650)] = 0
    notice_served_on: date | None = None
    price_cap_percent: Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=2)] | None = None
    termination_terms: Text = ""
    true_up_terms: Text = ""
    bridge_days_total: Annotated[int, Field(ge=1, le=3650)] | None = None
    bridge_count_total: Annotated[int, Field(ge=1, le=1000)] | None = None
    bridge_seats: Quantity | None = None
    bridge_countries: list[str] = []
    bridge_production_use: bool = False
    bridge_price: Money | None = None
    bridge_needs_written_consent: bool = True
    budget: Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=2)] | None = None
    currency: Currency | Literal[""] = ""
    owner_id: UUID | None = None


class PeriodRow(Payload):
    """One period of an order line; quantity null is explicitly unlimited, and so must be said."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    quantity: Quantity | None
    unit_price: Money


class OrderLinePayload(Payload):
    """An order line with its prices by period."""

    agreement_id: UUID
    reference: Code
    sku_revision_id: UUID
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    periods: Annotated[list[PeriodRow], Field(min_length=1, max_length=200)]
    billing: Literal["once", "month", "year"] = "year"
    list_price: Money | None = None
    discount_percent: Percent | None = None
    currency: Currency
    proration: Literal["daily", "none"] = "daily"
    credit_rule: Annotated[str, Field(max_length=200)] = ""
    co_term_on: date | None = None
    purchase_order: Annotated[str, Field(max_length=100)] = ""
    purchase_order_on: date | None = None
    purchase_order_amount: Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=2)] | None = None
    cancelable_on: date | None = None
    tax_percent: Percent | None = None
    cost_center: Annotated[str, Field(max_length=100)] = ""
    gl_code: Annotated[str, Field(max_length=100)] = ""


class _Agreement(RecordKind):
    own_facts = AGREEMENT_FACTS
    aspects = AGREEMENT_ASPECTS

    def scope(self, row: Row, preparation: Preparation) -> Scope:
        """The licensee and the covered accounts."""
        ids = {row["licensee_id"], *row["covered_accounts"]}
        return Scope(account_ids=frozenset(UUID(str(account_id)) for account_id in ids))

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Refuse currencies that do not exist, and rates that convert into nothing."""
        check_currency(after["currency"])
        for rate in after["exchange_rates"]:
            check_currency(rate["currency"])
            if not after["currency"]:
                raise InvalidInput("A rate converts into the agreement's currency. Say which that is.")

    def facts_of(self, *, before: Row | None, after: Row, effects: Row, preparation: Preparation) -> dict[str, Any]:
        """Parties, clauses, term."""
        return known(facts.of_agreement(before=before, after=after, now=preparation.now))

    def outside(self, *, item: PreparedItem) -> Sequence[str]:
        """A notice that was served."""
        before, served = item.before or {}, (item.after or {}).get("notice_served_on")
        if served is None or before.get("notice_served_on") == served:
            return ()
        return (f"{item.label}: the notice served on {served} is not unsaid by taking it off the record.",)


class _OrderLine(RecordKind):
    own_facts = ORDER_LINE_FACTS
    aspects = ORDER_LINE_ASPECTS

    def scope(self, row: Row, preparation: Preparation) -> Scope:
        """The agreement's licensee and the product."""
        agreement = referred_row(Agreement, row["agreement_id"], preparation)
        revision = referred_row(SKURevision, row["sku_revision_id"], preparation)
        return Scope(
            frozenset({UUID(str(agreement["licensee_id"]))}),
            frozenset({product_of_sku(revision["sku_id"], preparation)}),
        )

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Refuse unknown currencies and periods that leave the line's term or overlap."""
        check_currency(after["currency"])
        line_end = instant(after["ends_at"])
        previous_end = instant(after["starts_at"])
        for index, period in enumerate(after["periods"], start=1):
            starts_at, ends_at = parse_instant(period["starts_at"]), instant(period["ends_at"])
            if previous_end is None or starts_at < previous_end:
                raise InvalidInput(f"Period {index} starts before the one before it ends, or before the line starts.")
            if ends_at is not None and ends_at <= starts_at:
                raise InvalidInput(f"Period {index} ends before it starts.")
            if ends_at is None and index < len(after["periods"]):
                raise InvalidInput(f"Period {index} is open, but another follows. Say when it ends.")
            if line_end is not None and ends_at is not None and ends_at > line_end:
                raise InvalidInput(f"Period {index} ends after the order line does.")
            previous_end = ends_at

    def facts_of(self, *, before: Row | None, after: Row, effects: Row, preparation: Preparation) -> dict[str, Any]:
        """Currency, quantity, price, term."""
        return known(facts.of_order_line(before=before, after=after, now=preparation.now))

    def outside(self, *, item: PreparedItem) -> Sequence[str]:
        """What was ordered."""
        if item.operation is Operation.INSERT:
            return (f"{item.label}: an order that was placed is not canceled with its supplier by retiring it here.",)
        return (f"{item.label}: what was ordered, invoiced or paid on the changed terms stands with its supplier.",)


class CreateAgreement(_Agreement, CreateKind):
    """Add an agreement."""

    def values(self, *, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The terms, with region groups expanded."""
        values = _digested(payload.model_dump())
        values["bridge_countries"], _ = expand(values["bridge_countries"])
        return values


class AmendAgreement(_Agreement, AmendKind):
    """Amend an agreement."""

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The changed terms, with region groups expanded."""
        values = _digested(super().values(before=before, payload=payload, preparation=preparation))
        if "bridge_countries" in values:
            values["bridge_countries"], _ = expand(values["bridge_countries"])
        return values


class RetireAgreement(_Agreement, RetireKind):
    """Retire an agreement: nothing new is ordered under it."""


class RestoreAgreement(_Agreement, RestoreKind):
    """Restore an agreement."""


class AddOrderLine(_OrderLine, CreateKind):
    """Add an order line."""

    def values(self, *, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The line, its periods as JSON rows in UTC."""
        values = payload.model_dump()
        values["periods"] = [_period(period) for period in values["periods"]]
        return values


class AmendOrderLine(_OrderLine, AmendKind):
    """Amend an order line."""

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The changed values, periods as JSON rows in UTC."""
        values = super().values(before=before, payload=payload, preparation=preparation)
        if "periods" in values:
            values["periods"] = [_period(period) for period in values["periods"]]
        return values


class RetireOrderLine(_OrderLine, RetireKind):
    """Retire an order line: nothing new is granted under it."""


def _digested(values: dict[str, Any]) -> dict[str, Any]:
    """The values with each clause's digest, and its rows as JSON."""
    for name in ("consents", "screenings", "exchange_rates"):
        if name in values:
            values[name] = jsonable(values[name])
    if "clauses" in values:
        values["clauses"] = [jsonable(clause | {"digest": _digest_of(clause)}) for clause in values["clauses"]]
    return values


def _digest_of(clause: Row) -> str:
    known = digest(clause["text"].encode()) if clause["text"] else ""
    if clause["digest"] not in ("", known):
        raise InvalidInput(
            f"The text of clause {clause['number']} is not what its digest says. Give the text that was read, or leave "
            "the digest out: it is computed."
        )
    return known


class RestoreOrderLine(_OrderLine, RestoreKind):
    """Restore an order line."""


def _period(period: Mapping[str, Any]) -> dict[str, Any]:
    return dict(jsonable(period))


KINDS: tuple[Kind, ...] = (
    CreateAgreement(name="agreement.create", title="Add agreement", model=Agreement, payload=AgreementPayload),
    AmendAgreement(name="agreement.amend", title="Amend agreement", model=Agreement, payload=partial(AgreementPayload)),
    RetireAgreement(name="agreement.retire", title="Retire agreement", model=Agreement),
    RestoreAgreement(model=Agreement),
    AddOrderLine(name="orderline.create", title="Add order line", model=OrderLine, payload=OrderLinePayload),
    AmendOrderLine(
        name="orderline.amend",
        title="Amend order line",
        model=OrderLine,
        payload=partial(OrderLinePayload, without=("agreement_id",)),
    ),
    RetireOrderLine(name="orderline.retire", title="Retire order line", model=OrderLine),
    RestoreOrderLine(model=OrderLine),
)
