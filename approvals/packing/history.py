"""What packs hold of records: the versions of which events tell, with who changed what to what."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import models

from approvals import events, governed
from approvals.packing import told
from approvals.records.rows import changed_fields, instance_from, row_of
from audit.packs.port import Counted, File, Part, Selection, Sheet, Told
from audit.packs.telling import Teller
from foundation.canonical import canonical_bytes, jsonable

MOST_HAPPENED = 400


def contribute(selection: Selection) -> Iterator[Part]:
    """The history of every record of which an event of the selection tells, and what happened, told."""
    found = list(selection.of(events.RECORD_CREATED, events.RECORD_CHANGED))
    by_model: dict[str, list[Told]] = defaultdict(list)
    for event in found:
        if event.data["after"]:
            by_model[event.document["subject"]["type"]].append(event)
    count = 0
    for model in sorted(governed.governed_models(), key=lambda model: model._meta.label_lower):
        name = model._meta.label_lower
        lines = [canonical_bytes(line) + b"\n" for line in _lines(model, by_model.get(name, ()))]
        if lines:
            count += len(lines)
            words = str(model._meta.verbose_name_plural)
            yield File(f"history/{name}.jsonl", b"".join(lines), f"Versions of {words}, one a line, whole.")
    yield Counted("versions of records", count, "Those that an event in the selection created or changed.")
    yield _sheet(selection, found)
    yield from told.happened(selection, MOST_HAPPENED)


def _lines(model: Any, told_of: Any) -> Iterator[Mapping[str, Any]]:
    """The stored versions; one that is not what its event says is given as it is stored, and will be found."""
    wanted = {(uuid.UUID(event.document["subject"]["id"]), event.data["after"]["version"]): event for event in told_of}
    ids = {record_id for record_id, _ in wanted}
    history = model.history.model.objects.filter(id__in=ids).order_by("id", "version", "history_id")
    for row in history.iterator(chunk_size=2000):
        event = wanted.get((row.id, row.version))
        if event is not None:
            yield {
                "type": model._meta.label_lower,
                "id": row.id,
                "version": row.version,
                "change": row.change_request_number,
                "recorded_at": row.history_date,
                "row": _values(model, row, event.data["after"]),
            }


def _values(model: type[Any], row: models.Model, after: Mapping[str, Any]) -> Mapping[str, Any]:
    """A version's values; as its event writes them, if they are the same."""
    stored = model(**{field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields})
    expected = instance_from(model, after)
    same = all(
        field.value_from_object(stored) == field.value_from_object(expected) for field in model._meta.concrete_fields
    )
    return after if same else row_of(stored)


def _sheet(selection: Selection, found: list[Told]) -> Sheet:
    teller = Teller.of(selection)
    rows = []
    for event in found:
        before, after = event.data["before"], event.data["after"]
        for field in changed_fields(before, after):
            rows.append(
                (
                    event.document["recorded_at"],
                    event.data["number"],
                    teller.actor(event),
                    event.document["subject"]["type"],
                    event.document["subject"]["label"],
                    field,
                    _cell((before or {}).get(field)),
                    _cell((after or {}).get(field)),
                )
            )
    head = ("Recorded at", "Change", "By", "Sort of record", "Record", "Field", "Before", "After")
    return Sheet("history", head, rows)


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return canonical_bytes(jsonable(value)).decode()
