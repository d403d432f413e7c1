"""Kinds that take back what an applied item did to a record: one for each governed model."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from approvals import governed
from approvals.governed import Operation, Preparation, Undone
from approvals.records.kinds import AmendKind
from approvals.records.models import GovernedModel
from approvals.records.restoring import Restoration, RestorePayload, compare, in_words
from approvals.records.rows import row_of
from foundation.errors import InvalidInput

Row = Mapping[str, Any]
# Labels are asked for outside any request.
_ALONE = Preparation(now=datetime.max.replace(tzinfo=UTC), author=None, pending={})


class RestoreKind(AmendKind):
    """Take back what an item of an applied change did to a record; what others changed since stays."""

    def __init__(self, *, model: type[GovernedModel], sort: str = "") -> None:
        """Make the kind of a model; `sort` is how the names of its other kinds begin, if not with the model's."""
        super().__init__(
            name=f"{sort or model._meta.model_name}.restore",
            title=f"Restore {model._meta.verbose_name}",
            model=model,
            payload=RestorePayload,
        )

    def restoration(self, *, undone: Undone, row: Row, now: datetime) -> Restoration:
        """What taking the item back means for its record as it stands; a concept adds what is its own."""
        item = undone.item
        if item.operation is Operation.INSERT:
            return self.unmade(undone=undone, row=row, now=now)
        compared = compare(before=item.before or {}, after=item.after or {}, now=row)
        return Restoration(
            values=compared.restore,
            restored=self.named(row, compared.restore),
            conflicts=self.changed_since(row, compared.changed_since),
        )

    def unmade(self, *, undone: Undone, row: Row, now: datetime) -> Restoration:
        """What taking back a new record means: it is retired."""
        label = undone.item.label
        if row["retired_at"] is not None:
            return Restoration(lost=(f"{label} is retired already.",))
        return Restoration(
            values={"retired_at": now},
            restored=(f"{label} is retired: nothing new refers to it.",),
            lost=(f"{label} stays on record, with what refers to it.",),
            conflicts=self.touched_since(undone, row),
        )

    def named(self, row: Row, fields: Mapping[str, Any]) -> tuple[str, ...]:
        """The sentence for fields that get their former values."""
        label = self.label(row, _ALONE)
        return (f"{label}: {in_words(self.model, list(fields))} as before.",) if fields else ()

    def touched_since(self, undone: Undone, row: Row) -> tuple[str, ...]:
        """The sentence for a record that somebody changed since the change made it."""
        if row["version"] == (undone.item.after or {}).get("version", 1):
            return ()
        return (f"{undone.item.label} was changed again since, by {self._changed_by(row)}.",)

    def changed_since(self, row: Row, names: Sequence[str]) -> tuple[str, ...]:
        """The sentence for fields that somebody changed since."""
        if not names:
            return ()
        words, label = in_words(self.model, list(names)), self.label(row, _ALONE)
        return (f"{label}: {words} {'was' if len(names) == 1 else 'were'} changed since, by {self._changed_by(row)}.",)

    def row_now(self, record_id: uuid.UUID) -> Row:
        """The record as it stands."""
        return row_of(self.model._default_manager.get(id=record_id))

    def undone(self, *, before: Row, payload: BaseModel) -> Undone:
        """
        The item that is taken back.

        :raises InvalidInput: if it is no applied item of this record
        """
        assert isinstance(payload, RestorePayload)  # noqa: S101  the kind's own payload
        found = governed.applied_item(payload.undoes)
        if (found.item.table, str(found.item.record_id)) != (self.model._meta.db_table, str(before["id"])):
            raise InvalidInput(f"No applied change has an item {payload.undoes}, so there is nothing to restore.")
        return found

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The values of before the item, where nobody changed them since."""
        undone = self.undone(before=before, payload=payload)
        found = self.restoration(undone=undone, row=before, now=preparation.now)
        if found.is_empty:
            raise InvalidInput(f"Nothing of {undone.item.label} is left that could be restored.")
        return dict(found.values)

    def _changed_by(self, row: Row) -> str:
        history = self.model.history.filter(id=row["id"])  # type: ignore[attr-defined]  # every governed model has one
        number = history.order_by("-version", "-history_id").values_list("change_request_number", flat=True).first()
        return f"change {number}" if number else "another change"
