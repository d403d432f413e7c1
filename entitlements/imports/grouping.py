"""From rows to licenses: inventories repeat a license once for each holder of a seat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from entitlements.imports.mapping import label
from entitlements.imports.values import Column, Contact, Field, Grouping, HeldSeat, License, Problem, Row

# What all rows of one license must agree on; blank cells agree with everything.
_SHARED: tuple[tuple[Field, Callable[[Row], Hashable]], ...] = (
    (Field.MANUFACTURER, lambda row: row.manufacturer),
    (Field.LICENSEE_NAME, lambda row: row.licensee.name if row.licensee else ""),
    (Field.LICENSEE_EMAIL, lambda row: row.licensee.email if row.licensee else ""),
    (Field.SUPPLIER, lambda row: row.supplier),
    (Field.CATEGORY, lambda row: row.category),
    (Field.PURCHASE_DATE, lambda row: row.purchased_on),
    (Field.PURCHASE_COST, lambda row: row.cost),
    (Field.PURCHASE_ORDER, lambda row: row.purchase_order),
    (Field.MAINTAINED, lambda row: row.maintained),
    (Field.REASSIGNABLE, lambda row: row.reassignable),
)
# Here None is a value, too: explicitly unlimited, explicitly without an end.
_SHARED_WITH_NONE: tuple[tuple[Field, Callable[[Row], Hashable]], ...] = (
    (Field.SEATS, lambda row: (row.seats,)),
    (Field.EXPIRATION_DATE, lambda row: (row.expires_on,)),
)
_BLANK = ("", None)
MAX_ORDERS_SHOWN = 5


def group_licenses(rows: Iterable[Row], columns: Sequence[Column] = ()) -> Grouping:
    """
    Put rows of the same license together, in the order of their first lines.

    The same license is: same company, product (both without regard to case), serial number and order number. Several
    orders behind one serial number are several licenses, whose seats add up. A row without an order number belongs to
    the only order that the others name; where they name several, it is a problem. Rows that contradict each other,
    hold one seat twice, or hold more seats than there are, are problems, too, and their license is left out.
    `columns` gives problems the names that the file uses.
    """
    names = {column.field: column.name for column in columns if column.field is not None}
    groups, problems = _groups(rows, names)
    licenses: list[License] = []
    for group in groups:
        found = [
            *_contradictions(group, names),
            *_holders_held_twice(group, names),
            *_holders_beyond_seats(group, names),
        ]
        problems.extend(found)
        if not found:
            licenses.append(_license(group))
    licenses.sort(key=lambda license_: license_.lines)
    return Grouping(tuple(licenses), tuple(sorted(problems, key=lambda problem: problem.line or 0)))


def _groups(rows: Iterable[Row], names: dict[Field, str]) -> tuple[list[list[Row]], list[Problem]]:
    """Separate rows by license, and those that do not say to which order they belong."""
    by_serial: defaultdict[Hashable, list[Row]] = defaultdict(list)
    for row in rows:
        serial = row.serial_number.value if row.serial_number else ""
        by_serial[row.company.casefold(), row.product.casefold(), serial].append(row)
    groups: list[list[Row]] = []
    problems: list[Problem] = []
    for same in by_serial.values():
        by_order: defaultdict[str, list[Row]] = defaultdict(list)
        for row in same:
            by_order[row.order_number].append(row)
        unsaid = by_order.pop("", [])
        if len(by_order) <= 1:
            groups.append(same)
            continue
        groups.extend(by_order.values())
        if unsaid:
            problems.append(_order_unsaid(unsaid, sorted(by_order), names))
    return groups, problems


def _order_unsaid(rows: Sequence[Row], orders: Sequence[str], names: dict[Field, str]) -> Problem:
    return Problem(
        f"the license has several orders ({', '.join(orders[:MAX_ORDERS_SHOWN])}), and this record does not say to "
        f"which it belongs. "
        "Fill in the order number.",
        line=rows[0].line,
        column=names.get(Field.ORDER_NUMBER),
        other_lines=tuple(row.line for row in rows[1:]),
    )


def _contradictions(group: Sequence[Row], names: dict[Field, str]) -> list[Problem]:
    problems = []
    for field, value_of in (*_SHARED, *_SHARED_WITH_NONE):
        told = [(row.line, value) for row in group if (value := value_of(row)) not in _BLANK]
        if not told:
            continue
        first_line, first = told[0]
        others = [line for line, value in told if value != first]
        if others:
            problems.append(
                Problem(
                    f"this says another {label(field)} of the same license than line {first_line}. Make them agree, "
                    f"or give the "
                    "licenses different serial or order numbers.",
                    line=others[0],
                    column=names.get(field),
                    other_lines=tuple(others[1:]),
                )
            )
    return problems


def _holders_held_twice(group: Sequence[Row], names: dict[Field, str]) -> list[Problem]:
    first_line_of: dict[tuple[str, str], int] = {}
    problems = []
    for row in group:
        if row.holder is None:
            continue
        marks = [("email", row.holder.email.casefold()), ("username", row.holder.username.casefold())]
        known = [mark for mark in marks if mark[1]]
        earlier = next((first_line_of[mark] for mark in known if mark in first_line_of), None)
        if earlier is not None:
            problems.append(
                Problem(
                    f"this person holds a seat of the same license on line {earlier} already. Remove one of the two "
                    f"records.",
                    line=row.line,
                    column=names.get(Field.HOLDER_EMAIL if row.holder.email else Field.HOLDER_USERNAME),
                    value=row.holder.email or row.holder.username,
                )
            )
        for mark in known:
            first_line_of.setdefault(mark, row.line)
    return problems


def _holders_beyond_seats(group: Sequence[Row], names: dict[Field, str]) -> list[Problem]:
    held = [row for row in group if row.holder is not None]
    seats = group[0].seats
    if seats is None or len(held) <= seats:
        return []
    surplus = held[seats:]
    return [
        Problem(
            f"the license has {seats:,} {'seat' if seats == 1 else 'seats'}, and this is holder number {seats + 1:,}"
            f" of {len(held):,}. "
            "Correct the number of seats, or remove holders.",
            line=surplus[0].line,
            column=names.get(Field.SEATS),
            value=str(seats),
            other_lines=tuple(row.line for row in surplus[1:]),
        )
    ]


def _license(group: Sequence[Row]) -> License:
    first = group[0]

    def told(field_of: Callable[[Row], str]) -> str:
        return next((value for row in group if (value := field_of(row))), "")

    return License(
        lines=tuple(row.line for row in group),
        product=first.product,
        seats=first.seats,
        company=first.company,
        expires_on=first.expires_on,
        manufacturer=told(lambda row: row.manufacturer),
        licensee=_licensee(group),
        supplier=told(lambda row: row.supplier),
        serial_number=first.serial_number,
        category=told(lambda row: row.category),
        purchased_on=next((row.purchased_on for row in group if row.purchased_on), None),
        cost=next((row.cost for row in group if row.cost), None),
        purchase_order=told(lambda row: row.purchase_order),
        order_number=told(lambda row: row.order_number),
        maintained=next((row.maintained for row in group if row.maintained is not None), None),
        reassignable=next((row.reassignable for row in group if row.reassignable is not None), None),
        notes="\n\n".join(dict.fromkeys(row.notes for row in group if row.notes)),
        attributes=tuple(dict.fromkeys(pair for row in group for pair in row.attributes)),
        held_seats=tuple(HeldSeat(row.line, row.holder) for row in group if row.holder is not None),
    )


def _licensee(group: Sequence[Row]) -> Contact | None:
    """Put the licensee's name and mail together, which may stand in different rows."""
    known = [row.licensee for row in group if row.licensee is not None]
    if not known:
        return None
    return Contact(
        name=next((contact.name for contact in known if contact.name), ""),
        email=next((contact.email for contact in known if contact.email), ""),
    )
