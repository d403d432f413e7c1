from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from entitlements.imports import parsing
from entitlements.imports.parsing import parse_inventory, prepare_inventory
from entitlements.imports.rows import last_day_of_term
from entitlements.imports.values import (
    Contact,
    DateFormat,
    DecimalMark,
    ImportOptions,
    LicenseKey,
    Money,
    Problem,
    Row,
    SentinelSeats,
)
from tests.imports.examples import GOOD, SAMPLES, file_of, only_problem, problem_with, render


class TestAGoodFile:
    def test_becomes_rows(self) -> None:
        parsed = parse_inventory(file_of())
        assert parsed.problems == ()
        assert (parsed.encoding, parsed.delimiter, parsed.record_count) == ("UTF-8", ",", 1)
        assert parsed.rows == (
            Row(
                line=2,
                product="Kestrel CAD",
                seats=12,
                company="Halden Instruments",
                expires_on=date(2027, 1, 31),
                manufacturer="Kestrel Systems",
                holder=Contact("Mara Lindqvist", "mara.lindqvist@example.com", "mlindqvist"),
                serial_number=LicenseKey("KCP-7Q4M-19XD-0R2T"),
                purchased_on=date(2026, 2, 1),
                cost=Money(Decimal("1200.50"), "EUR"),
            ),
        )

    def test_may_have_blank_lines_and_blank_cells_beyond_its_columns(self) -> None:
        data = b"\n" + file_of().replace(b"Halden Instruments\n", b"Halden Instruments,,\n\n,,\n")
        parsed = parse_inventory(data)
        assert parsed.problems == ()
        assert [row.line for row in parsed.rows] == [3]

    def test_may_declare_its_delimiter(self) -> None:
        data = b"sep=;\r\n" + render([list(GOOD), list(GOOD.values())], ";")
        parsed = parse_inventory(data)
        assert (parsed.delimiter, [row.line for row in parsed.rows]) == (";", [3])

    def test_does_not_show_its_license_keys(self) -> None:
        row = parse_inventory(file_of()).rows[0]
        assert "7Q4M" not in repr(row)
        assert str(row.serial_number) == "…0R2T"
        assert str(LicenseKey("SHORT-1")) == "…"


class TestAFileThatCannotBeRead:
    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "The file is empty"),
            (b"\xef\xbb\xbf", "The file is empty"),
            (b",,,\n,,\n", "The file is empty"),
            (b"sep=;\n", "The file is empty"),
            (b"PK\x03\x04", "Excel workbook"),
            (b'Item name,"seats\n', "the quotes of this record do not match"),
            (b"Item name,se\0ats\n1,2\n", "no text"),
            (",".join(f"c{n}" for n in range(201)).encode(), "at most 200"),
            (file_of().splitlines()[0], "a header but no records"),
        ],
    )
    def test_is_one_problem_in_plain_words(self, data: bytes, words: str) -> None:
        parsed = parse_inventory(data)
        assert words in only_problem(parsed).message
        assert parsed.rows == ()

    def test_has_too_many_records(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parsing, "MAX_RECORDS", 2)
        assert parse_inventory(file_of({}, {})).problems == ()
        assert "more than 2 records" in only_problem(parse_inventory(file_of({}, {}, {}))).message


class TestABadRecord:
    @pytest.mark.parametrize(
        ("column", "cell", "words"),
        [
            ("Item name", "", "the product is missing"),
            ("company", "", "the company is missing. Fill it in or choose a default"),
            ("seats", "9999", "often stands for “unlimited”"),
            ("expiration date", "", "the expiration date is missing"),
            ("expiration date", "2026-01-31", "ends before it was bought on 2026-02-01"),
            ("reassignable", "sometimes", "neither yes nor no"),
            ("purchase cost", "1,234 EUR", "a decimal point or a decimal comma"),
            ("purchase date", "02/03/2025", "day first or month first"),
        ],
    )
    def test_is_reported_with_line_and_column(self, column: str, cell: str, words: str) -> None:
        problem = problem_with(column, cell)
        assert words in problem.message
        assert (problem.line, problem.column, problem.value) == (2, column, cell)

    def test_reports_all_its_bad_cells(self) -> None:
        parsed = parse_inventory(file_of({"seats": "x", "Email": "y", "Item name": ""}))
        assert [problem.column for problem in parsed.problems] == ["Item name", "seats", "Email"]

    def test_leaves_the_others_good(self) -> None:
        parsed = parse_inventory(file_of({}, {"seats": "none"}, {"serial number": "other"}))
        assert [row.line for row in parsed.rows] == [2, 4]
        assert parsed.record_count == 3

    def test_with_a_person_known_by_name_only_is_reported(self) -> None:
        parsed = parse_inventory(file_of({"Email": "", "Username": ""}))
        assert "names are not unique" in only_problem(parsed).message

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            (b"a,b", "2 of 11 cells"),
            (b"," * 11 + b"x", "12 cells, but the header only 11"),
            (b"\0" + b"," * 10, "no text"),
            (b"caf\xc3\xa9 \xff" + b"," * 10, "no text"),
            (b'"open' + b"," * 10, "quotes"),
        ],
    )
    def test_of_a_wrong_shape_is_reported(self, line: bytes, words: str) -> None:
        problem = only_problem(parse_inventory(file_of() + line + b"\n"))
        assert words in problem.message
        assert problem.line == 3
        assert not {"\0", "\udcff"} & set(problem.value)

    def test_never_shows_a_license_key(self) -> None:
        assert problem_with("serial number", "K" * 501).value == ""

    def test_shows_long_cells_shortened(self) -> None:
        assert len(problem_with("Email", "x" * 1_000).value) == 120

    def test_reads_well_in_a_terminal(self) -> None:
        assert str(problem_with("seats", "0")).startswith("Line 2, column “seats”: a license has at least one seat.")
        assert str(Problem("It is empty.")) == "The file: It is empty."


class TestConventions:
    def test_of_a_date_column_are_proved_by_one_value(self) -> None:
        parsed = parse_inventory(
            file_of({"expiration date": "02/03/2027"}, {"expiration date": "12/31/2027", "serial number": "x"})
        )
        assert [row.expires_on for row in parsed.rows] == [date(2027, 2, 3), date(2027, 12, 31)]
        assert "read with month first, because of “12/31/2027” on line 3" in parsed.notes[0]

    def test_of_one_date_column_say_nothing_of_another(self) -> None:
        parsed = parse_inventory(file_of({"purchase date": "31/01/2025", "expiration date": "02/03/2027"}))
        assert only_problem(parsed).column == "expiration date"

    def test_left_open_are_asked_for_once_and_keep_their_rows_out(self) -> None:
        parsed = parse_inventory(
            file_of(
                {"expiration date": "02/03/2027"}, {"expiration date": "2027-01-01"}, {"expiration date": "04/05/2027"}
            )
        )
        problem = only_problem(parsed)
        assert (problem.line, problem.other_lines) == (2, (4,))
        assert [row.line for row in parsed.rows] == [3]

    def test_left_open_lead_to_no_further_complaint(self) -> None:
        parsed = parse_inventory(file_of({"purchase date": "02/03/2027", "expiration date": "2027-02-20"}))
        assert only_problem(parsed).column == "purchase date"

    def test_that_contradict_each_other_are_named(self) -> None:
        parsed = parse_inventory(
            file_of(
                {"expiration date": "12/31/2027"}, {"expiration date": "31/12/2027"}, {"expiration date": "04/05/2027"}
            )
        )
        message = only_problem(parsed).message
        assert "“12/31/2027”" in message
        assert "“31/12/2027”" in message
        assert [row.line for row in parsed.rows] == [2, 3]

    def test_can_be_chosen(self) -> None:
        options = ImportOptions(date_format=DateFormat.DAY_FIRST, decimal_mark=DecimalMark.COMMA)
        parsed = parse_inventory(file_of({"expiration date": "02/03/2027", "purchase cost": "1,234 EUR"}), options)
        assert parsed.rows[0].expires_on == date(2027, 3, 2)
        assert parsed.rows[0].cost == Money(Decimal("1.234"), "EUR")

    def test_of_amounts_are_proved_by_one_value(self) -> None:
        parsed = parse_inventory(
            file_of({"purchase cost": "1.234 EUR"}, {"purchase cost": "9,50 EUR", "serial number": "x"})
        )
        assert [row.cost for row in parsed.rows] == [Money(Decimal(1234), "EUR"), Money(Decimal("9.50"), "EUR")]


class TestOptions:
    def test_fill_in_what_is_blank_and_say_how_often(self) -> None:
        options = ImportOptions(
            default_company="Halden", default_manufacturer="Kestrel", default_expires_on=date(2028, 6, 30)
        )
        parsed = parse_inventory(file_of({"company": "", "manufacturer": "", "expiration date": ""}), options)
        row = parsed.rows[0]
        assert (row.company, row.manufacturer, row.expires_on) == ("Halden", "Kestrel", date(2028, 6, 30))
        assert sum("was blank in 1 record" in note for note in parsed.notes) == 3

    def test_do_not_fill_in_what_is_there(self) -> None:
        options = ImportOptions(
            default_company="Other", default_manufacturer="Other", blank_expiration_is_perpetual=True
        )
        assert parse_inventory(file_of(), options).rows == parse_inventory(file_of()).rows

    def test_count_a_term_from_the_purchase(self) -> None:
        options = ImportOptions(default_term_months=12)
        assert parse_inventory(file_of({"expiration date": ""}), options).rows[0].expires_on == date(2027, 1, 31)
        both_blank = parse_inventory(file_of({"expiration date": "", "purchase date": ""}), options)
        assert "without a purchase date" in only_problem(both_blank).message

    @pytest.mark.parametrize(
        ("first_day", "months", "last_day"),
        [
            (date(2026, 3, 1), 12, date(2027, 2, 28)),
            (date(2026, 1, 31), 1, date(2026, 2, 28)),
            (date(2026, 12, 15), 1, date(2027, 1, 14)),
            (date(2028, 2, 29), 12, date(2029, 2, 28)),
        ],
    )
    def test_end_a_term_the_day_before_it_would_begin_again(self, first_day: date, months: int, last_day: date) -> None:
        assert last_day_of_term(first_day, months) == last_day

    @pytest.mark.parametrize("cell", ["perpetual", "Never"])
    def test_are_not_needed_for_an_explicit_lack_of_an_end(self, cell: str) -> None:
        assert parse_inventory(file_of({"expiration date": cell})).rows[0].expires_on is None

    def test_decide_what_9999_means(self) -> None:
        options = ImportOptions(sentinel_seats=SentinelSeats.UNLIMITED)
        assert parse_inventory(file_of({"seats": "9999"}), options).rows[0].seats is None

    def test_say_that_dollars_were_assumed(self) -> None:
        assert "US dollars in 1 record" in parse_inventory(file_of({"purchase cost": "$5"})).notes[-1]
        assert parse_inventory(file_of({"purchase cost": "$5"}), ImportOptions(currency="CAD")).notes == ()

    @pytest.mark.parametrize(
        "chosen",
        [
            {"default_term_months": 12, "default_expires_on": date(2028, 1, 1)},
            {"default_term_months": 0},
            {"default_expires_on": date(9999, 12, 31)},
            {"currency": "$"},
            {"delimiter": '"'},
        ],
    )
    def test_make_sense(self, chosen: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"\.$"):
            ImportOptions(**chosen)  # type: ignore[arg-type]


class TestPrepareInventory:
    BAD: tuple[dict[str, str], ...] = ({}, {"serial number": "x", "seats": "0"}, {"serial number": "y"})

    def test_has_all_licenses_of_a_good_file(self) -> None:
        inventory = prepare_inventory(file_of({}, {"serial number": "y"}))
        assert len(inventory.licenses) == 2
        assert inventory.left_out_lines == ()

    def test_has_none_if_a_row_is_bad(self) -> None:
        inventory = prepare_inventory(file_of(*self.BAD))
        assert inventory.licenses == ()
        assert inventory.left_out_lines == (2, 3, 4)

    def test_has_the_good_ones_if_the_user_says_so(self) -> None:
        inventory = prepare_inventory(file_of(*self.BAD), ImportOptions(good_rows_only=True))
        assert [license_.lines for license_ in inventory.licenses] == [(2,), (4,)]
        assert inventory.left_out_lines == (3,)

    def test_counts_contradictions_among_the_problems(self) -> None:
        inventory = prepare_inventory(file_of({}, {"seats": "13", "Email": "b@example.com", "Username": "b"}))
        assert inventory.licenses == ()
        assert inventory.parsed.problems == ()
        assert "another number of seats" in inventory.problems[0].message
        assert inventory.left_out_lines == (2, 3)

    def test_leaves_no_line_out_of_a_file_that_it_cannot_read(self) -> None:
        assert prepare_inventory(b"a,b\n1,2\n").left_out_lines == ()


class TestTheSamples:
    def test_inventory_is_good(self) -> None:
        inventory = prepare_inventory((SAMPLES / "inventory.csv").read_bytes())
        assert inventory.problems == ()
        assert len(inventory.parsed.rows) == 39
        assert len(inventory.licenses) == 14
        assert sum(len(license_.held_seats) for license_ in inventory.licenses) == 38

    def test_inventory_with_errors_shows_what_can_be_wrong(self) -> None:
        data = (SAMPLES / "inventory-with-errors.csv").read_bytes()
        inventory = prepare_inventory(data, ImportOptions(good_rows_only=True))
        assert [license_.product for license_ in inventory.licenses] == ["Kestrel CAD Professional", "Tidewater Backup"]
        lines = {line for each in inventory.problems for line in (each.line, *each.other_lines)}
        assert lines >= {4, 12, 18, 20, 29}
        assert len(inventory.problems) >= 20
        assert [each.line for each in inventory.problems] == sorted(each.line or 0 for each in inventory.problems)
