"""From a cell to a value, in plain words where it is none."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

import pycountry

from entitlements.imports.values import MAX_YEAR, DateFormat, DecimalMark, Money, SentinelSeats

MAX_TEXT = 500
MAX_NOTES = 20_000
# Longer than any date, number or amount, and short enough for patterns that may look twice.
MAX_VALUE = 64
MAX_EMAIL = 254
MAX_CURRENCY = 3
MAX_SEATS = 10_000_000
MIN_YEAR = 1950

_YES = frozenset({"true", "yes", "y", "t", "1", "on", "x"})
_NO = frozenset({"false", "no", "n", "f", "0", "off"})
_UNLIMITED = frozenset({"unlimited", "no limit", "unrestricted", "∞"})
_NO_END = frozenset({"perpetual", "never", "no end", "lifetime", "unlimited", "∞"})
_SENTINELS = frozenset({65_535, 2_147_483_647})
_MONTH_NAMES = (
    ("jan", "january"),
    ("feb", "february"),
    ("mar", "march"),
    ("apr", "april"),
    ("may",),
    ("jun", "june"),
    ("jul", "july"),
    ("aug", "august"),
    ("sep", "sept", "september"),
    ("oct", "october"),
    ("nov", "november"),
    ("dec", "december"),
)
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names}
_SYMBOLS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP"}
# What a symbol can mean that several currencies share; the importing user's currency decides, if it is one of them.
_SHARED_SYMBOLS = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"}),
    "¥": frozenset({"JPY", "CNY"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
}

_NUMERIC_DATE = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4})")
_YEAR_FIRST = re.compile(r"([0-9]{4})([./-])([0-9]{1,2})\2([0-9]{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?)?")
_DAY_MONTH_NAME = re.compile(r"([0-9]{1,2})[ .-]+([A-Za-z]+)\.?[ ,-]+([0-9]{4})")
_MONTH_NAME_DAY = re.compile(r"([A-Za-z]+)\.?[ -]+([0-9]{1,2}),?[ -]+([0-9]{4})")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2}")
_SEATS = re.compile(r"([0-9]+)(?:\.0+)?")
_AMOUNT = re.compile(
    r"(?P<before>[^0-9(+\-.,]*?)\s*(?P<number>[0-9][0-9., '\u2019\u00a0\u202f]*[0-9]|[0-9])\s*(?P<after>[^0-9.,]*)"
)
_GROUPED = re.compile(r"[0-9]{1,3}(?:([., '\u2019\u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*")
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+")
_NO_AMOUNT = "this is not an amount of zero or more. Write it as 1234.50 USD."
_NO_DATE = "this is not a date that can be read. Write it as 2026-12-31, without a time of day."


class BadCell(ValueError):
    """A cell that cannot be understood; the message says why and what would be."""


def parse_text(cell: str) -> str:
    """
    Put a cell on one line, in composed Unicode (NFC), so that equal names are equal.

    :raises BadCell: if it is too long for a name or number
    """
    text = unicodedata.normalize("NFC", " ".join(cell.split()))
    if len(text) > MAX_TEXT:
        raise BadCell(
            f"this has {len(text):,} characters; at most {MAX_TEXT} are kept here. Put long text into the notes."
        )
    return text


def parse_notes(cell: str) -> str:
    """
    Keep a note with its line breaks.

    :raises BadCell: if it is too long
    """
    if len(cell) > MAX_NOTES:
        raise BadCell(f"this has {len(cell):,} characters; notes have at most {MAX_NOTES:,}. Shorten it.")
    return cell


def parse_email(cell: str) -> str:
    """
    Read one mail address, as it is written.

    :raises BadCell: if it is none, or several
    """
    if cell and (len(cell) > MAX_EMAIL or not _EMAIL.fullmatch(cell)):
        raise BadCell("this is not one mail address. Write it as name@example.com.")
    return parse_text(cell)


def parse_yes_or_no(cell: str) -> bool | None:
    """
    Read a yes or a no; None if blank.

    :raises BadCell: if it is neither
    """
    word = cell.casefold()
    if not word:
        return None
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise BadCell("this is neither yes nor no. Write “yes”, “no”, “true” or “false”, or leave it blank.")


def parse_seats(cell: str, sentinel: SentinelSeats) -> int | None:
    """
    Read a number of seats, None for a word that says "unlimited".

    :raises BadCell: if it is blank, no whole number above zero, or a number such as 9999 that may mean "unlimited"
    """
    if not cell:
        raise BadCell("the number of seats is missing. Write a whole number, or “unlimited”.")
    if cell.casefold() in _UNLIMITED:
        return None
    whole = _SEATS.fullmatch(cell) if len(cell) <= MAX_VALUE else None
    if whole is None:
        raise BadCell("this is not a number of seats. Write a whole number without separators, or “unlimited”.")
    digits = whole[1].lstrip("0")
    if not digits:
        raise BadCell("a license has at least one seat. Write a number above zero, or “unlimited”.")
    if _is_sentinel(digits) and sentinel is not SentinelSeats.NUMBER:
        if sentinel is SentinelSeats.UNLIMITED:
            return None
        raise BadCell(
            "this number often stands for “unlimited”, which is never a number here. "
            "Write “unlimited”, or choose in the options how to read such numbers."
        )
    if len(digits) > len(str(MAX_SEATS)) or int(digits) > MAX_SEATS:
        raise BadCell(f"this is more than {MAX_SEATS:,} seats. Write the real number, or “unlimited”.")
    return int(digits)


def _is_sentinel(digits: str) -> bool:
    """Answer whether a number is one that people write when they mean no number: 9999, 99999, 65535 and the like."""
    return (len(digits) > 3 and set(digits) == {"9"}) or digits in {str(each) for each in _SENTINELS}


def says_no_end(cell: str) -> bool:
    """Answer whether an expiration date says in words that there is no end."""
    return cell.casefold() in _NO_END


def date_evidence(cell: str) -> tuple[DateFormat | None, bool]:
    """Answer which order of day and month a date proves, if any, and whether it could be read in both with "
    "different results."""
    numeric = _NUMERIC_DATE.fullmatch(cell)
    if numeric is None:
        return None, False
    first, second = int(numeric[1]), int(numeric[3])
    if first > 12 >= second:
        return DateFormat.DAY_FIRST, False
    if second > 12 >= first:
        return DateFormat.MONTH_FIRST, False
    return None, first <= 12 and first != second


def parse_date(cell: str, order: DateFormat | None) -> date | None:
    """
    Read a day; None if blank. A date in numbers whose order is not evident is read in `order`.

    :raises BadCell: if it is no day of the calendar, or says less or more than a day
    """
    if not cell:
        return None
    if len(cell) > MAX_VALUE:
        raise BadCell(_NO_DATE)
    if numeric := _NUMERIC_DATE.fullmatch(cell):
        evident, _ = date_evidence(cell)
        chosen = order or evident or DateFormat.DAY_FIRST
        first, second, year = int(numeric[1]), int(numeric[3]), int(numeric[4])
        day, month = (first, second) if chosen is DateFormat.DAY_FIRST else (second, first)
        return _day(year, month, day, hint=f" with the {chosen.value.removesuffix('_first')} first")
    if year_first := _YEAR_FIRST.fullmatch(cell):
        return _day(int(year_first[1]), int(year_first[3]), int(year_first[4]))
    if named := _DAY_MONTH_NAME.fullmatch(cell):
        return _day(int(named[3]), _MONTHS.get(named[2].casefold(), 0), int(named[1]))
    if named := _MONTH_NAME_DAY.fullmatch(cell):
        return _day(int(named[3]), _MONTHS.get(named[1].casefold(), 0), int(named[2]))
    if _SHORT_YEAR.fullmatch(cell):
        raise BadCell("the year has only two digits. Write all four, as in 2026-12-31.")
    raise BadCell(_NO_DATE)


def _day(year: int, month: int, day: int, *, hint: str = "") -> date:
    if not MIN_YEAR <= year <= MAX_YEAR:
        raise BadCell(
            f"the year {year} lies outside {MIN_YEAR} to {MAX_YEAR}. For a license without an end, write “perpetual”"
            f" as its expiration."
        )
    try:
        return date(year, month, day)
    except ValueError as error:
        raise BadCell(f"there is no such day in the calendar{hint}. Write it as 2026-12-31.") from error


def _amount(cell: str) -> re.Match[str] | None:
    return _AMOUNT.fullmatch(cell) if len(cell) <= MAX_VALUE else None


def mark_evidence(cell: str) -> tuple[DecimalMark | None, bool]:
    """Answer which decimal mark an amount proves, if any, and whether it could be read with both."""
    amount = _amount(cell)
    if amount is None:
        return None, False
    number = amount["number"]
    marks = [character for character in number if character in ".,"]
    if not marks:
        return None, False
    last = marks[-1]
    if len(set(marks)) > 1:
        return DecimalMark(last), False
    other = DecimalMark.COMMA if last == "." else DecimalMark.POINT
    if len(marks) > 1:
        return other, False
    whole, _, fraction = number.partition(last)
    if len(fraction) != 3 or len(whole) > 3 or whole == "0" or not whole.isdigit():
        return DecimalMark(last), False
    return None, True


def parse_money(cell: str, mark: DecimalMark | None, currency: str | None) -> Money | None:
    """
    Read an amount with the symbol or code of its currency; None if blank.

    `mark` is the decimal mark of what could be read with both. `currency` is that of amounts without one, or with a
    shared symbol.

    :raises BadCell: if it is no amount, is negative, or its currency is unknown or missing
    """
    if not cell:
        return None
    amount = _amount(cell)
    if amount is None:
        raise BadCell(_NO_AMOUNT)
    if amount["before"].strip() and amount["after"].strip():
        raise BadCell("this names a currency twice. Write it as 1234.50 USD.")
    evident, _ = mark_evidence(cell)
    value = _number(amount["number"], evident or mark or DecimalMark.POINT)
    return Money(value, _currency(amount["before"].strip() or amount["after"].strip(), currency))


def _number(text: str, mark: DecimalMark) -> Decimal:
    whole, separator, fraction = text.rpartition(mark.value)
    if not separator:
        whole, fraction = text, ""
    if not (whole.isdigit() or _GROUPED.fullmatch(whole)) or (separator and not fraction.isdigit()):
        raise BadCell("the digits of this amount are grouped in a way that cannot be read. Write it as 1234.50 USD.")
    digits = "".join(character for character in whole if character.isdigit())
    if len(digits) > 15 or len(fraction) > 4:
        raise BadCell("this amount has too many digits. Write it as 1234.50 USD.")
    return Decimal(f"{digits}.{fraction or '0'}")


def _currency(word: str, default: str | None) -> str:
    if not word:
        if default is None:
            raise BadCell(
                "this amount names no currency. Write it as 1234.50 USD, or choose a currency in the options."
            )
        return default
    shared = _SHARED_SYMBOLS.get(word, frozenset())
    if default in shared:
        return str(default)
    if shared and word not in _SYMBOLS:
        names = ", ".join(sorted(shared))
        raise BadCell(f"“{word}” may be any of {names}. Write the letters, or choose a currency in the options.")
    code = _SYMBOLS.get(word, word.upper())
    if len(word) > MAX_CURRENCY:
        raise BadCell(_NO_AMOUNT)
    if pycountry.currencies.get(alpha_3=code) is None:
        raise BadCell(f"“{word}” is not a currency that is known here. Write its three letters, as in 1234.50 USD.")
    return code
