"""Base, proposed and current side by side, for records that changed since a revision was planned on them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from approvals import governed
from approvals.governed import Moved
from approvals.records.rows import changed_fields
from entitlements.planning.lines import HIDDEN, LABELS, chosen, in_words, named_in_row
from entitlements.planning.tables import label_records
from entitlements.planning.told import Labels
from foundation.web.blocks import Block, Point, Points, Row, Section, Table
from foundation.web.instants import in_reader_zone, instant_text


def section(moved: Sequence[Moved], now: datetime) -> Section | None:
    """The section, or None if nothing moved."""
    if not moved:
        return None
    named: set[UUID] = set()
    for one in moved:
        for row in (one.base, one.proposed, one.current or {}):
            named |= named_in_row(row)
    labels = label_records(named)
    blocks = [_record(one, labels) for one in moved]
    note = f"As of {instant_text(now)}. To apply it, edit the request: it is planned and approved again."
    return Section("moved", "Changed by others since this was planned", note, blocks)


def _record(one: Moved, labels: Labels) -> Block:
    title = f"{governed.kind(one.kind).title}: {one.label}"
    if one.current is None:
        return Points([Point("The record does not exist any more.", "danger")], title=title)
    elsewhere = set(changed_fields(one.base, one.current))
    proposed = set(changed_fields(one.base, one.proposed))
    rows = []
    for name in one.base:
        if name in HIDDEN or name not in elsewhere | proposed:
            continue
        words = [_words(one, name, row.get(name), labels) for row in (one.base, one.proposed, one.current)]
        both = name in elsewhere and name in proposed
        said = "both, and they differ" if both and one.current[name] != one.proposed[name] else "both alike"
        moved = said if both else "by others" if name in elsewhere else "here"
        rows.append(Row([_label(one, name), *words, moved], "warning" if name in elsewhere else ""))
    return Table(title, ("Field", "Planned on", "Proposed", "Now", "Changed"), rows)


def _words(one: Moved, name: str, value: object, labels: Labels) -> str:
    field = governed.kind(one.kind).model._meta.get_field(name.removesuffix("_id"))
    return in_reader_zone(in_words(name, value, {**labels, **chosen(field)}))


def _label(one: Moved, name: str) -> str:
    field = governed.kind(one.kind).model._meta.get_field(name.removesuffix("_id"))
    told = LABELS.get(name, str(getattr(field, "verbose_name", name)))
    return told[:1].upper() + told[1:]
