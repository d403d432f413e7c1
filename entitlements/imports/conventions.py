"""How a file writes dates and amounts: decided column by column, from what is evident in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from entitlements.imports.cells import date_evidence, mark_evidence
from entitlements.imports.records import Record
from entitlements.imports.values import Column, DateFormat, DecimalMark, Field, ImportOptions, Problem

DATE_FIELDS = (Field.PURCHASE_DATE, Field.EXPIRATION_DATE)
Convention = TypeVar("Convention", DateFormat, DecimalMark)

_DATE_WORDS = {DateFormat.DAY_FIRST: "day first", DateFormat.MONTH_FIRST: "month first"}
_MARK_WORDS = {DecimalMark.POINT: "a decimal point", DecimalMark.COMMA: "a decimal comma"}


@dataclass(frozen=True, slots=True)
class Conventions:
    """What was decided for each column, the problems of those left open, and the lines that these keep out."""

    orders: Mapping[Field, DateFormat]
    mark: DecimalMark | None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    undecided_lines: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Findings:
    """What is collected while columns are looked through."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)


def decide_conventions(records: Sequence[Record], columns: Sequence[Column], options: ImportOptions) -> Conventions:
    """
    Decide the order of day and month of each date column, and the decimal mark of the cost column.

    What the user chose holds. Else, what one value proves holds for its column. A column that proves nothing, or
    both, leaves each value that could be read in two ways undecided: one problem asks the user to choose.
    """
    findings = _Findings()
    orders: dict[Field, DateFormat] = {}
    mark = options.decimal_mark
    for column in columns:
        cells = ((record.line, record.cells[column.position - 1]) for record in records)
        if column.field in DATE_FIELDS and column.field is not None:
            order = options.date_format or _decide(column, cells, date_evidence, _DATE_WORDS, findings)
            if order is not None:
                orders[column.field] = order
        elif column.field is Field.PURCHASE_COST and mark is None:
            mark = _decide(column, cells, mark_evidence, _MARK_WORDS, findings)
    return Conventions(orders, mark, tuple(findings.problems), tuple(findings.notes), frozenset(findings.lines))


def _decide(
    column: Column,
    cells: Iterable[tuple[int, str]],
    evidence: Callable[[str], tuple[Convention | None, bool]],
    words: Mapping[Convention, str],
    findings: _Findings,
) -> Convention | None:
    """Decide one column; note what was decided for values that could be read in two ways."""
    proofs: dict[Convention, tuple[int, str]] = {}
    undecided: list[tuple[int, str]] = []
    for line, cell in cells:
        proved, ambiguous = evidence(cell)
        if proved is not None:
            proofs.setdefault(proved, (line, cell))
        elif ambiguous:
            undecided.append((line, cell))
    if len(proofs) == 1:
        [(decided, (line, cell))] = proofs.items()
        if undecided:
            findings.notes.append(
                f"Column “{column.name}” is read with {words[decided]}, because of “{cell}” on line {line}."
            )
        return decided
    if undecided:
        findings.problems.append(_ask(column, proofs, undecided, words))
        findings.lines.update(line for line, _ in undecided)
    return None


def _ask(
    column: Column,
    proofs: Mapping[Convention, tuple[int, str]],
    undecided: Sequence[tuple[int, str]],
    words: Mapping[Convention, str],
) -> Problem:
    line, cell = undecided[0]
    choices = " or ".join(words.values())
    if proofs:
        seen = " and ".join(f"{words[each]} (line {where}: “{what}”)" for each, (where, what) in proofs.items())
        why = f"the column is written both with {seen}, so this value may mean either"
    else:
        why = f"this may be written with {choices}, and nothing in the column tells which"
    return Problem(
        f"{why}. Choose in the options: {choices}.",
        line=line,
        column=column.name,
        value=cell,
        other_lines=tuple(where for where, _ in undecided[1:]),
    )
