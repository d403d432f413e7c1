from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from entitlements.imports import cells
from entitlements.imports.cells import BadCell
from entitlements.imports.values import DateFormat, DecimalMark, Money, SentinelSeats

ASK = SentinelSeats.ASK


class TestSeats:
    @pytest.mark.parametrize(
        ("cell", "seats"),
        [("12", 12), ("012", 12), ("12.0", 12), ("999", 999), ("Unlimited", None), ("∞", None), ("10000000", 10**7)],
    )
    def test_are_a_whole_number_or_explicitly_unlimited(self, cell: str, seats: int | None) -> None:
        assert cells.parse_seats(cell, ASK) == seats

    @pytest.mark.parametrize(
        ("cell", "words"),
        [
            ("", "missing"),
            ("0", "at least one"),
            ("-3", "not a number"),
            ("1,000", "without separators"),
            ("12.5", "not a number"),
            ("twelve", "not a number"),
            ("²", "not a number"),
            ("١٢", "not a number"),
            ("9" * 100, "not a number"),
            ("10000001", "more than"),
        ],
    )
    def test_are_nothing_else(self, cell: str, words: str) -> None:
        with pytest.raises(BadCell, match=words):
            cells.parse_seats(cell, ASK)

    @pytest.mark.parametrize("cell", ["9999", "99999", "999999", "65535", "2147483647"])
    def test_that_often_mean_unlimited_are_asked_about(self, cell: str) -> None:
        with pytest.raises(BadCell, match="often stands for “unlimited”"):
            cells.parse_seats(cell, ASK)
        assert cells.parse_seats(cell, SentinelSeats.UNLIMITED) is None

    def test_that_often_mean_unlimited_can_be_meant(self) -> None:
        assert cells.parse_seats("9999", SentinelSeats.NUMBER) == 9_999


class TestDates:
    @pytest.mark.parametrize(
        "cell",
        [
            "2026-12-31",
            "2026/12/31",
            "2026-12-31 00:00:00",
            "2026-12-31T00:00:00Z",
            "31.12.2026",
            "12/31/2026",
            "31 Dec 2026",
            "31-Dec-2026",
            "December 31, 2026",
            "Dec. 31 2026",
        ],
    )
    def test_are_read_as_people_write_them(self, cell: str) -> None:
        assert cells.parse_date(cell, None) == date(2026, 12, 31)

    def test_follow_the_order_of_their_column(self) -> None:
        assert cells.parse_date("02/03/2026", DateFormat.DAY_FIRST) == date(2026, 3, 2)
        assert cells.parse_date("02/03/2026", DateFormat.MONTH_FIRST) == date(2026, 2, 3)

    def test_may_be_blank(self) -> None:
        assert cells.parse_date("", None) is None

    @pytest.mark.parametrize(
        ("cell", "words"),
        [
            ("31.12.26", "two digits"),
            ("2026-02-30", "no such day"),
            ("31 Foo 2026", "no such day"),
            ("2026-12-31 06:00", "without a time of day"),
            ("next year", "not a date"),
            ("9999-12-31", "write “perpetual”"),
            ("0001-01-01", "outside"),
            ("46022", "not a date"),
            ("1" * 5_000, "not a date"),
        ],
    )
    def test_are_nothing_else(self, cell: str, words: str) -> None:
        with pytest.raises(BadCell, match=words):
            cells.parse_date(cell, None)

    def test_against_the_chosen_order_are_refused_by_name(self) -> None:
        with pytest.raises(BadCell, match="with the month first"):
            cells.parse_date("31/12/2026", DateFormat.MONTH_FIRST)

    @pytest.mark.parametrize(
        ("cell", "evidence"),
        [
            ("31/12/2026", (DateFormat.DAY_FIRST, False)),
            ("12/31/2026", (DateFormat.MONTH_FIRST, False)),
            ("05/06/2026", (None, True)),
            ("05/05/2026", (None, False)),
            ("31/31/2026", (None, False)),
            ("2026-05-06", (None, False)),
        ],
    )
    def test_prove_an_order_or_leave_it_open(self, cell: str, evidence: tuple[DateFormat | None, bool]) -> None:
        assert cells.date_evidence(cell) == evidence


class TestAmounts:
    @pytest.mark.parametrize(
        ("cell", "amount", "currency"),
        [
            ("$1,234.50", "1234.50", "USD"),
            ("1.234,50 €", "1234.50", "EUR"),
            ("€12,5", "12.5", "EUR"),
            ("£1,125.00", "1125.00", "GBP"),
            ("CHF 1'234.50", "1234.50", "CHF"),
            ("1\u202f234,50 EUR", "1234.50", "EUR"),
            ("1 234 567,00 sek", "1234567.00", "SEK"),
            ("12,345,678 USD", "12345678", "USD"),
            ("US$0", "0", "USD"),
            ("0,125 EUR", "0.125", "EUR"),
        ],
    )
    def test_are_read_with_their_currency(self, cell: str, amount: str, currency: str) -> None:
        assert cells.parse_money(cell, None, None) == Money(Decimal(amount), currency)

    @pytest.mark.parametrize(
        ("cell", "words"),
        [
            ("1200.00", "names no currency"),
            ("about 500", "not an amount"),
            ("-5 EUR", "zero or more"),
            ("(5.00) EUR", "zero or more"),
            ("$5 EUR", "currency twice"),
            ("5 XQZ", "“XQZ” is not a currency"),
            ("kr 500", "DKK, ISK, NOK, SEK"),
            ("1,2,3 EUR", "grouped"),
            ("1.234,5,6 EUR", "grouped"),
            ("1.23456 EUR", "too many digits"),
            ("1" + " " * 5_000 + "x", "not an amount"),
            ("free", "not an amount"),
        ],
    )
    def test_are_nothing_else(self, cell: str, words: str) -> None:
        with pytest.raises(BadCell, match=words):
            cells.parse_money(cell, None, None)

    def test_take_the_currency_of_the_user_where_it_fits(self) -> None:
        assert cells.parse_money("5", None, "NOK") == Money(Decimal("5.0"), "NOK")
        assert cells.parse_money("kr 5", None, "NOK") == Money(Decimal("5.0"), "NOK")
        assert cells.parse_money("$5", None, "CAD") == Money(Decimal("5.0"), "CAD")
        assert cells.parse_money("$5", None, "EUR") == Money(Decimal("5.0"), "USD")
        assert cells.parse_money("", None, "NOK") is None

    @pytest.mark.parametrize(
        ("cell", "evidence"),
        [
            ("$1,234.50", (DecimalMark.POINT, False)),
            ("1.234,50", (DecimalMark.COMMA, False)),
            ("12,50", (DecimalMark.COMMA, False)),
            ("1,234,567", (DecimalMark.POINT, False)),
            ("1,234", (None, True)),
            ("$1.234", (None, True)),
            ("1234", (None, False)),
            ("free", (None, False)),
        ],
    )
    def test_prove_a_decimal_mark_or_leave_it_open(self, cell: str, evidence: tuple[DecimalMark | None, bool]) -> None:
        assert cells.mark_evidence(cell) == evidence

    def test_follow_the_mark_of_their_column(self) -> None:
        assert cells.parse_money("1,234 EUR", DecimalMark.COMMA, None) == Money(Decimal("1.234"), "EUR")
        assert cells.parse_money("1,234 EUR", DecimalMark.POINT, None) == Money(Decimal(1234), "EUR")


class TestOtherCells:
    @pytest.mark.parametrize(
        ("cell", "value"), [("TRUE", True), ("yes", True), ("NO", False), ("0", False), ("", None)]
    )
    def test_say_yes_or_no_or_nothing(self, cell: str, value: bool | None) -> None:
        assert cells.parse_yes_or_no(cell) is value

    def test_do_not_say_sometimes(self) -> None:
        with pytest.raises(BadCell, match="neither yes nor no"):
            cells.parse_yes_or_no("sometimes")

    def test_are_put_on_one_line_and_composed(self) -> None:
        assert cells.parse_text("Cafe\u0301 \n suite") == "Café suite"

    def test_are_not_longer_than_can_be_kept(self) -> None:
        with pytest.raises(BadCell, match="501 characters"):
            cells.parse_text("x" * 501)
        with pytest.raises(BadCell, match="20,001 characters"):
            cells.parse_notes("x" * 20_001)

    @pytest.mark.parametrize("cell", ["no one", "a@b", "a@b@c.de", "a@b.de, c@d.de", "a@" + "b" * 300 + ".de"])
    def test_are_one_mail_address(self, cell: str) -> None:
        with pytest.raises(BadCell, match="not one mail address"):
            cells.parse_email(cell)
