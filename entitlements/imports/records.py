"""From text to records: delimiter, quotes, and the physical line on which each record starts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from entitlements.imports.values import DELIMITERS, Problem

# Each mismatched quote costs another look at the lines after it; a file of nothing else must not cost its square.
MAX_LOOKS = 4

_QUOTES_DO_NOT_MATCH = (
    "the quotes of this record do not match: one is opened and never closed, or stands inside a cell without being "
    "doubled. "
    "Reading went on with the next line."
)


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record, stripped, and the line it starts on."""

    line: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        """Answer whether no cell has anything in it."""
        return not any(self.cells)


def split_declared_delimiter(text: str) -> tuple[str | None, str, int]:
    """
    Take off a first line `sep=;` as spreadsheets write it.

    Answers the declared delimiter if there is one, the text after that line, and how many lines were taken.
    """
    first = io.StringIO(text, newline="").readline()
    declared = first.rstrip("\r\n")
    if declared[:-1].casefold() == "sep=" and declared[-1] in DELIMITERS:
        return declared[-1], text[len(first) :], 1
    return None, text, 0


def read_records(text: str, delimiter: str, *, lines_before: int = 0) -> Iterator[Record | Problem]:
    """
    Read all records, blank ones included; one whose quotes do not match becomes a problem, and reading goes on with
    the next line.

    `lines_before` is the number of lines of the file before `text`.
    """
    lines = _lines(text)
    start, looked_at = 0, 0
    while start < len(lines):
        reader = csv.reader(
            (lines[index] for index in range(start, len(lines))),
            delimiter=delimiter,
            strict=True,
            skipinitialspace=True,
        )
        first = start
        try:
            for cells in reader:
                yield Record(lines_before + first + 1, tuple(cell.strip() for cell in cells))
                first = start + reader.line_num
            return
        except csv.Error:
            yield Problem(_QUOTES_DO_NOT_MATCH, line=lines_before + first + 1)
        looked_at += start + reader.line_num - first
        start = first + 1
        if looked_at > MAX_LOOKS * len(lines):
            yield Problem(
                "too many quotes do not match; nothing after this line was read. Export the file again.",
                line=lines_before + start,
            )
            return


def _lines(text: str) -> list[str]:
    """Break lines where an editor does, and keep their ends."""
    return list(io.StringIO(text, newline=""))


def sniff_delimiter(text: str) -> str:
    """Answer the delimiter that splits the first record that is not blank into most cells; a comma if none splits "
    "it."""
    return max(DELIMITERS, key=lambda delimiter: _width(text, delimiter))


def _width(text: str, delimiter: str) -> int:
    """Answer the number of cells of the first record that is not blank; where its quotes do not match, of its line."""
    for record in read_records(text, delimiter):
        if isinstance(record, Problem):
            return _lines(text)[(record.line or 1) - 1].count(delimiter) + 1
        if not record.is_blank:
            return len(record.cells)
    return 0
