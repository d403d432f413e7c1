"""From a record to a row: every cell is read, and every cell that cannot be is reported."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from entitlements.imports import cells
from entitlements.imports.cells import BadCell
from entitlements.imports.conventions import Conventions
from entitlements.imports.mapping import has_default_term
from entitlements.imports.records import Record
from entitlements.imports.values import Column, Contact, Field, ImportOptions, LicenseKey, Money, Problem, Row

Value = TypeVar("Value")

MAX_SHOWN = 120


def shorten(cell: str) -> str:
    """Write a cell so that it can be stored and shown: without what no text may hold, and not too long."""
    safe = "".join(
        "\ufffd" if character == "\0" or "\ud800" <= character <= "\udfff" else character for character in cell
    )
    return safe if len(safe) <= MAX_SHOWN else f"{safe[: MAX_SHOWN - 1]}…"


@dataclass(slots=True)
class RowReader:
    """
    Reads one record after the other; `problems` and `defaulted` grow as it goes.

    `defaulted` counts how often each field was filled in from the options.
    """

    columns: Sequence[Column]
    options: ImportOptions
    conventions: Conventions
    problems: list[Problem] = field(default_factory=list)
    defaulted: Counter[Field] = field(default_factory=Counter)
    assumed_dollars: int = 0
    _column_of: Mapping[Field, Column] = field(init=False)
    _record: Record = field(init=False)

    def __post_init__(self) -> None:
        self._column_of = {column.field: column for column in self.columns if column.field is not None}

    def read(self, record: Record) -> Row | None:
        """Read one record of as many cells as there are columns; None if it has problems, which are added to "
        "`problems`."""
        self._record = record
        before = len(self.problems)
        purchased_on = self._read(Field.PURCHASE_DATE, self._date(Field.PURCHASE_DATE))
        expires_on = self._expiration(purchased_on)
        row = Row(
            line=record.line,
            product=self._required(Field.PRODUCT, None),
            seats=self._read(Field.SEATS, lambda cell: cells.parse_seats(cell, self.options.sentinel_seats)),
            company=self._required(Field.COMPANY, self.options.default_company),
            expires_on=expires_on,
            manufacturer=self._text(Field.MANUFACTURER) or self._default(Field.MANUFACTURER),
            holder=self._holder(),
            licensee=self._contact(Field.LICENSEE_NAME, Field.LICENSEE_EMAIL),
            supplier=self._text(Field.SUPPLIER),
            serial_number=self._key(),
            category=self._text(Field.CATEGORY),
            purchased_on=purchased_on,
            cost=self._read(Field.PURCHASE_COST, self._money),
            purchase_order=self._text(Field.PURCHASE_ORDER),
            order_number=self._text(Field.ORDER_NUMBER),
            maintained=self._read(Field.MAINTAINED, cells.parse_yes_or_no),
            reassignable=self._read(Field.REASSIGNABLE, cells.parse_yes_or_no),
            notes=self._read(Field.NOTES, cells.parse_notes) or "",
            attributes=self._attributes(),
        )
        return row if len(self.problems) == before else None

    def _cell(self, name: Field) -> str:
        column = self._column_of.get(name)
        return self._record.cells[column.position - 1] if column else ""

    def _report(self, name: Field, message: str) -> None:
        column = self._column_of.get(name)
        value = "" if name is Field.SERIAL_NUMBER else shorten(self._cell(name))
        self.problems.append(Problem(message, self._record.line, column.name if column else None, value))

    def _read(self, name: Field, parse: Callable[[str], Value]) -> Value | None:
        """Parse the cell of a field; None if that is a problem, and for a field without a column that may be blank."""
        try:
            return parse(self._cell(name))
        except BadCell as error:
            self._report(name, str(error))
            return None

    def _text(self, name: Field) -> str:
        return self._read(name, cells.parse_text) or ""

    def _required(self, name: Field, default: str | None) -> str:
        text = self._text(name)
        if text or self._cell(name):
            return text
        if default:
            self.defaulted[name] += 1
            return default
        advice = " or choose a default in the options" if name is Field.COMPANY else ""
        self._report(name, f"the {name.value} is missing. Fill it in{advice}.")
        return ""

    def _default(self, name: Field) -> str:
        default = self.options.default_manufacturer
        if not default or self._cell(name):
            return ""
        self.defaulted[name] += 1
        return default

    def _date(self, name: Field) -> Callable[[str], date | None]:
        return lambda cell: cells.parse_date(cell, self.conventions.orders.get(name))

    def _expiration(self, purchased_on: date | None) -> date | None:
        """Read the last day of use; None is an explicit lack of an end, or a problem."""
        cell = self._cell(Field.EXPIRATION_DATE)
        if cells.says_no_end(cell):
            return None
        expires_on = self._read(Field.EXPIRATION_DATE, self._date(Field.EXPIRATION_DATE))
        if not cell:
            expires_on = self._default_expiration(purchased_on)
        certain = self._record.line not in self.conventions.undecided_lines
        if certain and expires_on and purchased_on and expires_on < purchased_on:
            self._report(Field.EXPIRATION_DATE, f"the license ends before it was bought on {purchased_on.isoformat()}.")
        return expires_on

    def _default_expiration(self, purchased_on: date | None) -> date | None:
        options = self.options
        if not has_default_term(options):
            self._report(
                Field.EXPIRATION_DATE,
                "the expiration date is missing. Write a date or “perpetual”, or choose a default in the options.",
            )
            return None
        if options.default_term_months is not None and purchased_on is None:
            self._report(
                Field.EXPIRATION_DATE,
                "the expiration date is missing, and without a purchase date the default term cannot be counted.",
            )
            return None
        self.defaulted[Field.EXPIRATION_DATE] += 1
        if options.default_term_months is not None and purchased_on is not None:
            return last_day_of_term(purchased_on, options.default_term_months)
        return options.default_expires_on

    def _holder(self) -> Contact | None:
        holder = self._contact(Field.HOLDER_NAME, Field.HOLDER_EMAIL, Field.HOLDER_USERNAME)
        if holder and not (self._cell(Field.HOLDER_EMAIL) or self._cell(Field.HOLDER_USERNAME)):
            self._report(
                Field.HOLDER_NAME,
                "this person has neither a mail address nor a username, and names are not unique. Add one of them.",
            )
        return holder

    def _contact(self, name: Field, email: Field, username: Field | None = None) -> Contact | None:
        contact = Contact(
            name=self._text(name),
            email=self._read(email, cells.parse_email) or "",
            username=self._text(username) if username else "",
        )
        return None if contact.is_blank else contact

    def _key(self) -> LicenseKey | None:
        text = self._text(Field.SERIAL_NUMBER)
        return LicenseKey(text) if text else None

    def _money(self, cell: str) -> Money | None:
        money = cells.parse_money(cell, self.conventions.mark, self.options.currency)
        if money and money.currency == "USD" and "$" in cell and "US" not in cell and self.options.currency != "USD":
            self.assumed_dollars += 1
        return money

    def _attributes(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (column.name, self._record.cells[column.position - 1])
            for column in self.columns
            if column.field is None and self._record.cells[column.position - 1]
        )


def last_day_of_term(first_day: date, months: int) -> date:
    """Answer the last day of a term of whole months: one year from 1 March 2026 ends on 28 February 2027."""
    year, month = divmod(first_day.year * 12 + first_day.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    if first_day.day > length:
        return date(year, month + 1, length)
    return date(year, month + 1, first_day.day) - timedelta(days=1)
