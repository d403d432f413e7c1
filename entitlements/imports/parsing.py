"""
An inventory file, read whole: bytes in, good rows and plain-word problems out.

`parse_inventory` never raises for what a file contains. `prepare_inventory` adds what only rows together show, and
applies the user's choice whether good rows come in although others are bad.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from entitlements.imports.conventions import Conventions, decide_conventions
from entitlements.imports.decoding import Unreadable, decode
from entitlements.imports.grouping import group_licenses
from entitlements.imports.mapping import label, map_columns
from entitlements.imports.records import Record, read_records, sniff_delimiter, split_declared_delimiter
from entitlements.imports.rows import RowReader, shorten
from entitlements.imports.values import DELIMITERS, Column, ImportOptions, Inventory, Parsed, Problem, Row

MAX_RECORDS = 50_000
MAX_COLUMNS = 200

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_NOTHING = "".join(DELIMITERS) + '" \r\n'
_EMPTY = "The file is empty. Export the inventory again, with its header line."


def parse_inventory(data: bytes, options: ImportOptions | None = None) -> Parsed:
    """
    Read a file of license records.

    Required are product and seats; company and expiration date are, unless the options have a default for them. All
    else may be blank. A record with a problem is not among the rows.
    """
    options = options or ImportOptions()
    try:
        decoded = decode(data)
    except Unreadable as error:
        return Parsed((), (Problem(str(error)),))
    declared, text, lines_before = split_declared_delimiter(decoded.text)
    if not text.strip(_NOTHING):
        return Parsed((), (Problem(_EMPTY),), (), decoded.encoding)
    delimiter = options.delimiter or declared or sniff_delimiter(text)
    notes = (decoded.note,) if decoded.note else ()
    found: list[Record | Problem] = []
    for each in read_records(text, delimiter, lines_before=lines_before):
        if isinstance(each, Problem) or not each.is_blank:
            found.append(each)
        if len(found) > MAX_RECORDS + 1:
            message = f"The file has more than {MAX_RECORDS:,} records. Split it and import the parts."
            return Parsed((), (Problem(message),), (), decoded.encoding, delimiter, 0, notes)
    return _parse_records(found, options, Parsed((), (), (), decoded.encoding, delimiter, 0, notes))


def prepare_inventory(data: bytes, options: ImportOptions | None = None) -> Inventory:
    """
    Read a file and put its rows together to licenses, as far as the user lets them in.

    With any problem there are no licenses, unless the options say that good rows come in alone. A license of which
    one row is good and another bad then comes in with the good one; the bad one's line is among those left out.
    """
    options = options or ImportOptions()
    parsed = parse_inventory(data, options)
    grouping = group_licenses(parsed.rows, parsed.columns)
    problems = _by_line((*parsed.problems, *grouping.problems))
    licenses = grouping.licenses if options.good_rows_only or not problems else ()
    imported = {line for license_ in licenses for line in license_.lines}
    lines = {row.line for row in parsed.rows} | _lines_of(problems, parsed)
    return Inventory(parsed, licenses, problems, tuple(sorted(lines - imported)))


def _by_line(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.line or 0))


def _lines_of(problems: Iterable[Problem], parsed: Parsed) -> set[int]:
    """Answer the lines of records that problems name; problems of the header name none."""
    named = {line for each in problems if each.line is not None for line in (each.line, *each.other_lines)}
    return named if parsed.record_count else set()


def _parse_records(found: Sequence[Record | Problem], options: ImportOptions, parsed: Parsed) -> Parsed:
    def result(
        *,
        rows: tuple[Row, ...] = (),
        problems: Sequence[Problem],
        columns: tuple[Column, ...] = (),
        count: int = 0,
        notes: Sequence[str] = (),
    ) -> Parsed:
        return Parsed(
            rows, _by_line(problems), columns, parsed.encoding, parsed.delimiter, count, (*parsed.notes, *notes)
        )

    if not found:
        return result(problems=[Problem(_EMPTY)])
    header = found[0]
    if isinstance(header, Problem):
        return result(problems=[header])
    if problem := _bad_header(header):
        return result(problems=[problem])
    columns, header_problems = map_columns(header.cells, options, line=header.line)
    body = found[1:]
    if header_problems:
        return result(problems=header_problems, columns=columns)
    if not body:
        empty = Problem("The file has a header but no records. Export the inventory again.")
        return result(problems=[empty], columns=columns)
    records, problems = _whole_records(body, len(columns))
    conventions = decide_conventions(records, columns, options)
    reader = RowReader(columns, options, conventions)
    rows = tuple(row for record in records if (row := _read_row(reader, record, conventions)))
    problems = [*problems, *conventions.problems, *reader.problems]
    notes = (*_column_notes(columns), *conventions.notes, *_default_notes(reader))
    return result(rows=rows, problems=problems, columns=columns, count=len(body), notes=notes)


def _read_row(reader: RowReader, record: Record, conventions: Conventions) -> Row | None:
    """Read a record for its problems, and keep it out if a column's convention leaves it undecided."""
    row = reader.read(record)
    return None if record.line in conventions.undecided_lines else row


def _bad_header(header: Record) -> Problem | None:
    if _NOT_TEXT.search("".join(header.cells)):
        return Problem("the header has characters that are no text. Save the file as “CSV UTF-8”.", line=header.line)
    if len(header.cells) > MAX_COLUMNS:
        message = f"the header has {len(header.cells)} columns; at most {MAX_COLUMNS} are read. Remove some."
        return Problem(message, line=header.line)
    return None


def _whole_records(body: Sequence[Record | Problem], width: int) -> tuple[list[Record], list[Problem]]:
    """Separate the records that have one clean cell for each column; blank cells beyond the last column do no harm."""
    records: list[Record] = []
    problems: list[Problem] = []
    for each in body:
        if isinstance(each, Problem):
            problems.append(each)
        elif problem := _misshapen(each, width):
            problems.append(problem)
        else:
            records.append(Record(each.line, each.cells[:width]))
    return records, problems


def _misshapen(record: Record, width: int) -> Problem | None:
    count = len(record.cells)
    if count < width:
        return Problem(
            f"this record has {count} of {width} cells. Check it for a missing delimiter or quote.", line=record.line
        )
    if any(record.cells[width:]):
        return Problem(
            f"this record has {count} cells, but the header only {width}. Put cells with a delimiter in them into "
            f"quotes.",
            line=record.line,
        )
    for cell in record.cells:
        if _NOT_TEXT.search(cell):
            return Problem(
                "this record has characters that are no text in the file's encoding. Correct them, or save the file"
                " as “CSV UTF-8”.",
                line=record.line,
                value=shorten(cell),
            )
    return None


def _column_notes(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(f"Column “{column.name}” {column.reason}." for column in columns if column.field is None)


def _default_notes(reader: RowReader) -> tuple[str, ...]:
    notes = [
        f"The {label(field)} was blank in {_records(count)} and filled in from the options."
        for field, count in reader.defaulted.items()
    ]
    if reader.assumed_dollars:
        notes.append(
            f"“$” was read as US dollars in {_records(reader.assumed_dollars)}. Choose another currency in the "
            f"options if it is not."
        )
    return tuple(notes)


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"
