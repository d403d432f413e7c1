"""
What was applied under agreements within a year, and what else is asked for: read for `accumulation`.

A constant number of queries, whatever the number of agreements and of changes; as many more as a succession is long.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from approvals.governed import PreparedItem
from approvals.records.rows import row_of
from approvals.requests.applied import StoredItem, applied_since, asked_of
from entitlements.agreements.costs import add_months
from entitlements.agreements.models import Agreement, OrderLine
from entitlements.grants.models import Entitlement
from entitlements.planning.accumulation import Moved, Step, families_of

Row = Mapping[str, Any]
Rows = dict[str, Row]
MONTHS = 12
ENTITLEMENTS = Entitlement._meta.db_table
ORDER_LINES = OrderLine._meta.db_table


@dataclass
class Year:
    """
    One agreement's year up to now: its rows as they stand, what was done to them, and what is planned.

    `entitlements` are those under it, and whatever they replace or are replaced by. `pending` are the entitlements'
    items of other requests that wait for approval or application.
    """

    entitlements: dict[str, Row] = field(default_factory=dict)
    order_lines: dict[str, Row] = field(default_factory=dict)
    entitlement_steps: list[Step] = field(default_factory=list)
    order_line_steps: list[Step] = field(default_factory=list)
    pending: list[StoredItem] = field(default_factory=list)


def agreements_of(items: Sequence[PreparedItem]) -> dict[int, str]:
    """The agreement under which each item that has one changes something, by the item's position."""
    lines = {str(item.record_id): str((item.after or {})["agreement_id"]) for item in _of(items, OrderLine)}
    named = {str((item.after or {})["order_line_id"]) for item in _of(items, Entitlement)} - set(lines)
    stored = OrderLine.objects.filter(id__in=named).values_list("id", "agreement_id")
    lines |= {str(line_id): str(agreement_id) for line_id, agreement_id in stored}
    found: dict[int, str] = {}
    for position, item in enumerate(items):
        if item.after is None:
            continue
        if item.table == ENTITLEMENTS:
            found[position] = lines[str(item.after["order_line_id"])]
        elif item.table == ORDER_LINES:
            found[position] = lines[str(item.record_id)]
        elif item.table == Agreement._meta.db_table:
            found[position] = str(item.record_id)
    return found


def years_of(*, agreements: Mapping[int, str], items: Sequence[PreparedItem], now: datetime) -> dict[str, Year]:
    """
    Each agreement's year, with what these items would do under it as the last step.

    `agreements` are those of the items, by position. A family of entitlements is one, whichever agreement gave its
    parts: what is done to any of it counts under each of them.
    """
    keys = sorted(set(agreements.values()))
    if not keys:
        return {}
    lines: Rows = {str(row.pk): row_of(row) for row in OrderLine.objects.filter(agreement_id__in=keys)}
    entitlements = _with_succession(
        {str(row.pk): row_of(row) for row in Entitlement.objects.filter(order_line_id__in=list(lines))}, items
    )
    agreement_of_line = {key: str(row["agreement_id"]) for key, row in lines.items()} | {
        str(item.record_id): agreements[position]
        for position, item in enumerate(items)
        if position in agreements and item.table == ORDER_LINES
    }
    since = add_months(now, -MONTHS)
    applied = list(applied_since(record_ids=[UUID(key) for key in (*entitlements, *lines)], since=since))
    steps = [[_moved(item) for item in step] for step in applied]
    planned = [_planned(item) for item in items if item.table in (ENTITLEMENTS, ORDER_LINES) and item.after is not None]
    rights = [moved for step in (*steps, planned) for moved in step if moved.table == ENTITLEMENTS]
    concerned = _concerned(entitlements.values(), rights, agreement_of_line)
    years = {key: Year() for key in keys}
    for key, row in lines.items():
        years[agreement_of_line[key]].order_lines[key] = row
    for key, row in entitlements.items():
        for agreement in concerned[key]:
            years[agreement].entitlements[key] = row
    for step in (*steps, planned):
        _distribute(step, years, concerned, agreement_of_line)
    for item in _pending(agreement_of_line, items):
        years[agreement_of_line[str(item.after["order_line_id"])]].pending.append(item)
    return years


def hold(items: Sequence[PreparedItem]) -> None:
    """
    Lock the agreements under which these items change something, until the transaction ends.

    With those of whatever their entitlements replace or are replaced by: a family adds up under all of its agreements.
    """
    touched = Entitlement.objects.filter(id__in=[item.record_id for item in _of(items, Entitlement)])
    family = _with_succession({str(row.pk): row_of(row) for row in touched}, items)
    lines = OrderLine.objects.filter(id__in={str(row["order_line_id"]) for row in family.values()})
    keys = set(agreements_of(items).values()) | {str(key) for key in lines.values_list("agreement_id", flat=True)}
    list(Agreement.objects.select_for_update(no_key=True).filter(id__in=keys).order_by("id").values_list("id"))


def _with_succession(found: Rows, items: Sequence[PreparedItem]) -> Rows:
    """The entitlements with all that they or these items replace or are replaced by, under whatever agreement."""
    named = {str((item.after or {})["replaces_id"]) for item in _of(items, Entitlement)} - {"None"}
    frontier = set(found) | named
    while frontier:
        replaced = {str(found[key]["replaces_id"]) for key in frontier if key in found} - {"None"}
        linked = Q(id__in=(replaced | frontier) - set(found)) | Q(replaces_id__in=frontier)
        more = {str(row.pk): row_of(row) for row in Entitlement.objects.filter(linked).exclude(id__in=list(found))}
        found, frontier = found | more, set(more)
    return found


def _concerned(
    rows: Iterable[Row], rights: Sequence[Moved], agreement_of_line: Mapping[str, str]
) -> dict[str, set[str]]:
    """For each entitlement the agreements, of those looked at, that any of its family is under."""
    versions = [*rows, *(row for moved in rights for row in (moved.before, moved.after) if row is not None)]
    families = families_of(versions)
    under: dict[str, set[str]] = {family: set() for family in families.values()}
    for row in versions:
        agreement = agreement_of_line.get(str(row["order_line_id"]))
        if agreement is not None:
            under[families[str(row["id"])]].add(agreement)
    return {key: under[family] for key, family in families.items()}


def _distribute(
    step: Step,
    years: Mapping[str, Year],
    concerned: Mapping[str, set[str]],
    agreement_of_line: Mapping[str, str],
) -> None:
    """Add to each agreement's year what a step did under it."""
    rights: dict[str, list[Moved]] = {}
    ordered: dict[str, list[Moved]] = {}
    for moved in step:
        if moved.table == ENTITLEMENTS:
            for agreement in concerned[moved.key]:
                rights.setdefault(agreement, []).append(moved)
        elif moved.key in agreement_of_line:
            ordered.setdefault(agreement_of_line[moved.key], []).append(moved)
    for agreement, own in rights.items():
        years[agreement].entitlement_steps.append(own)
    for agreement, own in ordered.items():
        years[agreement].order_line_steps.append(own)


def _pending(agreement_of_line: Mapping[str, str], items: Sequence[PreparedItem]) -> list[StoredItem]:
    return asked_of(
        condition=Q(table_name=ENTITLEMENTS, after__order_line_id__in=sorted(agreement_of_line)),
        without=[item.record_id for item in items],
    )


def _of(items: Sequence[PreparedItem], model: Any) -> list[PreparedItem]:
    return [item for item in items if item.table == model._meta.db_table and item.after is not None]


def _moved(item: StoredItem) -> Moved:
    return Moved(str(item.record_id), item.before, item.after, item.table)


def _planned(item: PreparedItem) -> Moved:
    return Moved(str(item.record_id), item.before, item.after or {}, item.table)
