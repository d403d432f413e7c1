"""Inventory files as bytes, to be bent by one cell at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from entitlements.imports.parsing import parse_inventory
from entitlements.imports.values import ImportOptions, Parsed, Problem

SAMPLES = Path(__file__).parents[2] / "entitlements" / "imports" / "samples"
GOOD: Mapping[str, str] = {
    "Full Name": "Mara Lindqvist",
    "Email": "mara.lindqvist@example.com",
    "Username": "mlindqvist",
    "Item name": "Kestrel CAD",
    "serial number": "KCP-7Q4M-19XD-0R2T",
    "manufacturer": "Kestrel Systems",
    "purchase date": "2026-02-01",
    "purchase cost": "1200.50 EUR",
    "expiration date": "2027-01-31",
    "seats": "12",
    "company": "Halden Instruments",
}


def render_text(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def render(rows: Sequence[Sequence[str]], delimiter: str = ",") -> bytes:
    return render_text(rows, delimiter).encode()


def file_of(*changes: Mapping[str, str], without: Sequence[str] = ()) -> bytes:
    """One record per change to the good one; columns that only a change names are added."""
    rows = [{**GOOD, **change} for change in changes or ({},)]
    header = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in without]
    return render([header, *([row.get(name, "") for name in header] for row in rows)])


def problem_with(column: str, cell: str, options: ImportOptions | None = None) -> Problem:
    """The only problem of a file whose one record has this cell."""
    [problem] = parse_inventory(file_of({column: cell}), options).problems
    return problem


def only_problem(parsed: Parsed) -> Problem:
    [problem] = parsed.problems
    return problem
