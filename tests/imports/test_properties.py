"""What holds for every file."""

from __future__ import annotations

import unicodedata
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from entitlements.imports.parsing import parse_inventory, prepare_inventory
from entitlements.imports.values import DELIMITERS, ImportOptions, Parsed, Row
from tests.imports.examples import GOOD, SAMPLES, render, render_text

HEADER = b",".join(name.encode() for name in GOOD) + b"\n"
GOOD_FILE = (SAMPLES / "inventory.csv").read_bytes()
words = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Mn", "Mc", "Me", "Co", "Cf", "Lm", "Lo"))
    | st.sampled_from(",;\t|\"' "),
    min_size=1,
    max_size=20,
).map(lambda text: f"a{text}z")


@st.composite
def good_records(draw: st.DrawFn) -> list[dict[str, str]]:
    count = draw(st.integers(1, 6))
    return [
        {
            "Full Name": draw(words),
            "Email": f"p{number}@example.com",
            "Username": f"p{number}",
            "Item name": draw(words),
            "serial number": f"S-{number}",
            "manufacturer": draw(words),
            "purchase date": draw(st.dates(*_years(1990, 2025))).isoformat(),
            "purchase cost": f"{draw(st.integers(0, 10**9)) / 100:.2f} EUR",
            "expiration date": draw(st.dates(*_years(2026, 2100))).isoformat() if draw(st.booleans()) else "perpetual",
            "seats": str(draw(st.integers(1, 9_998))) if draw(st.booleans()) else "unlimited",
            "company": draw(words),
            "Remark of the shop": draw(st.just("") | words),
        }
        for number in range(count)
    ]


def _years(first: int, last: int) -> tuple[date, date]:
    return date(first, 1, 1), date(last, 12, 31)


def check_sound(parsed: Parsed) -> None:
    """No text that cannot be stored, no bad record among the good ones, and every record told of."""
    bad = {line for each in parsed.problems if each.line for line in (each.line, *each.other_lines)}
    assert not bad & {row.line for row in parsed.rows}
    assert len(parsed.rows) <= parsed.record_count
    assert parsed.rows or parsed.problems
    "".join(f"{each} {each.value}" for each in parsed.problems).encode()
    assert "\0" not in "".join(each.value for each in parsed.problems)
    repr(parsed.rows).encode()


class TestAnyBytes:
    @given(st.binary(max_size=300))
    def test_are_answered(self, data: bytes) -> None:
        check_sound(parse_inventory(data))

    @given(st.lists(st.sampled_from([b",", b'"', b"\n", b"\r", b";", b"\0", b"\xed\xa0\x80", b"\xe9", b"x", b"1"])))
    def test_are_answered_below_a_good_header(self, parts: list[bytes]) -> None:
        prepare_inventory(HEADER + b"".join(parts), ImportOptions(good_rows_only=True))
        check_sound(parse_inventory(HEADER + b"".join(parts)))

    @given(st.integers(0, len(GOOD_FILE) - 1), st.binary(max_size=4), st.integers(0, 4))
    def test_are_answered_when_a_good_file_is_damaged(self, at: int, inserted: bytes, removed: int) -> None:
        check_sound(parse_inventory(GOOD_FILE[:at] + inserted + GOOD_FILE[at + removed :]))

    @given(st.sampled_from(list(GOOD)), st.text(max_size=40))
    def test_are_answered_in_every_cell(self, column: str, cell: str) -> None:
        row = {**GOOD, column: cell}
        text = render_text([list(row), list(row.values())])
        check_sound(parse_inventory(text.encode("utf-8", "surrogatepass")))


class TestAGoodFile:
    @given(good_records(), st.sampled_from(DELIMITERS), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    def test_comes_back_as_it_was_written(self, records: list[dict[str, str]], delimiter: str, encoding: str) -> None:
        data = render([list(records[0]), *(list(record.values()) for record in records)], delimiter)
        parsed = parse_inventory(data.decode().encode(encoding), ImportOptions(delimiter=delimiter))
        assert parsed.problems == ()
        assert [_written(row) for row in parsed.rows] == [
            {name: _on_one_line(cell) for name, cell in record.items()} for record in records
        ]

    @given(st.permutations(list(GOOD)), st.sampled_from(DELIMITERS))
    def test_may_have_its_columns_in_any_order(self, header: list[str], delimiter: str) -> None:
        data = render([header, [GOOD[name] for name in header]], delimiter)
        assert parse_inventory(data).rows == parse_inventory(render([list(GOOD), list(GOOD.values())])).rows


def _written(row: Row) -> dict[str, str]:
    assert row.holder is not None
    assert row.serial_number is not None
    assert row.purchased_on is not None
    assert row.cost is not None
    return {
        "Full Name": row.holder.name,
        "Email": row.holder.email,
        "Username": row.holder.username,
        "Item name": row.product,
        "serial number": row.serial_number.value,
        "manufacturer": row.manufacturer,
        "purchase date": row.purchased_on.isoformat(),
        "purchase cost": f"{row.cost.amount:.2f} {row.cost.currency}",
        "expiration date": row.expires_on.isoformat() if row.expires_on else "perpetual",
        "seats": "unlimited" if row.seats is None else str(row.seats),
        "company": row.company,
        "Remark of the shop": _on_one_line(dict(row.attributes).get("Remark of the shop", "")),
    }


def _on_one_line(cell: str) -> str:
    return unicodedata.normalize("NFC", " ".join(cell.split()))
