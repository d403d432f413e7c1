"""Canonical JSON, with the vectors of RFC 8785."""

import enum
import hashlib
import struct
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from foundation.canonical import canonical_bytes, digest, jsonable
from foundation.errors import InvalidInput

SAFE = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | SAFE | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


class Color(enum.Enum):
    RED = "red"


class Terms(BaseModel):
    seats: int
    price: Decimal


class TestCanonicalBytes:
    def test_writes_the_sample_of_rfc_8785_section_3_2_2(self) -> None:
        value = {
            "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
            "literals": [None, True, False],
        }

        written = canonical_bytes(value)

        assert (
            written
            == (
                '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
                '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
            ).encode()
        )

    def test_sorts_names_by_utf_16_as_rfc_8785_section_3_2_3(self) -> None:
        value = {
            "\u20ac": "Euro Sign",
            "\r": "Carriage Return",
            "\ufb33": "Hebrew Letter Dalet With Dagesh",
            "1": "One",
            "\U0001f600": "Emoji: Grinning Face",
            "\u0080": "Control",
            "\u00f6": "Latin Small Letter O With Diaeresis",
        }

        written = canonical_bytes(value).decode()

        order = [written.index(name) for name in ("Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew")]
        assert order == sorted(order)

    @pytest.mark.parametrize(
        ("bits", "written"),
        [
            ("0000000000000000", b"0"),
            ("8000000000000000", b"0"),
            ("0000000000000001", b"5e-324"),
            ("8000000000000001", b"-5e-324"),
            ("7fefffffffffffff", b"1.7976931348623157e+308"),
            ("ffefffffffffffff", b"-1.7976931348623157e+308"),
            ("4340000000000000", b"9007199254740992"),
            ("c340000000000000", b"-9007199254740992"),
            ("4430000000000000", b"295147905179352830000"),
            ("44b52d02c7e14af5", b"9.999999999999997e+22"),
            ("44b52d02c7e14af6", b"1e+23"),
            ("44b52d02c7e14af7", b"1.0000000000000001e+23"),
            ("444b1ae4d6e2ef4e", b"999999999999999700000"),
            ("444b1ae4d6e2ef4f", b"999999999999999900000"),
            ("444b1ae4d6e2ef50", b"1e+21"),
            ("3eb0c6f7a0b5ed8c", b"9.999999999999997e-7"),
            ("3eb0c6f7a0b5ed8d", b"0.000001"),
            ("41b3de4355555553", b"333333333.3333332"),
            ("41b3de4355555557", b"333333333.33333343"),
            ("becbf647612f3696", b"-0.0000033333333333333333"),
            ("43143ff3c1cb0959", b"1424953923781206.2"),
        ],
    )
    def test_writes_the_numbers_of_rfc_8785_appendix_b(self, bits: str, written: bytes) -> None:
        (number,) = struct.unpack(">d", bytes.fromhex(bits))

        assert canonical_bytes(number) == written

    @given(VALUES)
    def test_does_not_depend_on_the_order_of_names(self, value: object) -> None:
        assert canonical_bytes(value) == canonical_bytes(_reversed(value))


class TestDigest:
    def test_hashes_bytes_as_they_are(self) -> None:
        assert digest(b"abc") == hashlib.sha256(b"abc").hexdigest()

    def test_hashes_other_values_canonically(self) -> None:
        assert digest({"b": 1, "a": 2}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()


class TestJsonable:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (UUID("AAAAAAAA-0000-4000-8000-000000000001"), "aaaaaaaa-0000-4000-8000-000000000001"),
            (date(2026, 11, 24), "2026-11-24"),
            (datetime(2026, 11, 24, 13, 5, tzinfo=UTC), "2026-11-24T13:05:00Z"),
            (datetime(2026, 11, 24, 14, 5, tzinfo=timezone(timedelta(hours=1))), "2026-11-24T13:05:00Z"),
            (datetime(2026, 11, 24, 13, 5, 0, 250, tzinfo=UTC), "2026-11-24T13:05:00.000250Z"),
            (Decimal("1.50"), "1.50"),
            (Decimal("1E+3"), "1000"),
            (Color.RED, "red"),
            ((1, "a"), [1, "a"]),
            ({3, 1, 2}, [1, 2, 3]),
            (frozenset({"b", "a"}), ["a", "b"]),
            (Terms(seats=3, price=Decimal("2.10")), {"seats": 3, "price": "2.10"}),
            ({Color.RED: 1}, {"red": 1}),
        ],
    )
    def test_writes_each_type_in_one_form(self, value: object, expected: object) -> None:
        assert jsonable(value) == expected

    @pytest.mark.parametrize(
        "value",
        [
            float("nan"),
            float("inf"),
            Decimal("NaN"),
            2**53,
            -(2**53),
            "\ud800",
            {"\udfff": 1},
            datetime(2026, 1, 1),  # noqa: DTZ001
            time(12),
            {1: "a"},
            {Color.RED: 1, "red": 2},
            object(),
            b"bytes",
            [[{"deep": float("nan")}]],
        ],
    )
    def test_refuses_what_has_no_single_form(self, value: object) -> None:
        with pytest.raises(InvalidInput, match=r"\.$"):
            jsonable(value)

    def test_tells_to_send_large_integers_as_strings(self) -> None:
        with pytest.raises(InvalidInput, match="Send it as a string"):
            canonical_bytes({"count": 2**53})


def _reversed(value: object) -> object:
    if isinstance(value, dict):
        return {name: _reversed(item) for name, item in reversed(value.items())}
    if isinstance(value, list):
        return [_reversed(item) for item in value]
    return value
