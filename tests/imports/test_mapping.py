from __future__ import annotations

from collections import Counter

import pytest

from entitlements.imports.mapping import KNOWN_NAMES, map_columns
from entitlements.imports.parsing import parse_inventory
from entitlements.imports.values import Field, ImportOptions, Origin
from tests.imports.examples import GOOD, file_of, only_problem

COMPLETE = ("Item name", "seats", "company", "expiration date")


def messages(*header: str, options: ImportOptions | None = None) -> list[str]:
    return [problem.message for problem in map_columns(header, options or ImportOptions(), line=1)[1]]


class TestKnownNames:
    def test_has_every_field(self) -> None:
        assert set(KNOWN_NAMES) == set(Field)

    def test_has_each_name_once(self) -> None:
        counted = Counter(name for names in KNOWN_NAMES.values() for name in names)
        assert [name for name, count in counted.items() if count > 1] == []


class TestTheMapping:
    def test_is_guessed_without_regard_to_case_and_punctuation(self) -> None:
        columns, problems = map_columns(("ITEM-NAME", "Seats ", "Company", "Valid until"), ImportOptions(), line=1)
        assert problems == ()
        assert [column.field for column in columns] == [
            Field.PRODUCT,
            Field.SEATS,
            Field.COMPANY,
            Field.EXPIRATION_DATE,
        ]
        assert {column.origin for column in columns} == {Origin.GUESSED}

    def test_as_given_outranks_a_guess_and_the_loser_is_kept_and_said(self) -> None:
        options = ImportOptions(mapping={"Paket": Field.PRODUCT})
        columns, problems = map_columns((*COMPLETE, "Paket"), options, line=1)
        assert problems == ()
        assert (columns[-1].field, columns[-1].origin) == (Field.PRODUCT, Origin.GIVEN)
        assert columns[0].field is None
        assert "which the mapping takes from another column" in columns[0].reason

    def test_may_keep_a_column_from_being_guessed(self) -> None:
        columns, _ = map_columns((*COMPLETE, "Notes"), ImportOptions(mapping={"notes": None}), line=1)
        assert (columns[-1].field, columns[-1].origin) == (None, Origin.GIVEN)

    def test_keeps_cells_without_a_meaning_as_attributes_and_says_so(self) -> None:
        parsed = parse_inventory(file_of({"Asset tag": "A-17", "Rack": ""}))
        assert parsed.rows[0].attributes == (("Asset tag", "A-17"),)
        assert [column.name for column in parsed.ignored_columns] == ["Asset tag", "Rack"]
        assert all(any(f"“{name}”" in note for note in parsed.notes) for name in ("Asset tag", "Rack"))

    def test_loses_no_cell_of_any_column(self) -> None:
        parsed = parse_inventory(file_of({"Asset tag": "A-17"}))
        assert {column.name for column in parsed.columns} == {*GOOD, "Asset tag"}
        assert len(parsed.mapping) == len(GOOD)

    def test_names_a_column_without_a_name_by_its_place(self) -> None:
        columns, _ = map_columns((*COMPLETE, ""), ImportOptions(), line=1)
        assert columns[-1].name == "column 5"

    def test_refuses_a_name_that_stands_twice(self) -> None:
        assert messages(*COMPLETE, "Seats") == ["2 columns have this name. Rename them, so that each name stands once."]

    def test_refuses_two_columns_of_one_meaning(self) -> None:
        [message] = messages(*COMPLETE, "Quantity")
        assert message.startswith("the columns “seats” and “Quantity” would both be the number of seats.")

    def test_refuses_a_name_that_the_file_does_not_have(self) -> None:
        [message] = messages(*COMPLETE, options=ImportOptions(mapping={"Paket": None}))
        assert "names the column “Paket”" in message
        assert "“Item name”, “seats”" in message

    @pytest.mark.parametrize("missing", COMPLETE)
    def test_refuses_a_file_without_a_required_column(self, missing: str) -> None:
        problem = only_problem(parse_inventory(file_of(without=[missing])))
        assert problem.message.startswith("no column is the ")
        assert problem.line == 1

    def test_takes_a_default_in_place_of_a_column(self) -> None:
        options = ImportOptions(default_company="Halden", blank_expiration_is_perpetual=True)
        parsed = parse_inventory(file_of(without=["company", "expiration date"]), options)
        assert (parsed.rows[0].company, parsed.rows[0].expires_on) == ("Halden", None)
