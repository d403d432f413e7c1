from __future__ import annotations

import pytest

from entitlements.imports.records import Record, read_records, sniff_delimiter, split_declared_delimiter
from entitlements.imports.values import Problem


def lines_of(text: str) -> list[tuple[int, bool]]:
    return [(each.line or 0, isinstance(each, Record)) for each in read_records(text, ",")]


class TestReadRecords:
    def test_names_the_physical_line_on_which_each_record_starts(self) -> None:
        text = 'a,b\n1,"two\nlines\r\nand a third"\r\n\n2,x\n'
        assert lines_of(text) == [(1, True), (2, True), (5, True), (6, True)]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_knows_every_line_end(self, end: str) -> None:
        records = list(read_records(end.join(["a,b", "1,2", "3,4"]), ","))
        assert records == [Record(1, ("a", "b")), Record(2, ("1", "2")), Record(3, ("3", "4"))]

    def test_does_not_break_lines_where_an_editor_does_not(self) -> None:
        assert list(read_records("a\u2028b\x0bc,d", ",")) == [Record(1, ("a\u2028b\x0bc", "d"))]

    def test_strips_cells_and_blanks_before_quotes(self) -> None:
        assert list(read_records(' a , "b, c"\n', ",")) == [Record(1, ("a", "b, c"))]

    def test_goes_on_after_a_quote_that_is_never_closed(self) -> None:
        assert lines_of('a,b\n1,"open\n2,x\n3,y\n') == [(1, True), (2, False), (3, True), (4, True)]

    def test_goes_on_after_a_quote_inside_a_cell(self) -> None:
        assert lines_of('a,b\n1,"so "called" x"\n2,y\n') == [(1, True), (2, False), (3, True)]

    def test_reports_a_cell_of_absurd_length(self) -> None:
        assert lines_of('a,b\n"' + "x" * 200_000 + '",1\n2,y\n') == [(1, True), (2, False), (3, True)]

    def test_stops_when_quotes_hardly_ever_match(self) -> None:
        # Each record opens a quote that its last line closes wrongly, so each look reaches the end.
        text = '"",""\n"' + "\n".join(['"",""'] * 40) + '\n"x'
        found = [each for each in read_records(text, ",") if isinstance(each, Problem)]
        assert len(found) < 40

    def test_counts_the_lines_before_the_text(self) -> None:
        assert list(read_records("a\n", ",", lines_before=1)) == [Record(2, ("a",))]


class TestTheDelimiter:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_is_the_one_that_splits_the_header(self, delimiter: str) -> None:
        assert sniff_delimiter("\n" + delimiter.join(["Item name", '"a, b; c"', "seats"]) + "\n1,2,3,4,5") == delimiter

    def test_is_a_comma_where_nothing_splits(self) -> None:
        assert sniff_delimiter("seats") == ","
        assert sniff_delimiter("") == ","

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("sep=;\r\na;b", (";", "a;b", 1)),
            ("SEP=\t\na\tb", ("\t", "a\tb", 1)),
            ('sep="\na', (None, 'sep="\na', 0)),
            ("a,b", (None, "a,b", 0)),
        ],
    )
    def test_may_be_declared_in_the_first_line(self, text: str, expected: tuple[str | None, str, int]) -> None:
        assert split_declared_delimiter(text) == expected
