"""Which column means what: given by the user, else guessed from its name, else kept as an attribute."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from entitlements.imports.values import Column, Field, ImportOptions, Origin, Problem

# Names as inventories write them, without case, spaces and punctuation.
KNOWN_NAMES: Mapping[Field, tuple[str, ...]] = {
    Field.PRODUCT: (
        "itemname",
        "product",
        "productname",
        "license",
        "licensename",
        "software",
        "softwarename",
        "title",
    ),
    Field.MANUFACTURER: ("manufacturer", "vendor", "publisher", "licensor", "maker"),
    Field.HOLDER_NAME: ("fullname", "holder", "holdername", "assignedto", "user", "employee", "checkedoutto"),
    Field.HOLDER_EMAIL: ("email", "mail", "emailaddress", "holderemail", "useremail", "assignedtoemail"),
    Field.HOLDER_USERNAME: ("username", "login", "userid", "holderusername"),
    Field.LICENSEE_NAME: ("licensedtoname", "licensedto", "licensee", "licenseename", "registeredto"),
    Field.LICENSEE_EMAIL: ("licensedtoemail", "licenseeemail", "registeredemail"),
    Field.COMPANY: ("company", "companyname", "organization", "organisation", "customer", "subsidiary", "businessunit"),
    Field.SUPPLIER: ("supplier", "reseller", "seller", "dealer"),
    Field.SERIAL_NUMBER: ("serialnumber", "serial", "licensekey", "productkey", "key", "activationcode", "serialno"),
    Field.CATEGORY: ("category", "type", "softwarecategory"),
    Field.PURCHASE_DATE: ("purchasedate", "purchased", "boughton", "dateofpurchase", "startdate", "orderdate"),
    Field.PURCHASE_COST: ("purchasecost", "cost", "price", "purchaseprice", "totalcost"),
    Field.PURCHASE_ORDER: ("purchaseorder", "purchaseordernumber", "po", "ponumber"),
    Field.ORDER_NUMBER: ("ordernumber", "order", "orderno", "orderid"),
    Field.EXPIRATION_DATE: ("expirationdate", "expiration", "expires", "expirydate", "expiry", "validuntil", "enddate"),
    Field.MAINTAINED: ("maintained", "maintenance", "undermaintenance"),
    Field.REASSIGNABLE: ("reassignable", "transferable"),
    Field.SEATS: ("seats", "seatcount", "numberofseats", "quantity", "qty", "licensecount", "totalseats"),
    Field.NOTES: ("notes", "note", "comment", "comments", "remarks"),
}
_FIELD_OF_NAME: Mapping[str, Field] = {name: field for field, names in KNOWN_NAMES.items() for name in names}
_LABELS: Mapping[Field, str] = {
    Field.SEATS: "number of seats",
    Field.HOLDER_NAME: "holder's name",
    Field.HOLDER_EMAIL: "holder's mail address",
    Field.HOLDER_USERNAME: "holder's username",
    Field.LICENSEE_NAME: "licensee's name",
    Field.LICENSEE_EMAIL: "licensee's mail address",
}
_NO_SUCH_COLUMN = "the mapping names the column “{name}”, but the file has none of that name. It has: {names}."


def label(field: Field) -> str:
    """Write a field as people say it."""
    return _LABELS.get(field) or field.value.replace("_", " ")


def map_columns(
    header: Sequence[str], options: ImportOptions, *, line: int
) -> tuple[tuple[Column, ...], tuple[Problem, ...]]:
    """
    Give each column a meaning or keep it as an attribute; `line` is the header's.

    Problems are about the header as a whole: with any, no row can be read.
    """
    names = [name or f"column {position}" for position, name in enumerate(header, start=1)]
    problems = [*_repeated(names, line), *_not_there(names, options, line)]
    given = {_folded(name): field for name, field in options.mapping.items()}
    taken = {field for field in given.values() if field is not None}
    columns = tuple(_column(name, position, given, taken) for position, name in enumerate(names, start=1))
    problems.extend(_claimed_twice(columns, line))
    problems.extend(_missing(columns, options, line))
    return columns, tuple(problems)


def _folded(name: str) -> str:
    """Write a name so that case and outer spaces do not tell two apart."""
    return name.strip().casefold()


def _plain(name: str) -> str:
    """Write a name without case, spaces and punctuation, to look up what it usually means."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _column(name: str, position: int, given: Mapping[str, Field | None], taken: set[Field]) -> Column:
    folded = _folded(name)
    if folded in given:
        field = given[folded]
        if field is None:
            return Column(name, position, None, Origin.GIVEN, "kept as an attribute, as the mapping says")
        return Column(name, position, field, Origin.GIVEN, f"is the {label(field)}, as the mapping says")
    guess = _FIELD_OF_NAME.get(_plain(name))
    if guess is None:
        return Column(name, position, None, Origin.KEPT, "has no known meaning; its cells are kept as an attribute")
    if guess in taken:
        reason = f"looks like the {label(guess)}, which the mapping takes from another column; kept as an attribute"
        return Column(name, position, None, Origin.KEPT, reason)
    return Column(name, position, guess, Origin.GUESSED, f"is the {label(guess)}, guessed from its name")


def _repeated(names: Sequence[str], line: int) -> list[Problem]:
    counted = Counter(_folded(name) for name in names)
    first_with = {_folded(name): name for name in reversed(names)}
    return [
        Problem(
            f"{count} columns have this name. Rename them, so that each name stands once.",
            line=line,
            column=first_with[folded],
        )
        for folded, count in counted.items()
        if count > 1
    ]


def _not_there(names: Sequence[str], options: ImportOptions, line: int) -> list[Problem]:
    present = {_folded(name) for name in names}
    shown = ", ".join(f"“{name}”" for name in names)
    return [
        Problem(_NO_SUCH_COLUMN.format(name=name, names=shown), line=line)
        for name in options.mapping
        if _folded(name) not in present
    ]


def _claimed_twice(columns: Sequence[Column], line: int) -> list[Problem]:
    by_field: defaultdict[Field, list[Column]] = defaultdict(list)
    for column in columns:
        if column.field is not None:
            by_field[column.field].append(column)
    return [
        Problem(
            f"the columns {' and '.join(f'“{column.name}”' for column in claimants)} would both be the {label(field)}. "
            "Say in the mapping which one is.",
            line=line,
        )
        for field, claimants in by_field.items()
        # Columns of the same name are reported as such already.
        if len({_folded(column.name) for column in claimants}) > 1
    ]


def _missing(columns: Sequence[Column], options: ImportOptions, line: int) -> list[Problem]:
    present = {column.field for column in columns}
    wanted = [
        (Field.PRODUCT, False, "Say in the mapping which one it is."),
        (Field.SEATS, False, "Say in the mapping which one it is."),
        (Field.COMPANY, bool(options.default_company), "Say which one it is, or choose a default company."),
        (Field.EXPIRATION_DATE, has_default_term(options), "Say which one it is, or choose a default term."),
    ]
    return [
        Problem(f"no column is the {label(field)}. {advice}", line=line)
        for field, has_default, advice in wanted
        if field not in present and not has_default
    ]


def has_default_term(options: ImportOptions) -> bool:
    """Answer whether blank expiration dates are filled in."""
    return (
        options.default_expires_on is not None
        or options.default_term_months is not None
        or options.blank_expiration_is_perpetual
    )
