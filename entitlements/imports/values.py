"""
The values of an inventory import: what a user chooses, what a file says, and what is wrong with it.

Nothing here touches the registry. Line numbers are physical lines of the file, counted from 1, as an editor shows
them; a record that spans several lines is named by its first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

DELIMITERS = (",", ";", "\t", "|")
MAX_TERM_MONTHS = 600
# Years beyond are ways to write that there is no end.
MAX_YEAR = 2199
# A shorter key would be given away by its last four characters.
MIN_MASKED_LENGTH = 8


class Field(StrEnum):
    """What a column of an inventory can mean."""

    PRODUCT = "product"
    MANUFACTURER = "manufacturer"
    HOLDER_NAME = "holder_name"
    HOLDER_EMAIL = "holder_email"
    HOLDER_USERNAME = "holder_username"
    LICENSEE_NAME = "licensee_name"
    LICENSEE_EMAIL = "licensee_email"
    COMPANY = "company"
    SUPPLIER = "supplier"
    SERIAL_NUMBER = "serial_number"
    CATEGORY = "category"
    PURCHASE_DATE = "purchase_date"
    PURCHASE_COST = "purchase_cost"
    PURCHASE_ORDER = "purchase_order"
    ORDER_NUMBER = "order_number"
    EXPIRATION_DATE = "expiration_date"
    MAINTAINED = "maintained"
    REASSIGNABLE = "reassignable"
    SEATS = "seats"
    NOTES = "notes"


class DateFormat(StrEnum):
    """Which of day and month comes first where a date is written in numbers."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


class DecimalMark(StrEnum):
    """What separates whole units from fractions in an amount."""

    POINT = "."
    COMMA = ","


class SentinelSeats(StrEnum):
    """What to do with a number of seats that looks like a way to write "unlimited", such as 9999."""

    ASK = "ask"
    NUMBER = "number"
    UNLIMITED = "unlimited"


class Origin(StrEnum):
    """How a column came to its meaning."""

    GIVEN = "given"
    GUESSED = "guessed"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """
    What the importing user decides; what is left out is guessed where a guess is safe, and asked for where it is not.

    `mapping` goes from column name to field, or to None for a column to be kept as an attribute; columns that it does
    not name are guessed. The defaults fill in cells that are blank, or columns that are missing. `default_expires_on`
    is the last day of use; `default_term_months` counts from the purchase date; `blank_expiration_is_perpetual` says
    that no date means no end. `currency` (ISO 4217) is that of amounts without one, and of those whose symbol stands
    for several currencies. `good_rows_only` lets the good rows in although others are bad.

    :raises ValueError: if a choice contradicts another or makes no sense
    """

    mapping: Mapping[str, Field | None] = field(default_factory=dict)
    delimiter: str | None = None
    date_format: DateFormat | None = None
    decimal_mark: DecimalMark | None = None
    currency: str | None = None
    sentinel_seats: SentinelSeats = SentinelSeats.ASK
    default_company: str | None = None
    default_manufacturer: str | None = None
    default_expires_on: date | None = None
    default_term_months: int | None = None
    blank_expiration_is_perpetual: bool = False
    good_rows_only: bool = False

    def __post_init__(self) -> None:
        terms = (self.default_expires_on, self.default_term_months, self.blank_expiration_is_perpetual or None)
        if sum(term is not None for term in terms) > 1:
            raise ValueError("Choose one default for blank expiration dates: a day, a number of months, or no end.")
        if self.default_term_months is not None and not 1 <= self.default_term_months <= MAX_TERM_MONTHS:
            raise ValueError(f"A default term is between 1 and {MAX_TERM_MONTHS} months.")
        if self.default_expires_on is not None and self.default_expires_on.year > MAX_YEAR:
            raise ValueError(f"A default expiration date lies before the year {MAX_YEAR + 1}; choose no end instead.")
        if self.currency is not None and not (len(self.currency) == 3 and self.currency.isupper()):
            raise ValueError("A currency is given by its three capital letters, such as USD.")
        if self.delimiter is not None and self.delimiter not in DELIMITERS:
            raise ValueError("A delimiter is a comma, a semicolon, a tab or a vertical bar.")


@dataclass(frozen=True, slots=True)
class Problem:
    """
    Something that keeps rows out, in words for whoever made the file.

    `line` is None if the whole file is meant, `column` None if the whole record is. `other_lines` are further records
    that the same problem keeps out. `value` is the cell as it was written, shortened, and never that of a license
    key.
    """

    message: str
    line: int | None = None
    column: str | None = None
    value: str = ""
    other_lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Write where and what in one sentence for a terminal."""
        where = [f"line {self.line}"] if self.line is not None else ["the file"]
        if self.column is not None:
            where.append(f"column “{self.column}”")
        text = f"{', '.join(where)}: {self.message}"
        return text[0].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: its name and place (from 1), the field it fills, how that was decided, and what "
    "becomes of it in words."""

    name: str
    position: int
    field: Field | None
    origin: Origin
    reason: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A person as an inventory names one; identified by mail or username, never by name."""

    name: str = ""
    email: str = ""
    username: str = ""

    @property
    def is_blank(self) -> bool:
        """Answer whether nothing at all is known."""
        return not (self.name or self.email or self.username)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency (ISO 4217)."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class LicenseKey:
    """A serial number or license key: a secret, shown masked wherever it is not meant to be read."""

    value: str = field(repr=False)

    def masked(self) -> str:
        """Write the last four characters only, and none of a short key."""
        return f"…{self.value[-4:]}" if len(self.value) > MIN_MASKED_LENGTH else "…"

    __str__ = masked


@dataclass(frozen=True, slots=True)
class Row:
    """
    One good record.

    `seats` None is explicitly unlimited; it is never a number. `expires_on` is the last day of use, None for an
    explicit lack of an end. `holder` is who holds one of the seats, None if nobody is named. `attributes` has the
    cells of all columns without a meaning, by column name. What is unknown is empty or None.
    """

    line: int
    product: str
    seats: int | None
    company: str
    expires_on: date | None
    manufacturer: str = ""
    holder: Contact | None = None
    licensee: Contact | None = None
    supplier: str = ""
    serial_number: LicenseKey | None = None
    category: str = ""
    purchased_on: date | None = None
    cost: Money | None = None
    purchase_order: str = ""
    order_number: str = ""
    maintained: bool | None = None
    reassignable: bool | None = None
    notes: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HeldSeat:
    """One seat of a license that the file says somebody holds, with the line that says it."""

    line: int
    holder: Contact


@dataclass(frozen=True, slots=True)
class License:
    """
    One license, put together from the rows that name it; values are as in `Row`.

    `cost` is that of the license as the rows repeat it, not their sum. `notes` has each different note once.
    `attributes` has each different value of a column once.
    """

    lines: tuple[int, ...]
    product: str
    seats: int | None
    company: str
    expires_on: date | None
    manufacturer: str
    licensee: Contact | None
    supplier: str
    serial_number: LicenseKey | None
    category: str
    purchased_on: date | None
    cost: Money | None
    purchase_order: str
    order_number: str
    maintained: bool | None
    reassignable: bool | None
    notes: str
    attributes: tuple[tuple[str, str], ...]
    held_seats: tuple[HeldSeat, ...]

    def ends_at(self, zone: ZoneInfo) -> datetime | None:
        """Answer the instant at which the right ends: the first of the day after the last day of use, in the "
        "account's zone."""
        if self.expires_on is None:
            return None
        return datetime.combine(self.expires_on + timedelta(days=1), time.min, tzinfo=zone)


@dataclass(frozen=True, slots=True)
class Parsed:
    """
    What a file says: its good rows, and in plain words everything that is wrong with it.

    `notes` are decisions that kept nothing out but that the user should know of. `record_count` counts records after
    the header that are not blank, good or bad.
    """

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    columns: tuple[Column, ...] = ()
    encoding: str = ""
    delimiter: str = ""
    record_count: int = 0
    notes: tuple[str, ...] = ()

    @property
    def mapping(self) -> dict[str, Field]:
        """Answer which column fills which field."""
        return {column.name: column.field for column in self.columns if column.field is not None}

    @property
    def ignored_columns(self) -> tuple[Column, ...]:
        """Answer the columns without a meaning, whose cells are kept as attributes; `reason` says so."""
        return tuple(column for column in self.columns if column.field is None)


@dataclass(frozen=True, slots=True)
class Grouping:
    """The licenses that rows make together, and what keeps others of them out."""

    licenses: tuple[License, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """
    A file made ready for a change request.

    `licenses` are those to import: all of them if there is no problem, those free of problems if the user wants good
    rows alone, else none. `left_out_lines` are the records that are not imported.
    """

    parsed: Parsed
    licenses: tuple[License, ...]
    problems: tuple[Problem, ...]
    left_out_lines: tuple[int, ...]
