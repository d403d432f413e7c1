"""What became of the records of a revision since it was planned: which fields moved, and where both say something."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals import governed
from approvals.governed import Operation, PreparedItem
from approvals.records.models import GovernedModel
from approvals.records.rows import changed_fields, row_of

JSON = Any
LONGEST = 80
NAMED = 5


@dataclass(frozen=True)
class MovedField:
    """A field that others changed: as it was planned on, as it stands, and as the revision would have it."""

    field: str
    base: JSON
    now: JSON
    proposed: JSON

    @property
    def label(self) -> str:
        """What people call the field."""
        return self.field.removesuffix("_id").replace("_", " ")

    @property
    def differs(self) -> bool:
        """Whether both sides changed it, and not to the same."""
        return self.proposed not in (self.base, self.now)

    @property
    def sentence(self) -> str:
        """The field in words: old → new, and what the revision says where both changed it."""
        told = f"{self.label} {in_words(self.base)} → {in_words(self.now)}"
        return f"{told}, where this change says {in_words(self.proposed)}" if self.differs else told


@dataclass(frozen=True)
class Drift:
    """A record that is not at the version on which an item was planned; `gone` if it is not there at all."""

    position: int
    record_id: uuid.UUID
    label: str
    gone: bool
    fields: tuple[MovedField, ...]

    @property
    def sentence(self) -> str:
        """The record with what moved, in words."""
        if self.gone:
            return f"{self.label} is gone"
        listed = "; ".join(field.sentence for field in self.fields[:NAMED])
        more = len(self.fields) - NAMED
        listed += f"; and {more} more" if more > 0 else ""
        return f"{self.label} ({listed or 'nothing that shows here'})"

    @property
    def differing(self) -> tuple[MovedField, ...]:
        """The fields that both changed, and not to the same."""
        return tuple(field for field in self.fields if field.differs)

    def document(self) -> dict[str, JSON]:
        """What a program reads of it."""
        return {
            "record_id": str(self.record_id),
            "label": self.label,
            "gone": self.gone,
            "changes": [
                {"field": one.field, "base": one.base, "now": one.now, "proposed": one.proposed, "differs": one.differs}
                for one in self.fields
            ],
        }


def drifts_of(items: Sequence[PreparedItem]) -> tuple[Drift, ...]:
    """The items whose records moved, in their order, by one query for each sort of record."""
    based = [(at, item) for at, item in enumerate(items) if item.operation is not Operation.INSERT]
    found: list[Drift] = []
    for table in sorted({item.table for _at, item in based}):
        own = [(at, item) for at, item in based if item.table == table]
        model = governed.kind(own[0][1].kind).model
        versions = dict(_versions(model, [item.record_id for _at, item in own]))
        moved = [(at, item) for at, item in own if versions.get(item.record_id) != item.base_version]
        rows = model._default_manager.in_bulk([item.record_id for _at, item in moved]) if moved else {}
        found += [_drift(at, item, rows.get(item.record_id)) for at, item in moved]
    return tuple(sorted(found, key=lambda drift: drift.position))


def in_words(value: JSON) -> str:
    """A value of a row in a sentence."""
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and isinstance(value[0], dict):
        return f"{len(value)} {'row' if len(value) == 1 else 'rows'}"
    if isinstance(value, dict):
        text = ", ".join(f"{name}: {in_words(one)}" for name, one in sorted(value.items()))
    else:
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _versions(model: Any, keys: Sequence[uuid.UUID]) -> Iterator[tuple[uuid.UUID, int]]:
    yield from model._default_manager.filter(pk__in=keys).values_list("pk", "version")


def _drift(position: int, item: PreparedItem, standing: Any) -> Drift:
    base, proposed = item.before or {}, item.after or {}
    now: Mapping[str, JSON] = row_of(standing) if isinstance(standing, GovernedModel) else {}
    fields = tuple(
        MovedField(name, base.get(name), now[name], proposed.get(name))
        for name in changed_fields(base, now)
        if name in now
    )
    return Drift(position, item.record_id, item.label, standing is None, fields)
