"""Tables of a pack: each as CSV, and all as one workbook. No cell is run as a formula."""

import io
from collections.abc import Sequence
from datetime import datetime

import xlsxwriter

from audit.packs.port import File, Sheet
from foundation.web.spreadsheets import harmless, lines

# What a workbook takes: rows of a sheet with its head, characters of a cell.
MOST_ROWS, MOST_CHARACTERS = 1_048_575, 32_767
WIDEST = 60


def files_of(sheets: Sequence[Sheet], *, dated: datetime) -> list[File]:
    """The tables as files, `dated` for the workbook's properties."""
    found = [
        File(
            f"tables/{sheet.name}.csv", "".join(lines(sheet.head, sheet.rows)).encode(), f"The table {sheet.name}, CSV."
        )
        for sheet in sheets
    ]
    return [*found, File("tables/evidence.xlsx", workbook(sheets, dated=dated), "All tables, as a workbook.")]


def workbook(sheets: Sequence[Sheet], *, dated: datetime) -> bytes:
    """The tables as sheets of one workbook, every cell as text."""
    into = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(into, options) as book:
        # Otherwise the moment of writing, and no two were alike.
        book.set_properties({"created": dated.replace(tzinfo=None, microsecond=0), "author": "Tenure"})
        head = book.add_format({"bold": True, "bottom": 1})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name[:31])
            page.freeze_panes(1, 0)
            for column, name in enumerate(sheet.head):
                page.write_string(0, column, name, head)
                longest = max([len(name), *(len(str(row[column] or "")) for row in sheet.rows[:200])])
                page.set_column(column, column, min(longest + 2, WIDEST))
            for number, row in enumerate(sheet.rows[:MOST_ROWS], start=1):
                for column, cell in enumerate(row):
                    # Text whatever it begins with; made harmless, too, for when it is saved as CSV.
                    page.write_string(number, column, harmless(cell)[:MOST_CHARACTERS])
    return into.getvalue()
