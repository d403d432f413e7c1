"""What finance reads of a plan: commitment, purchase orders, budgets, credits, double payment, closed books."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from approvals.governed import Draft
from approvals.requests import services
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.catalog.models import SKURevision
from entitlements.directory.models import Account
from foundation.errors import InvalidInput
from foundation.identity.models import User
from tests import given

STARTS = (given.NOW - timedelta(days=60)).isoformat()
ENDS = (given.NOW + timedelta(days=305)).isoformat()


@pytest.fixture
def author(db: None) -> User:
    """Have somebody who may propose everywhere."""
    return given.user("licensing")


@pytest.fixture
def account(db: None) -> Account:
    """Have an account; the books of January are closed."""
    starts_at, ends_at = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
    given.record("accounting_period.close", label="January", starts_at=starts_at, ends_at=ends_at)
    return given.account()


@pytest.fixture
def agreement(account: Account) -> Agreement:
    """Have an agreement with a budget in euros."""
    rates = [
        {"currency": "USD", "rate": "0.90", "rated_on": "2026-02-01", "source": "ECB"},
        {"currency": "USD", "rate": "0.95", "rated_on": "2026-04-01", "source": "ECB"},
    ]
    return given.agreement(account, budget="20000", currency="EUR", exchange_rates=rates)


@pytest.fixture
def revision(db: None) -> SKURevision:
    """Have terms at 120 euros."""
    return given.sku_revision(given.sku(given.product()), list_price="120", currency="EUR")


@pytest.fixture
def line(agreement: Agreement, revision: SKURevision) -> OrderLine:
    """Have fifty seats for a year at 100 euros."""
    more = {"purchase_order": "PO-7", "purchase_order_amount": "6000", "tax_percent": "19", "cost_center": "CC-1"}
    return given.order_line(agreement, revision, 50, starts_at=STARTS, ends_at=ENDS, **more)


def money(author: User, *drafts: Draft) -> Any:
    return services.preview(drafts=list(drafts), user=author, now=given.NOW).plan.document["money"]


def more_seats(line: OrderLine, quantity: int = 70, price: str = "100", **values: Any) -> Draft:
    periods = [{"starts_at": STARTS, "ends_at": ENDS, "quantity": quantity, "unit_price": price}]
    return Draft("orderline.amend", {"periods": periods, **values}, line.id)


class TestCommitment:
    def test_is_told_net_at_list_with_tax_and_gross(self, author: User, line: OrderLine) -> None:
        told = money(author, more_seats(line))["lines"][0]

        assert (told["net_before"], told["net"]) == ("5000.00", "7000.00")
        assert (told["list"], told["discount_percent"]) == ("8400.00", "16.67")
        assert (told["tax"], told["gross"]) == ("1330.00", "8330.00")
        assert told["cost_center"] == "CC-1"

    def test_is_firm_to_the_end_unless_it_may_be_canceled(self, author: User, line: OrderLine) -> None:
        monthly = more_seats(line, billing="month", cancelable_on="2026-03-15")

        assert money(author, more_seats(line))["lines"][0]["firm"] == "7000.00"
        assert money(author, monthly)["lines"][0]["firm"] == "21000.00"

    def test_of_an_open_ended_line_is_not_known_to_be_firm(
        self, author: User, agreement: Agreement, revision: SKURevision
    ) -> None:
        endless = given.order_line(agreement, revision, 10)

        assert money(author, Draft("orderline.amend", {"gl_code": "4711"}, endless.id))["lines"][0]["firm"] is None

    def test_names_what_was_charged_and_would_be_credited(self, author: User, line: OrderLine) -> None:
        told = money(author, more_seats(line, quantity=40))["lines"][0]

        assert (told["already_charged"], told["credit"]) == ("4000.00", "1000.00")

    def test_is_told_of_the_line_behind_an_entitlement(self, author: User, line: OrderLine, account: Account) -> None:
        right = given.entitlement(line, seats=10, ends_at=ENDS)

        told = money(author, Draft("entitlement.amend", {"seats": 20}, right.id))["lines"]

        assert [row["reference"] for row in told] == [line.reference]


class TestPurchaseOrder:
    def test_says_what_is_left(self, author: User, line: OrderLine) -> None:
        told = money(author, more_seats(line))["purchase_orders"]

        assert [(row["number"], row["left_before"], row["left_after"]) for row in told] == [
            ("PO-7", "1000.00", "-1000.00")
        ]

    def test_takes_the_lowest_of_amounts_that_differ(
        self, author: User, line: OrderLine, agreement: Agreement, revision: SKURevision
    ) -> None:
        given.order_line(agreement, revision, 1, purchase_order="PO-7", purchase_order_amount="5500", ends_at=ENDS)

        told = money(author, more_seats(line))["purchase_orders"][0]

        assert (told["amount"], told["amounts_differ"]) == ("5500.00", True)


class TestBudget:
    def test_counts_every_line_of_the_agreement_at_the_rate_dated_last(
        self, author: User, line: OrderLine, agreement: Agreement, revision: SKURevision
    ) -> None:
        given.order_line(agreement, revision, 10, starts_at=STARTS, ends_at=ENDS, currency="USD")

        told = money(author, more_seats(line))["budgets"][0]

        assert (told["used_before"], told["used_after"], told["left_after"]) == ("5900.00", "7900.00", "12100.00")
        assert [rate["rated_on"] for rate in told["rates"]] == ["2026-02-01"]

    def test_is_not_known_without_a_rate(
        self, author: User, line: OrderLine, agreement: Agreement, revision: SKURevision
    ) -> None:
        given.order_line(agreement, revision, 10, starts_at=STARTS, ends_at=ENDS, currency="CHF")

        told = money(author, more_seats(line))["budgets"][0]

        assert (told["left_after"], told["rates_missing"]) == (None, ["CHF"])


class TestOverlap:
    def test_tells_what_is_paid_twice(
        self, author: User, line: OrderLine, agreement: Agreement, revision: SKURevision, account: Account
    ) -> None:
        former = given.entitlement(line, seats=50, ends_at=(given.NOW + timedelta(days=73)).isoformat())
        later = given.order_line(agreement, revision, 50, starts_at=given.NOW.isoformat(), periods=_periods())
        grant = Draft(
            "entitlement.grant",
            {
                "reference": "NEXT",
                "account_id": str(account.id),
                "order_line_id": str(later.id),
                "phase": "production",
                "seats": 50,
                "regions": ["DE"],
                "starts_at": given.NOW.isoformat(),
                "replaces_id": str(former.id),
            },
        )

        told = money(author, grant)["overlaps"]

        assert [(row["predecessor_cost"], row["successor_cost"]) for row in told] == [("1000.00", "2000.00")]


class TestClosedBooks:
    def test_are_named_by_month_and_amount(self, author: User, line: OrderLine) -> None:
        told = money(author, more_seats(line))["closed_periods"]["rows"]

        assert [(row["period"], row["change"], row["currency"]) for row in told] == [("January", "2000.00", "EUR")]

    def test_are_not_touched_by_what_changes_later(self, author: User, line: OrderLine) -> None:
        assert money(author, Draft("orderline.amend", {"gl_code": "1"}, line.id))["closed_periods"]["rows"] == []

    def test_are_touched_by_a_right_that_begins_in_them(self, author: User, line: OrderLine, account: Account) -> None:
        grant = {
            "reference": "BACK",
            "account_id": str(account.id),
            "order_line_id": str(line.id),
            "phase": "production",
            "seats": 5,
            "regions": ["DE"],
            "starts_at": (given.NOW - timedelta(days=40)).isoformat(),
        }

        told = money(author, Draft("entitlement.grant", grant))["closed_periods"]["rows"]

        assert [(row["what"], row["period"], row["change"]) for row in told] == [("BACK", "January", None)]


class TestTerms:
    def test_hold_each_clause_with_its_digest_and_what_became_of_it(self, author: User, account: Account) -> None:
        clause = {"number": "4", "title": "Use", "text": "Worldwide.", "interpretation": "Everywhere."}
        agreement = given.agreement(account, clauses=[clause, clause | {"number": "5"}])
        changed = [clause | {"text": "In Germany."}, clause | {"number": "6", "interpreted_on": "2026-02-01"}]

        plan = services.preview(
            drafts=[Draft("agreement.amend", {"clauses": changed}, agreement.id)], user=author, now=given.NOW
        ).plan
        told = plan.document["agreements"][0]["clauses"]

        assert [(row["number"], row["state"]) for row in told] == [("4", "changed"), ("6", "new"), ("5", "removed")]
        assert told[0]["was"]["text"] == "Worldwide."
        assert all(len(row["digest"]) == 64 for row in told)

    def test_refuse_a_text_that_is_not_what_its_digest_says(self, account: Account) -> None:
        with pytest.raises(InvalidInput, match="is not what its digest says"):
            given.agreement(account, clauses=[{"number": "4", "title": "Use", "text": "X", "digest": "0" * 64}])

    def test_refuse_a_rate_into_no_currency(self, account: Account) -> None:
        with pytest.raises(InvalidInput, match="agreement's currency"):
            given.agreement(account, exchange_rates=[{"currency": "USD", "rate": "1", "rated_on": "2026-02-01"}])

    def test_say_when_notice_must_be_given_and_what_follows_without(self, author: User, account: Account) -> None:
        agreement = given.agreement(
            account,
            renewal="auto",
            renewal_months=12,
            notice_days=90,
            ends_at=(given.NOW + timedelta(days=30)).isoformat(),
        )

        plan = services.preview(
            drafts=[Draft("agreement.amend", {"title": "New"}, agreement.id)], user=author, now=given.NOW
        ).plan

        assert plan.document["agreements"][0]["notice"] == {
            "deadline_on": "2026-01-01",
            "passed": True,
            "renews_to": "2027-04-01T10:00:00Z",
        }


class TestSentence:
    def test_says_what_it_costs_and_that_nobody_loses_access(self, author: User, line: OrderLine) -> None:
        document = services.preview(drafts=[more_seats(line)], user=author, now=given.NOW).plan.document

        assert document["sentence"] == (
            f"Amend order line {line.reference}; it costs 2,000.00 EUR more in all, net, counted to 31 Dec 2029; "
            "nobody loses access."
        )
        assert document["permanent"] == [
            f"{line.reference}: 2,000.00 EUR more are committed; acting back does not cancel what was ordered from the "
            "licensor meanwhile"
        ]

    def test_agrees_with_the_cost_by_year(self, author: User, line: OrderLine) -> None:
        document = services.preview(drafts=[more_seats(line)], user=author, now=given.NOW).plan.document

        by_year = sum(Decimal(row["change"]) for row in document["cost"]["years"])
        by_line = sum(Decimal(row["net"]) - Decimal(row["net_before"]) for row in document["money"]["lines"])
        assert by_year == by_line == Decimal("2000.00")


def _periods() -> list[dict[str, Any]]:
    return [{"starts_at": given.NOW.isoformat(), "ends_at": None, "quantity": 50, "unit_price": "200"}]
