"""How values are written on pages."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from babel.numbers import UnknownCurrencyError
from django.template import Context, Template
from django.utils import timezone

from foundation.templatetags.tenure import day, instant, money, whole

MOMENT = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)


class TestInstant:
    @pytest.mark.parametrize(
        ("zone", "shown"),
        [
            ("Europe/Berlin", "24 Nov 2026, 14:05 CET"),
            ("UTC", "24 Nov 2026, 13:05 UTC"),
            ("America/Sao_Paulo", "24 Nov 2026, 10:05 UTC-03:00"),
            ("Asia/Tokyo", "24 Nov 2026, 22:05 JST"),
            ("Asia/Kathmandu", "24 Nov 2026, 18:50 UTC+05:45"),
        ],
    )
    def test_is_written_in_the_readers_zone(self, zone: str, shown: str) -> None:
        with timezone.override(zone):
            assert instant(MOMENT) == f'<time datetime="2026-11-24T13:05:00Z">{shown}</time>'

    def test_says_what_stands_for_none(self) -> None:
        assert instant(None) == "–"
        assert instant(None, "open end") == "open end"

    def test_refuses_an_instant_without_zone(self) -> None:
        with pytest.raises(ValueError, match="naive"):
            instant(datetime(2026, 1, 1))  # noqa: DTZ001

    def test_is_available_to_templates(self) -> None:
        rendered = Template("{% load tenure %}{{ at|instant }} {{ amount|money:'EUR' }}").render(
            Context({"at": MOMENT, "amount": Decimal("1234.5")})
        )

        assert rendered == '<time datetime="2026-11-24T13:05:00Z">24 Nov 2026, 13:05 UTC</time> 1,234.50 EUR'


class TestDay:
    def test_writes_a_date(self) -> None:
        assert day(date(2026, 3, 2)) == '<time datetime="2026-03-02">2 Mar 2026</time>'

    def test_writes_an_instants_day_in_the_readers_zone(self) -> None:
        with timezone.override("Asia/Tokyo"):
            assert ">25 Nov 2026<" in day(datetime(2026, 11, 24, 23, tzinfo=UTC))


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "currency", "shown"),
        [
            (Decimal("1234.5"), "EUR", "1,234.50 EUR"),
            (Decimal("-3"), "USD", "-3.00 USD"),
            (1234, "JPY", "1,234 JPY"),
            (Decimal("1.2345"), "KWD", "1.234 KWD"),
            (None, "EUR", "–"),
        ],
    )
    def test_writes_the_currencys_code_and_decimals(
        self, amount: Decimal | int | None, currency: str, shown: str
    ) -> None:
        assert money(amount, currency) == shown

    def test_refuses_an_unknown_currency(self) -> None:
        with pytest.raises(UnknownCurrencyError):
            money(1, "QQQ")


class TestWhole:
    def test_groups_digits(self) -> None:
        assert (whole(1234567), whole(0), whole(None)) == ("1,234,567", "0", "–")
