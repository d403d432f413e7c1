from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from entitlements.imports.grouping import group_licenses
from entitlements.imports.values import Column, Contact, Field, LicenseKey, Origin, Problem, Row

COLUMNS = (Column("Anzahl", 1, Field.SEATS, Origin.GIVEN, ""), Column("Mail", 2, Field.HOLDER_EMAIL, Origin.GIVEN, ""))


def row(line: int = 2, **given: Any) -> Row:
    return Row(
        **{
            "line": line,
            "product": "Kestrel CAD",
            "seats": 3,
            "company": "Halden",
            "expires_on": date(2027, 1, 31),
            "serial_number": LicenseKey("K-1"),
            "holder": Contact(email=f"p{line}@example.com", username=f"p{line}"),
            **given,
        }
    )


def only_problem(*rows: Row) -> Problem:
    grouping = group_licenses(rows, COLUMNS)
    assert grouping.licenses == ()
    [problem] = grouping.problems
    return problem


class TestALicense:
    def test_has_the_holders_of_all_its_rows(self) -> None:
        [license_] = group_licenses([row(2), row(3), row(4, holder=None)]).licenses
        assert license_.lines == (2, 3, 4)
        assert [(held.line, held.holder.username) for held in license_.held_seats] == [(2, "p2"), (3, "p3")]

    def test_is_the_same_whatever_the_case_of_its_names(self) -> None:
        assert len(group_licenses([row(2), row(3, product="KESTREL cad", company="halden")]).licenses) == 1

    @pytest.mark.parametrize(
        "other",
        [{"product": "Kestrel View"}, {"company": "Halden France"}, {"serial_number": LicenseKey("K-2")}],
    )
    def test_is_another_with_another_identity(self, other: dict[str, Any]) -> None:
        assert len(group_licenses([row(2), row(3, **other)]).licenses) == 2

    @pytest.mark.parametrize("serial_number", [None, LicenseKey("K-1")])
    def test_of_each_order_is_one_of_its_own(self, serial_number: LicenseKey | None) -> None:
        orders = ((2, "O-2"), (3, "O-1"), (4, "O-2"))
        rows = [row(line, serial_number=serial_number, order_number=order) for line, order in orders]
        assert [each.lines for each in group_licenses(rows).licenses] == [(2, 4), (3,)]
        unmarked = [replace(each, order_number="") for each in rows]
        assert [each.lines for each in group_licenses(unmarked).licenses] == [(2, 3, 4)]

    def test_has_rows_that_leave_out_its_only_order(self) -> None:
        [license_] = group_licenses([row(2), row(3, order_number="O-1")]).licenses
        assert (license_.lines, license_.order_number) == ((2, 3), "O-1")

    def test_does_not_guess_to_which_of_its_orders_a_row_belongs(self) -> None:
        grouping = group_licenses([row(2, order_number="O-1"), row(3, order_number="O-2"), row(4), row(5)])
        [problem] = grouping.problems
        assert (problem.line, problem.other_lines) == (4, (5,))
        assert "several orders (O-1, O-2)" in problem.message
        assert [each.lines for each in grouping.licenses] == [(2,), (3,)]

    def test_takes_what_is_blank_in_one_row_from_another(self) -> None:
        [license_] = group_licenses(
            [
                row(2, licensee=Contact(name="Renske"), notes="a", attributes=(("rack", "1"),)),
                row(
                    3,
                    licensee=Contact(email="r@example.com"),
                    supplier="North",
                    maintained=False,
                    notes="b",
                    attributes=(("rack", "1"), ("rack", "2")),
                ),
                row(4, notes="a"),
            ]
        ).licenses
        assert license_.licensee == Contact(name="Renske", email="r@example.com")
        assert (license_.supplier, license_.maintained, license_.notes) == ("North", False, "a\n\nb")
        assert license_.attributes == (("rack", "1"), ("rack", "2"))

    def test_ends_when_its_last_day_is_over_in_the_zone_of_the_account(self) -> None:
        [license_] = group_licenses([row()]).licenses
        assert license_.ends_at(ZoneInfo("Europe/Oslo")) == datetime(2027, 1, 31, 23, tzinfo=UTC)
        assert replace(license_, expires_on=None).ends_at(ZoneInfo("UTC")) is None


class TestRowsThatContradictEachOther:
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"seats": 4}, "another number of seats"),
            ({"seats": None}, "another number of seats"),
            ({"expires_on": date(2028, 1, 31)}, "another expiration date"),
            ({"expires_on": None}, "another expiration date"),
        ],
    )
    def test_are_a_problem_that_names_both_lines(self, given: dict[str, Any], words: str) -> None:
        problem = only_problem(row(2), row(3), row(4, **given))
        assert words in problem.message
        assert "than line 2" in problem.message
        assert problem.line == 4

    def test_are_a_problem_for_every_further_line(self) -> None:
        problem = only_problem(row(2, supplier="A"), row(3), row(4, supplier="B"), row(5, holder=None, supplier="C"))
        assert (problem.line, problem.other_lines) == (4, (5,))

    def test_are_named_by_the_columns_of_the_file(self) -> None:
        assert only_problem(row(2), row(3, seats=4)).column == "Anzahl"

    def test_do_not_keep_other_licenses_out(self) -> None:
        grouping = group_licenses([row(2), row(3, seats=4), row(4, serial_number=LicenseKey("K-2"))])
        assert [each.lines for each in grouping.licenses] == [(4,)]


class TestHolders:
    def test_beyond_the_seats_are_a_problem_that_names_the_first(self) -> None:
        problem = only_problem(*(row(line) for line in range(2, 7)))
        assert (problem.line, problem.other_lines) == (5, (6,))
        assert "has 3 seats, and this is holder number 4 of 5" in problem.message

    def test_are_as_many_as_they_like_where_seats_are_unlimited(self) -> None:
        assert group_licenses([row(line, seats=None) for line in range(2, 20)]).problems == ()

    @pytest.mark.parametrize(
        "again",
        [Contact(email="P2@example.com"), Contact(username="P2"), Contact(email="new@example.com", username="p2")],
    )
    def test_hold_one_seat_of_a_license_and_not_two(self, again: Contact) -> None:
        problem = only_problem(row(2), row(3, holder=again))
        assert "on line 2 already" in problem.message
        assert problem.line == 3
